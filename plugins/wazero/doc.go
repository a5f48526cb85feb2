// Package wazero runs plugins natively, in wazero. It is an engine in the sense
// of package plugins, which has the policy:
//
//	engine := wazero.New(wazero.Config{})
//	defer engine.Close()
//	p, err := plugins.Load(engine, module, plugins.Options{})
//
// A call copies one record in, calls one export and copies the record back; it
// allocates nothing.
//
// Limits: until there is fuel, nothing stops a plugin that does not return, so
// run only plugins that you vouch for. Memory is bounded by Config.Pages, the
// depth of calls by wazero's own stack. A plugin gets no WASI and no other
// imports.
package wazero
