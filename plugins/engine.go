package plugins

import (
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/fuel"
)

// An Engine makes modules run.
type Engine interface {
	// Start makes an instance of a module and runs what it does at its start. fuel is
	// for that, ABI and Init together. A module comes here only after fuel.Rewrite has
	// checked it. host answers its imports for as long as the instance lives.
	Start(module []byte, host Imports, fuel int64) (Instance, error)
}

// A Rewriter is an Engine that keeps what fuel.Rewrite has made of a module, so
// that the next time it need not be made.
type Rewriter interface {
	Rewrite(module []byte, l fuel.Limits) ([]byte, error)
}

// An Instance is a plugin that runs. It is used by one goroutine at a time. With
// an error of any call but Close it has failed, and is only good for Close.
type Instance interface {
	// ABI calls abi.ExportABI.
	ABI() (uint32, error)
	// Init calls abi.ExportInit and keeps the address that it returns, which must
	// have size octets of the plugin's memory behind it.
	Init(size uint32) error
	// Call puts the parts of image into the buffer and calls the export for hook with
	// the argument n, if it takes one. fuel is what it may use, and then what is left.
	// It allocates nothing.
	Call(hook abi.Hook, n uint32, image []byte, parts []Part, fuel *int64) (int64, error)
	// Fetch takes a part of the buffer back into image, after Call.
	Fetch(image []byte, p Part) error
	// Close gives back what the instance holds.
	Close() error
}

// A Part is a stretch of the buffer that plugin and host share, and of the host's
// image of it.
type Part struct{ At, Size uint32 }

// Imports are the functions that a plugin may call while a hook runs; see package
// abi. None calls back, and none does anything at once: what they ask for is done
// when the hook is over (THREATS P11).
type Imports interface {
	Log(level uint32, text []byte)
	Metric(id uint32, value int64)
	Now() int64
	Random() uint64
	Get(key int64) int64
	Set(key, value int64) bool
	Arm(id uint32, after int64)
	// Inject keeps what it needs of record.
	Inject(record []byte) bool
}

// ErrFuel is why a call ended that used up what it may.
const ErrFuel Error = "it used up its fuel"

// Error is why a plugin was refused or called no more, and what mends that.
type Error string

func (e Error) Error() string { return string(e) }
