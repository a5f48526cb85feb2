// Package js is the JavaScript side of package hosts/wasm: ES modules and their
// types, for a page, a worker or Node, as files that a Go program can serve.
package js

import "embed"

// Files are the ES modules and their types, as they are written.
//
//go:embed *.mjs *.d.ts
var Files embed.FS
