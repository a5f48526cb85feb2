package playground

import (
	"embed"
	"io/fs"
	"path"

	"github.com/tcpkit/tcpkit/hosts/wasm/js"
	"github.com/tcpkit/tcpkit/plugins/examples"
)

// page is what is served as it is written.
//
//go:embed index.html *.css *.js *.mjs *.svg lib views
var page embed.FS

// module is where the engine is served. Its octets come from whoever serves.
const module = "/tcpkit.wasm"

// types are those of what is served, so that no table of the machine decides.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".mjs":  "text/javascript; charset=utf-8",
	".ts":   "text/plain; charset=utf-8",
	".txt":  "text/plain; charset=utf-8",
	".svg":  "image/svg+xml",
	".png":  "image/png",
	".json": "application/json",
	".wasm": "application/wasm",
}

// A File is something that is served.
type File struct {
	Type string // of the content, for a header
	Body []byte
}

// Files are all that the page is made of but for the engine's module, by the path
// under which each is served: "/" is the page itself.
func Files() (map[string]File, error) {
	all := map[string]File{}
	if err := add(all, "/", page); err != nil {
		return nil, err
	}
	if err := add(all, "/wasm/", js.Files); err != nil {
		return nil, err
	}
	for _, name := range examples.Names() {
		wasm, _ := examples.Module(name)
		all["/plugins/"+name+".wasm"] = File{types[".wasm"], wasm}
	}
	catalogue, err := Catalogue()
	if err != nil {
		return nil, err
	}
	all["/catalogue.json"] = File{types[".json"], catalogue}
	all["/"] = all["/index.html"]
	return all, nil
}

// add puts the files of a folder below a path.
func add(all map[string]File, below string, from fs.FS) error {
	return fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		kind, ok := types[path.Ext(name)]
		if !ok {
			return nil // what explains the folder, and is not the page's
		}
		body, err := fs.ReadFile(from, name)
		all[below+name] = File{kind, body}
		return err
	})
}
