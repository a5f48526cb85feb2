// Package guest is what a plugin that is written in Go imports. A plugin is a
// main package whose hooks are exported functions. This one marks the segments
// that leave, and says so of the first:
//
//	package main
//
//	import guest "github.com/tcpkit/tcpkit/plugins/guest/go"
//
//	func main() {}
//
//	//go:wasmexport tcpkit_segment_leaving
//	func leaving() int64 {
//		if guest.Record.SndUNA == guest.Record.ISS {
//			guest.Log(guest.LevelInfo, "a connection begins")
//		}
//		guest.Record.TOS = 0x20
//		return guest.Mutate(guest.FieldTOS)
//	}
//
// tcpkit plugin build builds it, or
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o plugin.wasm
//
// Before a hook the host fills in Record, or Control for congestion control.
// What a hook changes there counts if its result names it. The package and the
// plugin build on any host too, where nothing calls the hooks but their tests,
// and the host's functions do nothing.
package guest
