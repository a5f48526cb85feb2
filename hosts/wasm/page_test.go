//go:build !wasip1

package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero/api"

	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

// A page is the embedder of plugins for a module that runs in wazero: it speaks
// the protocol of package abi, and has plugins/wazero run them.
type page struct {
	engine  *wazero.Engine
	running map[uint32]*wazero.Instance
}

func newPage(t *testing.T) *page {
	t.Helper()
	engine, err := wazero.New(wazero.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	return &page{engine, map[uint32]*wazero.Instance{}}
}

// plugin is the import tcpkit.plugin.
func (p *page) plugin(ctx context.Context, tab api.Module, id uint32, hook abi.Hook, at uint32) int64 {
	if p == nil {
		return abi.NoPlugin
	}
	f := frame{tab.Memory(), at}
	fuel := int64(f.u64(abi.FrameFuel))
	result, err := p.call(ctx, tab, f, id, hook, &fuel)
	f.put64(abi.FrameFuel, uint64(fuel))
	var trap plugins.Trap
	if err != nil && !errors.As(err, &trap) {
		trap = abi.TrapOther
	}
	f.put32(abi.FrameTrap, uint32(trap))
	return result
}

func (p *page) call(ctx context.Context, tab api.Module, f frame, id uint32, hook abi.Hook, fuel *int64) (int64, error) {
	asker := &asker{ctx, tab, uint64(id)}
	instance := p.running[id]
	switch hook {
	case abi.HookStart:
		started, err := p.engine.Start(f.octets(abi.FrameImage, f.u32(abi.FrameSize)), asker, *fuel)
		if err != nil && strings.HasPrefix(err.Error(), "compile: ") {
			asker.tell(abi.AskRefused, 0, []byte(err.Error()))
			return 0, plugins.Trap(abi.TrapRefused)
		}
		if err == nil {
			p.running[id] = started.(*wazero.Instance)
		}
		return 0, err
	case abi.HookABI:
		version, err := instance.ABI()
		return int64(version), err
	case abi.HookInit:
		err := instance.Init(f.u32(abi.FrameArg))
		f.put32(abi.FrameSize, 1<<32-1)
		return 1, err
	case abi.HookClose:
		delete(p.running, id)
		return 0, instance.Close()
	}
	var parts []plugins.Part
	size := uint32(0)
	for k := range f.u32(abi.FrameParts) {
		part := plugins.Part{At: f.u32(abi.FramePart + 8*k), Size: f.u32(abi.FramePart + 8*k + 4)}
		parts = append(parts, part)
		size = max(size, part.At+part.Size)
	}
	image := f.octets(abi.FrameImage, size)
	if hook != abi.HookFetch {
		return instance.Call(hook, f.u32(abi.FrameArg), image, parts, fuel)
	}
	for _, part := range parts {
		if err := instance.Fetch(image, part); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// A frame is in the memory of the module.
type frame struct {
	memory api.Memory
	at     uint32
}

func (f frame) u32(field uint32) uint32 {
	v, _ := f.memory.ReadUint32Le(f.at + field)
	return v
}

func (f frame) u64(field uint32) uint64 {
	v, _ := f.memory.ReadUint64Le(f.at + field)
	return v
}

func (f frame) put32(field, v uint32)        { f.memory.WriteUint32Le(f.at+field, v) }
func (f frame) put64(field uint32, v uint64) { f.memory.WriteUint64Le(f.at+field, v) }

// octets are those of the module's memory to which a field points.
func (f frame) octets(field, size uint32) []byte {
	b, _ := f.memory.Read(f.u32(field), size)
	return b
}

// An asker asks the module for what a plugin has imported.
type asker struct {
	ctx context.Context
	tab api.Module
	id  uint64
}

func (a *asker) ask(what, x, y uint64) uint64 {
	results, err := a.tab.ExportedFunction(abi.ExportImport).Call(a.ctx, a.id, what, x, y)
	if err != nil {
		panic(err)
	}
	return results[0]
}

func (a *asker) tell(what, x uint64, b []byte) uint64 {
	results, err := a.tab.ExportedFunction(abi.ExportRoom).Call(a.ctx, a.id, uint64(len(b)))
	if err != nil || !a.tab.Memory().Write(uint32(results[0]), b) {
		panic(err)
	}
	if what == abi.AskInject {
		return a.ask(what, uint64(len(b)), 0)
	}
	return a.ask(what, x, uint64(len(b)))
}

func (a *asker) Log(level uint32, text []byte) { a.tell(abi.AskLog, uint64(level), text) }
func (a *asker) Metric(id uint32, value int64) { a.ask(abi.AskMetric, uint64(id), uint64(value)) }
func (a *asker) Now() int64                    { return int64(a.ask(abi.AskNow, 0, 0)) }
func (a *asker) Random() uint64                { return a.ask(abi.AskRandom, 0, 0) }
func (a *asker) Get(key int64) int64           { return int64(a.ask(abi.AskGet, uint64(key), 0)) }
func (a *asker) Set(key, value int64) bool     { return a.ask(abi.AskSet, uint64(key), uint64(value)) == 1 }
func (a *asker) Arm(id uint32, after int64)    { a.ask(abi.AskArm, uint64(id), uint64(after)) }
func (a *asker) Inject(record []byte) bool     { return a.tell(abi.AskInject, 0, record) == 1 }
