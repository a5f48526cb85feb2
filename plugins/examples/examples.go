package examples

import (
	"embed"
	"io/fs"
	"path"
)

//go:embed */*.wasm
var modules embed.FS

// Module returns a plugin that tcpkit comes with, by its name.
func Module(name string) ([]byte, bool) {
	if !fs.ValidPath(name) || path.Base(name) != name {
		return nil, false
	}
	wasm, err := modules.ReadFile(name + "/" + name + ".wasm")
	return wasm, err == nil
}

// Names are the names that Module knows, in order.
func Names() (names []string) {
	files, err := fs.Glob(modules, "*/*.wasm")
	if err != nil {
		panic(err) // the pattern is wrong
	}
	for _, file := range files {
		names = append(names, path.Dir(file))
	}
	return names
}
