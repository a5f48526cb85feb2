package wazero

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/fuel"
)

// An Instance is a plugin that runs.
type Instance struct {
	calling
	engine  *Engine
	module  *module // nil once closed
	running api.Module
	exports [places]api.Function
	buffer  uint32
	size    uint32
	stack   [1]uint64 // argument and result of a call
}

// The place of a hook among the exports is its group and its number there.
const (
	numbers = 16
	places  = 16 * numbers
)

func place(h abi.Hook) int { return int(h>>8%16*numbers + h%numbers) }

// start makes the instance run.
func (i *Instance) start(most int64) error {
	// Without a name a module may be there more than once.
	mc := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	running, err := i.module.runtime.InstantiateModule(&i.calling, i.module.compiled, mc)
	if err != nil {
		var trap plugins.Trap
		if err = cause(err); !errors.As(err, &trap) {
			return fmt.Errorf("compile: %w", err)
		}
		// Of an instance that did not come to be nobody can tell whether it had fuel.
		return fmt.Errorf("its start function, which has to do with the fuel for it: %w", err)
	}
	i.running = running
	i.memory = running.Memory()
	left, ok := running.ExportedGlobal(fuel.Global).(api.MutableGlobal)
	if !ok {
		return errors.New("compile: the module pays no fuel; package fuel must rewrite it first")
	}
	i.fuel = left
	for _, h := range plugins.Hooks() {
		i.exports[place(h)] = running.ExportedFunction(plugins.Export(h))
	}
	i.exports[place(abi.HookBatch)] = running.ExportedFunction(abi.ExportBatch)
	i.fuel.Set(uint64(most))
	// A reactor has _initialize; a command's _start is not for plugins.
	if f := running.ExportedFunction(abi.ExportInitialize); f != nil {
		if err := i.call(f); err != nil {
			return fmt.Errorf("%s: %w", abi.ExportInitialize, err)
		}
	}
	return nil
}

// ABI is plugins.Instance.
func (i *Instance) ABI() (uint32, error) {
	if err := i.call(i.running.ExportedFunction(abi.ExportABI)); err != nil {
		return 0, fmt.Errorf("%s: %w", abi.ExportABI, err)
	}
	return uint32(i.stack[0]), nil
}

// Init is plugins.Instance.
func (i *Instance) Init(size uint32) error {
	i.stack[0] = uint64(size)
	if err := i.call(i.running.ExportedFunction(abi.ExportInit)); err != nil {
		return fmt.Errorf("%s: %w", abi.ExportInit, err)
	}
	at := uint32(i.stack[0])
	if err := plugins.CheckBuffer(at, size, i.memory.Size()); err != nil {
		return err
	}
	i.buffer, i.size = at, size
	return nil
}

// Call is plugins.Instance.
func (i *Instance) Call(h abi.Hook, n uint32, image []byte, parts []plugins.Part, left *int64) (int64, error) {
	export := i.exports[place(h)]
	if export == nil {
		return abi.Trapped, fmt.Errorf("the plugin does not export %s", plugins.Export(h))
	}
	for _, p := range parts {
		if uint64(p.At)+uint64(p.Size) > uint64(i.size) || !i.memory.Write(i.buffer+p.At, image[p.At:p.At+p.Size]) {
			return abi.Trapped, plugins.ErrRoom
		}
	}
	i.stack[0] = uint64(n)
	i.fuel.Set(uint64(*left))
	err := i.call(export)
	*left = max(int64(i.fuel.Get()), 0)
	if err != nil {
		return abi.Trapped, err
	}
	return int64(i.stack[0]), nil
}

// Fetch is plugins.Instance.
func (i *Instance) Fetch(image []byte, p plugins.Part) error {
	if uint64(p.At)+uint64(p.Size) > uint64(i.size) {
		return plugins.ErrRoom
	}
	// Memory may have grown and moved in the call: it is looked up again (THREATS P08).
	back, ok := i.memory.Read(i.buffer+p.At, p.Size)
	if !ok {
		return plugins.ErrRoom
	}
	copy(image[p.At:], back)
	return nil
}

// call calls f with what stands in stack.
func (i *Instance) call(f api.Function) error {
	err := f.CallWithStack(&i.calling, i.stack[:])
	i.wasi.Done(i.host)
	if err == nil {
		return nil
	}
	if int64(i.fuel.Get()) < 0 {
		return plugins.Trap(abi.TrapFuel)
	}
	return cause(err)
}

// traps are wazero's words for them.
var traps = map[string]plugins.Trap{
	"unreachable":                   abi.TrapUnreachable,
	"out of bounds memory access":   abi.TrapMemory,
	"invalid table access":          abi.TrapTable,
	"indirect call type mismatch":   abi.TrapTable,
	"integer divide by zero":        abi.TrapDivide,
	"integer overflow":              abi.TrapRange,
	"invalid conversion to integer": abi.TrapRange,
	"stack overflow":                abi.TrapStack,
}

// cause is why wazero ended a call, without its trace.
func cause(err error) error {
	var trap plugins.Trap
	if errors.As(err, &trap) {
		return trap
	}
	var exit *sys.ExitError
	if errors.As(err, &exit) {
		return plugins.ErrClosed
	}
	last := err
	for next := last; next != nil; next = errors.Unwrap(next) {
		last = next
	}
	if trap, ok := traps[last.Error()]; ok {
		return trap
	}
	return err
}

// ReadMemory copies from the plugin's memory, for tools and tests; the engine
// itself reads nothing but the buffer.
func (i *Instance) ReadMemory(at uint32, b []byte) bool {
	part, ok := i.memory.Read(at, uint32(len(b)))
	copy(b, part)
	return ok
}

// Close is plugins.Instance.
func (i *Instance) Close() error {
	if i.module == nil {
		return nil
	}
	var err error
	if i.running != nil {
		err = i.running.Close(context.Background())
	}
	m := i.module
	i.module = nil
	return errors.Join(err, i.engine.give(m))
}
