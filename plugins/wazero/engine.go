package wazero

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/fuel"
)

// A Config says how plugins run. The zero value is good.
type Config struct {
	// Cache is a directory that keeps what was made of modules for the next time, such
	// as DefaultCache; "" keeps it for this engine only. One that cannot be used is
	// done without: Engine.CacheError says why.
	Cache string
	// Interpreter runs plugins without compiling them, about fifty times slower. It is
	// what happens anyway on platforms that wazero has no compiler for.
	Interpreter bool
	// Pages is how many pages of 64 KiB a plugin's memory may have, whatever its
	// manifest asks for; 0 stands for 256. THREATS P03.
	Pages uint32
	// Instances is how many plugins may run at once; 0 stands for 256. THREATS P03.
	Instances int
	// CompileTime bounds the compilation of one module; 0 stands for 30 seconds. What
	// the limits of package fuel let through takes far less: it is for machines on which
	// much else runs. THREATS P04.
	CompileTime time.Duration
}

// An Engine runs plugins. Its instances stand beside each other and share
// nothing but compiled code. It can be used by several goroutines.
type Engine struct {
	config   wazero.RuntimeConfig
	most     int
	time     time.Duration
	cache    cache
	cacheErr error

	compiling sync.Mutex // one module at a time; taken before mu
	mu        sync.Mutex
	modules   map[[sha256.Size]byte]*module
	uses      uint64 // of modules, counted
	instances int
	closed    bool
}

// New returns an engine without plugins.
func New(cfg Config) (*Engine, error) {
	if cfg.Pages == 0 {
		cfg.Pages = 256
	}
	if cfg.Instances == 0 {
		cfg.Instances = 256
	}
	if cfg.CompileTime == 0 {
		cfg.CompileTime = 30 * time.Second
	}
	config := wazero.NewRuntimeConfig()
	if cfg.Interpreter {
		config = wazero.NewRuntimeConfigInterpreter()
	}
	// THREATS P02: wazero's V2 has neither tail calls nor threads.
	config = config.WithCoreFeatures(api.CoreFeaturesV2).WithMemoryLimitPages(cfg.Pages).WithDebugInfoEnabled(false)
	e := &Engine{config: config, most: cfg.Instances, time: cfg.CompileTime, modules: map[[sha256.Size]byte]*module{}}
	e.cache, e.cacheErr = openCache(cfg.Cache)
	return e, nil
}

// CacheError is why there is no cache though one is configured, nil otherwise.
func (e *Engine) CacheError() error { return e.cacheErr }

// Rewrite is plugins.Rewriter.
func (e *Engine) Rewrite(wasm []byte, l fuel.Limits) ([]byte, error) { return e.cache.rewrite(wasm, l) }

// Close ends all instances.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var err error
	for key, m := range e.modules {
		err = errors.Join(err, m.close())
		delete(e.modules, key)
	}
	e.closed = true
	return err
}

// Start is plugins.Engine.
func (e *Engine) Start(wasm []byte, host plugins.Imports, fuel int64) (plugins.Instance, error) {
	m, err := e.take(wasm)
	if err != nil {
		return nil, err
	}
	i := &Instance{engine: e, module: m, calling: calling{Context: context.Background(), host: host}}
	if err := i.start(fuel); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	return i, nil
}

// A module is compiled, in a runtime of its own.
type module struct {
	runtime   wazero.Runtime
	cache     wazero.CompilationCache
	compiled  wazero.CompiledModule
	instances int
	usedAt    uint64 // Engine.uses when it was last taken
}

func (m *module) close() error {
	ctx := context.Background()
	return errors.Join(m.runtime.Close(ctx), m.cache.Close(ctx))
}

// idleMost is how many modules stay compiled of which nothing runs, for when one
// is started again.
const idleMost = 16

// take finds or makes the module of a new instance, and counts it. Who wants one that
// is compiled already does not wait for who has another compiled: a plugin that is
// started again, or ends, keeps no connection waiting.
func (e *Engine) take(wasm []byte) (*module, error) {
	key := sha256.Sum256(wasm)
	if m, err := e.find(key, nil); m != nil || err != nil {
		return m, err
	}
	e.compiling.Lock()
	defer e.compiling.Unlock()
	if m, err := e.find(key, nil); m != nil || err != nil {
		return m, err // somebody else has had it compiled
	}
	made, err := e.compile(key, wasm)
	if err != nil {
		return nil, err
	}
	m, err := e.find(key, made)
	if err != nil {
		return nil, errors.Join(err, made.close())
	}
	return m, nil
}

// find counts an instance of the module that there is, or else of made, which is then
// the one; nil if there is neither.
func (e *Engine) find(key [sha256.Size]byte, made *module) (*module, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errors.New("the engine of plugins is closed")
	}
	if e.instances >= e.most {
		return nil, fmt.Errorf("%d plugins are running, which is all that may at once", e.instances)
	}
	m := e.modules[key]
	if m == nil && made != nil {
		m, e.modules[key] = made, made
	}
	if m == nil {
		return nil, nil
	}
	e.uses++
	m.usedAt = e.uses
	m.instances++
	e.instances++
	return m, nil
}

// give takes the instance off the count.
func (e *Engine) give(m *module) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	m.instances--
	e.instances--
	idle := 0
	var oldest [sha256.Size]byte
	at := e.uses + 1
	for key, m := range e.modules {
		if m.instances == 0 {
			if idle++; m.usedAt < at {
				oldest, at = key, m.usedAt
			}
		}
	}
	if idle <= idleMost {
		return nil
	}
	m = e.modules[oldest]
	delete(e.modules, oldest)
	return m.close()
}

// compile compiles a module in a new runtime, from the cache if that keeps it.
func (e *Engine) compile(key [sha256.Size]byte, wasm []byte) (*module, error) {
	if dir, files := e.cache.compiled(key); dir != "" {
		if kept, err := wazero.NewCompilationCacheWithDir(dir); err == nil {
			m, err := e.compileWith(kept, wasm)
			if err == nil {
				e.cache.seal(dir, files)
				return m, nil
			}
			// The fault may be the module's own, or the cache's.
			_ = os.RemoveAll(dir)
		}
	}
	return e.compileWith(wazero.NewCompilationCache(), wasm)
}

func (e *Engine) compileWith(cache wazero.CompilationCache, wasm []byte) (*module, error) {
	m := &module{cache: cache, runtime: wazero.NewRuntimeWithConfig(context.Background(), e.config.WithCompilationCache(cache))}
	// With workers the compiler looks at the time between functions.
	ctx, cancel := context.WithTimeout(experimental.WithCompilationWorkers(context.Background(), 2), e.time)
	defer cancel()
	var err error
	if m.compiled, err = m.runtime.CompileModule(ctx, wasm); err != nil {
		return nil, errors.Join(fmt.Errorf("compile: %w", err), m.close())
	}
	if err = m.provide(); err != nil {
		return nil, errors.Join(fmt.Errorf("provide imports: %w", err), m.close())
	}
	return m, nil
}
