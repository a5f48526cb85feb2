package plugins

import "github.com/tcpkit/tcpkit/plugins/abi"

// An Engine makes modules run.
type Engine interface {
	// Start makes an instance of a module and runs what it does at its start. A
	// module comes here only after its names and types have been checked.
	Start(wasm []byte) (Instance, error)
}

// An Instance is a plugin that runs. It is used by one goroutine at a time.
type Instance interface {
	// ABI calls abi.ExportABI.
	ABI() (uint32, error)
	// Init calls abi.ExportInit and keeps the address that it returns, which must
	// have size octets of the plugin's memory behind it.
	Init(size uint32) error
	// Call puts record, which begins with its size, into the buffer, calls the
	// export for hook, and takes the record back from the buffer. It must not
	// allocate. With an error the plugin has failed.
	Call(hook abi.Hook, record []byte) (int64, error)
	// Close gives back what the instance holds.
	Close() error
}

// Error is why a plugin was refused or called no more, and what mends that.
type Error string

func (e Error) Error() string { return string(e) }
