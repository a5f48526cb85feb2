// Package wazero runs plugins natively, in wazero. It is an engine in the sense
// of package plugins, which has the policy:
//
//	engine, err := wazero.New(wazero.Config{})
//	defer engine.Close()
//	p, err := plugins.Load(engine, module, plugins.Options{})
//
// A call writes the parts of a record that it is given, calls one export, and
// takes back what it is asked for; it allocates nothing. What a plugin imports
// is answered by the plugins.Imports of its instance. A guest compiled from Go
// finds the ten functions of WASI that its runtime calls, which give it the
// engine's clock and the engine's randomness, and take its output as log.
//
// Limits: time is bounded by fuel, which package fuel has written into the module
// and without which a plugin may not return; memory by Config.Pages; the depth
// of calls by fuel's own count.
package wazero
