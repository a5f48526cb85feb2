package main

import (
	"unsafe"

	"github.com/tcpkit/tcpkit/hosts/wasm/embedder"
	"github.com/tcpkit/tcpkit/hosts/wasm/kit"
)

// main is not called: a module with exports is a reactor.
func main() {}

// calls is what exports work on; they have no receiver.
var calls = kit.Kit{Engine: embedder.Engine{}}

//go:wasmexport tcpkit_buffer
func exportBuffer(size uint32) uint32 {
	if !calls.Room(size) {
		return 0
	}
	// Go's collector does not move what is on its heap.
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(calls.Buffer))))
}

//go:wasmexport tcpkit_file
func exportFile(nameSize, size uint32) int32 { return calls.File(nameSize, size) }

//go:wasmexport tcpkit_transfer
func exportTransfer(octets int64, mtu uint32) int32 { return calls.Transfer(octets, mtu) }
