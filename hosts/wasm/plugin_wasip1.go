package main

import (
	"runtime"
	"unsafe"

	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// callPlugin asks the embedder to run a plugin; package plugins/abi says how.
//
//go:wasmimport tcpkit plugin
func callPlugin(id, hook, record uint32) int64

// An embedder is the engine that runs plugins beside this module. It has started
// them before it hands their files over.
type embedder struct{ id uint32 }

// Start is plugins.Engine.
func (e embedder) Start([]byte, plugins.Imports, int64) (plugins.Instance, error) {
	return &guest{e.id}, nil
}

// A guest is a plugin that the embedder runs.
type guest struct{ id uint32 }

// ABI is plugins.Instance.
func (g *guest) ABI() (uint32, error) {
	version, err := g.call(abi.HookABI, 0)
	return uint32(version), err
}

// Init is plugins.Instance. It is the embedder that keeps the address, and that
// sees to the buffer's bounds.
func (g *guest) Init(size uint32) error {
	at, err := g.call(abi.HookInit, size)
	if err == nil && at == 0 {
		err = plugins.Error(abi.ExportInit + " returned 0, which says that the plugin cannot run")
	}
	return err
}

// Call is plugins.Instance.
func (g *guest) Call(h abi.Hook, _ uint32, image []byte, _ []plugins.Part, _ *int64) (int64, error) {
	verdict, err := g.call(h, address(image))
	runtime.KeepAlive(image)
	return verdict, err
}

// Fetch is plugins.Instance: the embedder has copied everything back.
func (g *guest) Fetch([]byte, plugins.Part) error { return nil }

// Close is plugins.Instance. The embedder ends what it has started.
func (g *guest) Close() error { return nil }

func (g *guest) call(h abi.Hook, argument uint32) (int64, error) {
	switch result := callPlugin(g.id, uint32(h), argument); result {
	case abi.Trapped:
		return result, plugins.Error("trapped")
	case abi.NoPlugin:
		return result, plugins.Error("the page that embeds tcpkit runs no plugin of this number; start it before handing its file over")
	default:
		return result, nil
	}
}

// address is where the octets of b stand in the module's memory. Go's collector
// does not move what is on its heap.
func address(b []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }
