// Package embedder is the engine of plugins (package plugins) of a WASM module: it
// has the module's embedder run them beside it, by one import. The protocol is the
// last chapter of package plugins/abi; js/plugins.mjs, beside package hosts/wasm,
// speaks it in JavaScript.
//
//	p, err := plugins.Load(embedder.Engine{}, file, plugins.Options{})
//
// A module that is built with it exports tcpkit_plugin_import and
// tcpkit_plugin_room. Elsewhere than on wasip1 the package is empty.
package embedder
