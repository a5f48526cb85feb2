// Package plugins presents a WASM module to the engine as a tcp.Hook. What a
// plugin is asked, shown and obeyed in is decided here, in Go that knows no
// WASM engine and that a browser's module can contain:
//
//	Load(engine, name, module)      checks the module, starts it, agrees on a version
//	stack.SetHook(p, p.Mask())      calls it, for what it exports and nothing else
//	p.Err()                         why it is not called any more
//
// An Engine runs modules: plugins/wazero is the native one, and hosts/wasm has
// one that asks its embedder. The boundary itself is written down in
// plugins/abi; AppendTransition and AppendSegment make its records.
//
// A plugin that traps, or answers what it may not, is called no more, and the
// connection goes on as without it. Its verdicts of a state change bind nobody.
//
// Limits: there is no fuel yet. Nothing bounds how long a call takes, so run only
// plugins that you vouch for. There are no grants, manifests and filters, a
// plugin has no imports, its changes to records are not taken over, and a stack
// has one plugin. A Stack's Clone calls the same Plugin as the original does.
package plugins
