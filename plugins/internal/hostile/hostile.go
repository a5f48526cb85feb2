package hostile

import (
	"embed"

	"github.com/tcpkit/tcpkit/plugins/abi"
)

//go:embed modules/*.wasm
var modules embed.FS

// Module returns the module of that name, with a manifest.
func Module(name, manifest string) []byte {
	wasm, err := modules.ReadFile("modules/" + name + ".wasm")
	if err != nil {
		panic(err)
	}
	if manifest == "" {
		return wasm
	}
	content := append(sized(nil, abi.ManifestSection), manifest...)
	return sized(append(wasm, 0), string(content)) // section 0 is a custom one
}

// sized appends s with its length before it, in LEB128.
func sized(b []byte, s string) []byte {
	n := len(s)
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(append(b, byte(n)), s...)
}
