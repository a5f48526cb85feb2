package main

import (
	"strconv"
	"unsafe"

	"github.com/tcpkit/tcpkit/hosts/wasm/embedder"
	"github.com/tcpkit/tcpkit/hosts/wasm/skeleton"
	"github.com/tcpkit/tcpkit/plugins"
)

// main is not called: a module with exports is a reactor.
func main() {}

// What exports work on; they have no receiver.
var (
	buffer []byte          // what the host writes into and reads from
	chain  *plugins.Set    // of the plugin
	plugin *plugins.Plugin // nil if there is none
)

//go:wasmexport tcpkit_buffer
func exportBuffer(size uint32) uint32 {
	grow(int(size))
	return address(buffer)
}

// grow makes the buffer hold size octets. Its address is good until it grows
// again.
func grow(size int) {
	const least = 4096
	if size > len(buffer) || buffer == nil {
		buffer = make([]byte, max(size, least))
	}
}

//go:wasmexport tcpkit_plugin
func exportPlugin(id, size uint32) int32 {
	file, ok := given(size)
	if !ok {
		return fail(notGiven)
	}
	p, err := plugins.Load(embedder.Engine{}, file, plugins.Options{Name: strconv.FormatUint(uint64(id), 10)})
	if err != nil {
		return fail(err)
	}
	if chain != nil {
		_ = chain.Close() // of the plugin before
	}
	plugin, chain = p, plugins.NewSet()
	chain.Add(p)
	return 0
}

//go:wasmexport tcpkit_plugin_error
func exportPluginError() int32 {
	if plugin == nil || plugin.Err() == nil {
		return 0
	}
	return fail(plugin.Err())
}

//go:wasmexport tcpkit_transfer
func exportTransfer(size uint32) int32 {
	record, ok := given(size)
	if !ok {
		return fail(notGiven)
	}
	options, ok := skeleton.ParseOptions(record)
	if !ok {
		return fail(plugins.Error("the options are damaged, or of another version"))
	}
	w, err := skeleton.New(options)
	if err != nil {
		return fail(err)
	}
	if plugin != nil {
		w.Stack(skeleton.Client).SetHook(chain, chain.Mask())
	}
	result := w.Run()
	return give(result.Append(nil))
}

const notGiven plugins.Error = "there is less in the buffer than that; ask tcpkit_buffer for its size first"

// given is what the host has left in the buffer.
func given(size uint32) ([]byte, bool) {
	if uint64(size) > uint64(len(buffer)) {
		return nil, false
	}
	return buffer[:size], true
}

// give leaves b in the buffer and returns its size.
func give(b []byte) int32 {
	grow(len(b))
	return int32(copy(buffer, b))
}

// fail leaves an error in the buffer and returns its size as a negative number.
func fail(err error) int32 { return -give([]byte(err.Error())) }

// address is where the octets of b stand in the module's memory. Go's collector
// does not move what is on its heap.
func address(b []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }
