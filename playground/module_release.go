//go:build tcpkit_release

package playground

import _ "embed"

// embedded is the engine's module, which a release has in it:
//
//	go run ./cmd/tcpkit playground --build playground/tcpkit.wasm
//	go build -tags tcpkit_release ./cmd/tcpkit
//
//go:embed tcpkit.wasm
var embedded []byte
