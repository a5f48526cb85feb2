package wazero

import (
	"context"
	"math"

	"github.com/tetratelabs/wazero/api"

	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// calling is what imports find of the instance that calls them: it is the
// context of all its calls, so that looking for it costs nothing.
type calling struct {
	context.Context
	host   plugins.Imports
	wasi   plugins.WASI
	memory api.Memory
	fuel   api.MutableGlobal // nil while the start function runs
}

type callingKey struct{}

// Value is context.Context.
func (c *calling) Value(key any) any {
	if key == (callingKey{}) {
		return c
	}
	return nil
}

// pay takes from the fuel.
func (c *calling) pay(cost int) {
	left := int64(c.fuel.Get()) - int64(cost)
	c.fuel.Set(uint64(left))
	if left < 0 {
		panic(plugins.Trap(abi.TrapFuel))
	}
}

// octets is a part of the plugin's memory, good until it runs again.
func (c *calling) octets(at, size uint64) []byte {
	b, ok := c.memory.Read(uint32(at), uint32(size))
	if !ok || at > math.MaxUint32 {
		panic(plugins.Trap(abi.TrapMemory))
	}
	return b
}

// An imported is a function that plugins may import. It is called with its
// arguments, and leaves its result in place of the first.
type imported struct {
	module, name    string
	params, results []api.ValueType
	call            func(c *calling, v []uint64)
}

var (
	i32 = api.ValueTypeI32
	i64 = api.ValueTypeI64
)

func types(t ...api.ValueType) []api.ValueType { return t }

// Call is api.GoFunction.
func (f *imported) Call(ctx context.Context, stack []uint64) {
	c := ctx.Value(callingKey{}).(*calling)
	if c.fuel == nil {
		panic(plugins.Trap(abi.TrapEarly))
	}
	for k, t := range f.params {
		if t == i32 {
			stack[k] = uint64(uint32(stack[k])) // the compiler leaves the upper half as it was
		}
	}
	c.pay(abi.ImportCost)
	f.call(c, stack)
}

// imports are all functions that plugins may import, those of package abi and
// those of WASI.
var imports = [...]imported{
	{abi.ImportModule, abi.ImportLog, types(i32, i32, i32), nil, (*calling).log},
	{abi.ImportModule, abi.ImportMetric, types(i32, i64), nil, (*calling).metric},
	{abi.ImportModule, abi.ImportNow, nil, types(i64), (*calling).now},
	{abi.ImportModule, abi.ImportRandom, nil, types(i64), (*calling).random},
	{abi.ImportModule, abi.ImportGet, types(i64), types(i64), (*calling).get},
	{abi.ImportModule, abi.ImportSet, types(i64, i64), types(i32), (*calling).set},
	{abi.ImportModule, abi.ImportArm, types(i32, i64), nil, (*calling).arm},
	{abi.ImportModule, abi.ImportInject, types(i32, i32), types(i32), (*calling).inject},
	{moduleWASI, "sched_yield", nil, types(i32), (*calling).schedYield},
	{moduleWASI, "proc_exit", types(i32), nil, (*calling).procExit},
	{moduleWASI, "args_get", types(i32, i32), types(i32), (*calling).none},
	{moduleWASI, "args_sizes_get", types(i32, i32), types(i32), (*calling).noneSizes},
	{moduleWASI, "environ_get", types(i32, i32), types(i32), (*calling).none},
	{moduleWASI, "environ_sizes_get", types(i32, i32), types(i32), (*calling).noneSizes},
	{moduleWASI, "clock_time_get", types(i32, i64, i32), types(i32), (*calling).clockTimeGet},
	{moduleWASI, "fd_write", types(i32, i32, i32, i32), types(i32), (*calling).fdWrite},
	{moduleWASI, "random_get", types(i32, i32), types(i32), (*calling).randomGet},
	{moduleWASI, "poll_oneoff", types(i32, i32, i32, i32), types(i32), (*calling).pollOneoff},
}

// provide gives the module's runtime the host modules that it imports from.
func (m *module) provide() error {
	wanted := map[string]bool{}
	for _, f := range m.compiled.ImportedFunctions() {
		module, _, _ := f.Import()
		wanted[module] = true
	}
	for _, name := range [...]string{abi.ImportModule, moduleWASI} {
		if !wanted[name] {
			continue
		}
		b := m.runtime.NewHostModuleBuilder(name)
		for k := range imports {
			if f := &imports[k]; f.module == name {
				b.NewFunctionBuilder().WithGoFunction(f, f.params, f.results).Export(f.name)
			}
		}
		if _, err := b.Instantiate(context.Background()); err != nil {
			return err
		}
	}
	return nil
}

func (c *calling) log(v []uint64) {
	text := c.octets(v[1], v[2])
	text = text[:min(len(text), abi.LogSize)]
	c.pay(len(text))
	c.host.Log(uint32(v[0]), text)
}

func (c *calling) metric(v []uint64) {
	c.host.Metric(uint32(v[0]), int64(v[1]))
}

func (c *calling) now(v []uint64) {
	v[0] = uint64(c.host.Now())
}

func (c *calling) random(v []uint64) {
	v[0] = c.host.Random()
}

func (c *calling) get(v []uint64) {
	v[0] = uint64(c.host.Get(int64(v[0])))
}

func (c *calling) set(v []uint64) {
	v[0] = boolean(c.host.Set(int64(v[0]), int64(v[1])))
}

func (c *calling) arm(v []uint64) {
	c.host.Arm(uint32(v[0]), int64(v[1]))
}

func (c *calling) inject(v []uint64) {
	record := c.octets(v[0], v[1])
	c.pay(len(record))
	v[0] = boolean(c.host.Inject(record))
}

func boolean(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
