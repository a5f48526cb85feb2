package embedder

import (
	"runtime"
	"slices"
	"unsafe"

	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// callPlugin asks the embedder to run a plugin.
//
//go:wasmimport tcpkit plugin
func callPlugin(id, hook uint32, frame unsafe.Pointer) int64

// Engine is a plugins.Engine.
type Engine struct{}

// instances are those that run, at the places that are their numbers.
var instances []*instance

// An instance is a plugin that the embedder runs.
type instance struct {
	id      uint32
	host    plugins.Imports
	wasi    plugins.WASI
	frame   [abi.FrameEnd]byte
	room    []byte
	refused string // why it was not taken
	size    uint32 // of its buffer
}

// Start is plugins.Engine.
func (Engine) Start(module []byte, host plugins.Imports, fuel int64) (plugins.Instance, error) {
	id := slices.Index(instances, nil)
	if id < 0 {
		id = len(instances)
		instances = append(instances, nil)
	}
	i := &instance{id: uint32(id), host: host}
	instances[id] = i
	exports := names()
	wire.PutLe64(i.frame[abi.FrameFuel:], uint64(fuel))
	i.point(abi.FrameImage, abi.FrameSize, module)
	i.point(abi.FrameNames, abi.FrameNamesSize, exports)
	_, err := i.call(abi.HookStart)
	runtime.KeepAlive(module)
	runtime.KeepAlive(exports)
	if err != nil {
		_ = i.Close()
		return nil, err
	}
	return i, nil
}

// names are those of all exports that are called, with their hooks.
func names() (b []byte) {
	for _, h := range append(plugins.Hooks(), abi.HookABI, abi.HookInit, abi.HookBatch) {
		name := plugins.Export(h)
		b = append(b, byte(h), byte(h>>8), byte(len(name)))
		b = append(b, name...)
	}
	return b
}

// ABI is plugins.Instance.
func (i *instance) ABI() (uint32, error) {
	version, err := i.call(abi.HookABI)
	if err != nil {
		return 0, &plugins.Failure{Doing: abi.ExportABI, Err: err}
	}
	return uint32(version), nil
}

// Init is plugins.Instance.
func (i *instance) Init(size uint32) error {
	wire.PutLe32(i.frame[abi.FrameArg:], size)
	at, err := i.call(abi.HookInit)
	if err != nil {
		return &plugins.Failure{Doing: abi.ExportInit, Err: err}
	}
	if err := plugins.CheckBuffer(uint32(at), size, wire.Le32(i.frame[abi.FrameSize:])); err != nil {
		return err
	}
	i.size = size
	return nil
}

// Call is plugins.Instance.
func (i *instance) Call(h abi.Hook, n uint32, image []byte, parts []plugins.Part, fuel *int64) (int64, error) {
	wire.PutLe64(i.frame[abi.FrameFuel:], uint64(*fuel))
	wire.PutLe32(i.frame[abi.FrameArg:], n)
	if !i.putParts(image, parts) {
		return abi.Trapped, plugins.ErrRoom
	}
	result, err := i.call(h)
	runtime.KeepAlive(image)
	*fuel = max(int64(wire.Le64(i.frame[abi.FrameFuel:])), 0)
	if err != nil {
		return abi.Trapped, err
	}
	return result, nil
}

// Fetch is plugins.Instance.
func (i *instance) Fetch(image []byte, p plugins.Part) error {
	parts := [...]plugins.Part{p}
	if !i.putParts(image, parts[:]) {
		return plugins.ErrRoom
	}
	_, err := i.call(abi.HookFetch)
	runtime.KeepAlive(image)
	return err
}

// Close is plugins.Instance.
func (i *instance) Close() error {
	if instances[i.id] != i {
		return nil
	}
	_, err := i.call(abi.HookClose)
	instances[i.id] = nil
	return err
}

// putParts reports whether the parts lie in the buffer and in the image.
func (i *instance) putParts(image []byte, parts []plugins.Part) bool {
	if len(parts) > (abi.FrameEnd-abi.FramePart)/8 {
		return false
	}
	size := uint64(min(len(image), int(i.size)))
	for k, p := range parts {
		if uint64(p.At)+uint64(p.Size) > size {
			return false
		}
		wire.PutLe32(i.frame[abi.FramePart+8*k:], p.At)
		wire.PutLe32(i.frame[abi.FramePart+8*k+4:], p.Size)
	}
	wire.PutLe32(i.frame[abi.FrameParts:], uint32(len(parts)))
	i.point(abi.FrameImage, abi.FrameSize, image)
	return true
}

// point writes where octets stand. Go's collector does not move what is on its
// heap.
func (i *instance) point(at, size int, b []byte) {
	wire.PutLe32(i.frame[at:], uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))))
	wire.PutLe32(i.frame[size:], uint32(len(b)))
}

