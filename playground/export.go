package playground

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ExportPolicy is the content security policy of the page as Export writes it, in
// the page itself since there are no headers: it can't say who may embed it, and
// anybody may.
const ExportPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'; style-src 'self'; " +
	"img-src 'self' data:; base-uri 'none'; form-action 'none'; manifest-src 'self'"

// Export writes the page, with the engine's module, into a folder that is new or
// empty. If it fails, nothing is left there.
func Export(folder string, engine Module) error {
	there, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("export the playground: %w", err)
	}
	wasThere := err == nil
	if len(there) > 0 {
		return fmt.Errorf("export the playground: %s is not empty; give a new folder", folder)
	}
	files, err := Files()
	if err != nil {
		return err
	}
	wasm, err := engine(context.Background())
	if err != nil {
		return err
	}
	files[module] = File{types[".wasm"], wasm}
	delete(files, "/") // is /index.html
	if err := writeFiles(folder, files); err != nil {
		undo(folder, wasThere)
		return fmt.Errorf("export the playground: %w", err)
	}
	return nil
}

func writeFiles(folder string, files map[string]File) error {
	for name, f := range files {
		if name == "/index.html" {
			f.Body = bytes.Replace(f.Body, []byte(`<meta charset="utf-8">`),
				[]byte(`<meta charset="utf-8">`+"\n"+`<meta http-equiv="Content-Security-Policy" content="`+ExportPolicy+`">`), 1)
		}
		to := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, f.Body, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// undo takes away what writeFiles has written into a folder that was empty or not
// there.
func undo(folder string, wasThere bool) {
	if !wasThere {
		os.RemoveAll(folder)
		return
	}
	made, _ := os.ReadDir(folder)
	for _, e := range made {
		os.RemoveAll(filepath.Join(folder, e.Name()))
	}
}
