package wazero

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// A Config says how plugins run. The zero value is good.
type Config struct {
	// Cache is a directory that keeps compiled modules for the next time; "" keeps
	// them in memory, for this engine.
	Cache string
	// Pages is how many pages of 64 KiB a plugin's memory may have; 0 stands for 16.
	// THREATS P03.
	Pages uint32
}

// An Engine runs plugins. Its instances stand beside each other and share
// nothing but compiled code.
type Engine struct {
	runtime wazero.Runtime
	cache   wazero.CompilationCache
}

// New returns an engine without plugins.
func New(cfg Config) (*Engine, error) {
	if cfg.Pages == 0 {
		cfg.Pages = 16
	}
	cache := wazero.NewCompilationCache()
	if cfg.Cache != "" {
		var err error
		if cache, err = wazero.NewCompilationCacheWithDir(cfg.Cache); err != nil {
			return nil, fmt.Errorf("open the cache of compiled plugins: %w", err)
		}
	}
	// THREATS P02: wazero's V2 has neither tail calls nor threads.
	rc := wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2).
		WithMemoryLimitPages(cfg.Pages).
		WithCompilationCache(cache)
	return &Engine{wazero.NewRuntimeWithConfig(context.Background(), rc), cache}, nil
}

// Close ends all instances.
func (e *Engine) Close() error {
	return errors.Join(e.runtime.Close(context.Background()), e.cache.Close(context.Background()))
}

// Start is plugins.Engine.
func (e *Engine) Start(wasm []byte, _ plugins.Imports, _ int64) (plugins.Instance, error) {
	ctx := context.Background()
	compiled, err := e.runtime.CompileModule(ctx, wasm)
	if err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}
	// Without a name a module may be there more than once. A reactor has
	// _initialize, a command's _start is not for plugins.
	mc := wazero.NewModuleConfig().WithName("").WithStartFunctions(abi.ExportInitialize)
	module, err := e.runtime.InstantiateModule(ctx, compiled, mc)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start: %w", err), compiled.Close(ctx))
	}
	i := &Instance{module: module, compiled: compiled, memory: module.Memory()}
	for h := range i.exports {
		i.exports[h] = module.ExportedFunction(plugins.Export(hooks[h]))
	}
	return i, nil
}

// hooks gives the exports of an Instance their places.
var hooks = [...]abi.Hook{abi.HookTransition, abi.HookArriving, abi.HookLeaving, abi.HookRejected}

// An Instance is a plugin that runs.
type Instance struct {
	module   api.Module
	compiled wazero.CompiledModule
	memory   api.Memory
	exports  [len(hooks)]api.Function
	buffer   uint32
	size     uint32
	stack    [1]uint64 // arguments and results of a call
}

// ABI is plugins.Instance.
func (i *Instance) ABI() (uint32, error) {
	err := i.call(i.module.ExportedFunction(abi.ExportABI))
	return uint32(i.stack[0]), err
}

// Init is plugins.Instance.
func (i *Instance) Init(size uint32) error {
	i.stack[0] = uint64(size)
	if err := i.call(i.module.ExportedFunction(abi.ExportInit)); err != nil {
		return err
	}
	at := uint32(i.stack[0])
	if at == 0 {
		return fmt.Errorf("%s returned 0, which says that the plugin cannot run", abi.ExportInit)
	}
	if end := uint64(at) + uint64(size); end > uint64(i.memory.Size()) {
		return fmt.Errorf("%s offers the buffer %d to %d, but the plugin's memory ends at %d; offer one within it, or make the memory larger",
			abi.ExportInit, at, end, i.memory.Size())
	}
	i.buffer, i.size = at, size
	return nil
}

// errRoom is a slip of the host: Init asks for what Call needs.
var errRoom = errors.New("the record is larger than the buffer that was asked for")

// Call is plugins.Instance.
func (i *Instance) Call(h abi.Hook, _ uint32, image []byte, parts []plugins.Part, _ *int64) (int64, error) {
	var export api.Function
	for k := range hooks {
		if hooks[k] == h {
			export = i.exports[k]
		}
	}
	if export == nil {
		return abi.Trapped, fmt.Errorf("the plugin does not export %s", plugins.Export(h))
	}
	for _, p := range parts {
		if uint64(p.At)+uint64(p.Size) > uint64(i.size) || !i.memory.Write(i.buffer+p.At, image[p.At:p.At+p.Size]) {
			return abi.Trapped, errRoom
		}
	}
	if err := i.call(export); err != nil {
		return abi.Trapped, err
	}
	return int64(i.stack[0]), nil
}

// Fetch is plugins.Instance.
func (i *Instance) Fetch(image []byte, p plugins.Part) error {
	// Memory may have grown and moved in the call: it is looked up again (THREATS P08).
	back, ok := i.memory.Read(i.buffer+p.At, p.Size)
	if !ok || p.At+p.Size > i.size {
		return errRoom
	}
	copy(image[p.At:], back)
	return nil
}

// call calls f with what stands in stack.
func (i *Instance) call(f api.Function) error {
	if err := f.CallWithStack(context.Background(), i.stack[:]); err != nil {
		return fmt.Errorf("trapped: %w", err)
	}
	return nil
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
	ctx := context.Background()
	return errors.Join(i.module.Close(ctx), i.compiled.Close(ctx))
}
