// Package plugins presents WASM modules to the engine as one tcp.Hook. What a
// plugin is asked, shown and obeyed in is decided here, in Go that knows no WASM
// engine and that a browser's module can contain:
//
//	p, err := plugins.Load(engine, wasm, plugins.Options{Set: []string{"n=7"}})
//	set := plugins.NewSet()
//	set.Add(p)
//	stack.SetHook(set, set.Mask())
//
// An Engine runs modules: plugins/wazero is the native one, and hosts/wasm has
// one that asks its embedder. The boundary itself is written down in package
// plugins/abi.
//
// # From a file to a plugin
//
// Load reads what the module says of itself (Inspect, ParseManifest), compares
// imports and exports with what there is, has package plugins/fuel check and
// rewrite the code, and only then starts it. Check does the same and returns
// everything that is wrong; Describe tells what a module is. An error names what
// mends it.
//
// # From a step to a verdict
//
// A Set has, for each step of the engine, those of its plugins that want it, in
// their order (arrange). For one of them it looks at the filters, puts the record
// into an image of the buffer (put), calls (Plugin.call), and judges the result
// (judge): is the verdict one for this hook, and granted? Changes are fetched,
// looked at as a whole, and then made in the record (take). What plugins ask
// for besides is done after their hook (carryOut). Each verdict but a plain pass is
// an event of the kind Plugin, with a Why.
//
// # What goes wrong
//
// A trap, fuel that is used up, a verdict or a change that is not allowed is a
// strike, and counts as if the plugin had not been asked: the record goes on, or,
// if the manifest says guard, the segment is dropped. Who has trapped is started
// afresh after a while; after three strikes within 60 s, or ten, it is out
// (life.go).
//
// # Copies and repetition
//
// What a plugin keeps of connections, its store, timers and strikes are here, and
// a Clone has them. Its own memory is not: clones share the instance. With the
// same Key, the same calls give the same verdicts, log and fuel, in every engine.
//
// A Set belongs to one stack and, like it, to one goroutine at a time.
package plugins