// noAnswer stands in a frame until the embedder has answered.
const noAnswer = 1<<32 - 1

// errNoPlugins is how an embedder without plugins looks.
const errNoPlugins plugins.Error = "the page that embeds tcpkit runs no plugins; give it an embedder of plugins, as plugins.mjs is one"

// call has the embedder do what a hook says with the frame.
func (i *instance) call(h abi.Hook) (int64, error) {
	if instances[i.id] != i {
		return 0, plugins.ErrClosed
	}
	wire.PutLe32(i.frame[abi.FrameTrap:], noAnswer)
	result := callPlugin(i.id, uint32(h), unsafe.Pointer(&i.frame))
	if i.host != nil {
		i.wasi.Done(i.host)
	}
	switch trap := wire.Le32(i.frame[abi.FrameTrap:]); {
	case trap == noAnswer:
		return 0, errNoPlugins
	case trap == abi.TrapRefused:
		return 0, plugins.Error("compile: " + i.refused)
	case trap != 0:
		return 0, plugins.Trap(trap)
	}
	return result, nil
}

// roomMost is how much of a plugin's the embedder may leave at once.
const roomMost = 64 << 20

//go:wasmexport tcpkit_plugin_room
func exportRoom(id, size uint32) uint32 {
	i := find(id)
	if i == nil || size > roomMost {
		return 0
	}
	if uint32(len(i.room)) < size {
		i.room = make([]byte, size)
	}
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(i.room))))
}

//go:wasmexport tcpkit_plugin_import
func exportImport(id, what uint32, a, b int64) int64 {
	i := find(id)
	if i == nil || i.host == nil {
		return 0
	}
	switch what {
	case abi.AskLog:
		i.host.Log(uint32(a), i.left(b))
	case abi.AskMetric:
		i.host.Metric(uint32(a), b)
	case abi.AskNow:
		return i.host.Now()
	case abi.AskRandom:
		return int64(i.host.Random())
	case abi.AskGet:
		return i.host.Get(a)
	case abi.AskSet:
		return boolean(i.host.Set(a, b))
	case abi.AskArm:
		i.host.Arm(uint32(a), b)
	case abi.AskInject:
		return boolean(i.host.Inject(i.left(a)))
	case abi.AskClock:
		return i.wasi.Clock(i.host)
	case abi.AskSleep:
		i.wasi.Sleep(i.host, uint64(b), a != 0)
	case abi.AskWrite:
		if a == 1 || a == 2 {
			i.wasi.Write(i.host, uint32(a), i.left(b))
		}
	case abi.AskRefused:
		i.refused = string(i.left(b))
	}
	return 0
}

func find(id uint32) *instance {
	if uint64(id) >= uint64(len(instances)) {
		return nil
	}
	return instances[id]
}

// left is what the embedder has left in the room.
func (i *instance) left(size int64) []byte {
	return i.room[:min(uint64(size), uint64(len(i.room)))]
}

func boolean(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
