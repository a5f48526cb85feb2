package plugins_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/internal/assemble"
)

// fake is an engine whose one instance does as it is told.
type fake struct {
	version           uint32
	abiErr, initErr   error
	startErr, callErr error
	result            int64
	size              uint32
	calls             []abi.Hook
	record            []byte
	started, closed   int
}

func (f *fake) Start([]byte) (plugins.Instance, error) { f.started++; return f, f.startErr }
func (f *fake) ABI() (uint32, error)                   { return f.version, f.abiErr }
func (f *fake) Init(size uint32) error                 { f.size = size; return f.initErr }
func (f *fake) Close() error                           { f.closed++; return nil }

func (f *fake) Call(h abi.Hook, record []byte) (int64, error) {
	f.calls = append(f.calls, h)
	f.record = append(f.record[:0], record...)
	return f.result, f.callErr
}

var (
	onTransition = assemble.Hook(abi.ExportTransition, assemble.Pass)
	onArriving   = assemble.Hook(abi.ExportArriving, assemble.Pass)
	onLeaving    = assemble.Hook(abi.ExportLeaving, assemble.Pass)
	onRejected   = assemble.Hook(abi.ExportRejected, assemble.Pass)
)

func load(t *testing.T, f *fake, hooks ...assemble.Func) *plugins.Plugin {
	t.Helper()
	f.version = abi.Version
	p, err := plugins.Load(f, "test", assemble.Plugin(hooks...))
	require.NoError(t, err)
	require.Equal(t, uint32(abi.BufferSize), f.size)
	return p
}

func arriving() *tcp.SegmentRecord { r := segment; return &r }
func leaving() *tcp.SegmentRecord  { r := segment; r.Leaving = true; return &r }
func rejected() *tcp.SegmentRecord { r := segment; r.Drop = rule.DropSequence; return &r }

func TestMaskIsWhatIsExported(t *testing.T) {
	for mask, hook := range map[tcp.HookMask]assemble.Func{
		tcp.HookTransition: onTransition, tcp.HookArriving: onArriving, tcp.HookLeaving: onLeaving, tcp.HookRejected: onRejected,
	} {
		var f fake
		p := load(t, &f, hook)
		require.Equal(t, mask, p.Mask())
		p.Transition(&transition)
		for _, r := range []*tcp.SegmentRecord{arriving(), leaving(), rejected()} {
			require.Equal(t, tcp.Pass, p.Segment(r))
		}
		require.Len(t, f.calls, 1, "what is not exported is not called")
		require.Equal(t, hook.Name, plugins.Export(f.calls[0]))
		require.Equal(t, uint64(1), p.Calls())
		require.Equal(t, uint16(f.calls[0]), wire.Le16(f.record[abi.OffsetHook:]))
		require.Len(t, f.record, int(wire.Le16(f.record[abi.OffsetSize:])))
	}
	require.Empty(t, plugins.Export(0x7777))
}

func TestVerdicts(t *testing.T) {
	all := []assemble.Func{onTransition, onArriving, onLeaving, onRejected}
	drop := int64(abi.Drop) | 7<<8
	for _, c := range []struct {
		result  int64
		record  *tcp.SegmentRecord
		verdict tcp.Verdict
		err     string
	}{
		{int64(abi.Pass), arriving(), tcp.Pass, ""},
		{drop, arriving(), tcp.DropIt, ""},
		{drop, leaving(), tcp.DropIt, ""},
		{drop, rejected(), tcp.Pass, "tcpkit_segment_rejected plugin test: it returned 1794, which is no verdict"},
		{int64(abi.Detach), arriving(), tcp.Pass, "detached itself"},
		{int64(abi.Mutated), leaving(), tcp.Pass, "tcpkit_segment_leaving plugin test: it returned 1, "},
		{255, arriving(), tcp.Pass, "it returned 255"},
		{-256, arriving(), tcp.Pass, "it returned -256"}, // its low octet alone would pass
	} {
		f := fake{result: c.result}
		p := load(t, &f, all...)
		require.Equal(t, c.verdict, p.Segment(c.record), "%d", c.result)
		if c.err == "" {
			require.NoError(t, p.Err())
			continue
		}
		require.ErrorContains(t, p.Err(), c.err)
		require.Zero(t, p.Mask())
		p.Transition(&transition)
		require.Equal(t, tcp.Pass, p.Segment(arriving()))
		require.Len(t, f.calls, 1, "it is called no more")
	}
	f := fake{result: drop}
	p := load(t, &f, all...)
	p.Transition(&transition)
	require.ErrorContains(t, p.Err(), "no verdict", "a state that has changed cannot be dropped")
}

func TestTrap(t *testing.T) {
	broken := errors.New("broken")
	f := fake{callErr: broken, result: int64(abi.Drop)}
	p := load(t, &f, onArriving)
	require.Equal(t, tcp.Pass, p.Segment(arriving()), "what fails, passes")
	require.ErrorIs(t, p.Err(), broken)
	require.EqualError(t, p.Err(), "tcpkit_segment_arriving plugin test: broken")
	require.Zero(t, f.closed)
	require.NoError(t, p.Close())
	require.Equal(t, 1, f.closed)
	require.ErrorIs(t, p.Err(), broken, "why it ended is not lost")
}

func TestClose(t *testing.T) {
	var f fake
	p := load(t, &f, onArriving)
	require.Equal(t, "test", p.Name())
	require.NoError(t, p.Close())
	p.Segment(arriving())
	require.Empty(t, f.calls)
	require.ErrorIs(t, p.Err(), plugins.ErrDetached)
}

func TestHookAllocatesNothing(t *testing.T) {
	var f fake
	p := load(t, &f, onTransition, onArriving)
	f.calls = make([]abi.Hook, 0, 1000)
	r := arriving()
	require.Zero(t, testing.AllocsPerRun(100, func() {
		p.Transition(&transition)
		p.Segment(r)
	}))
}

func TestRefused(t *testing.T) {
	i32, i64 := []byte{assemble.I32}, []byte{assemble.I64}
	version, initialize := assemble.ABI(abi.Version), assemble.Init(1024)
	for name, c := range map[string]struct {
		module  []byte
		started int
		err     string
	}{
		"no module": {[]byte("#!/bin/sh\n"), 0,
			"load plugin test: this is not a WASM module; build the plugin, for WAT with wat2wasm"},
		"damaged": {assemble.Plugin(onArriving)[:40], 0,
			"load plugin test: the module is damaged or cut off; build it again"},
		"import": {assemble.Plugin(onArriving, assemble.Func{Module: "wasi_snapshot_preview1", Name: "fd_write", Results: i32}), 0,
			"load plugin test: it imports wasi_snapshot_preview1.fd_write, but this version of tcpkit gives plugins no imports; build it without, as core WASM and not for WASI"},
		"no version": {assemble.Module(initialize, onArriving), 0,
			"load plugin test: it exports no tcpkit_abi, which every plugin does; add the export, of type () -> i32"},
		"misspelt": {assemble.Module(version, assemble.Func{Name: "tcpkit_int", Args: i32, Results: i32, Body: assemble.Trap}), 0,
			"load plugin test: it exports no tcpkit_init, which every plugin does; add the export, of type (i32) -> i32 (there is tcpkit_int: is that a slip?)"},
		"version of another type": {assemble.Module(assemble.Func{Name: abi.ExportABI, Results: i64, Body: assemble.Pass}), 0,
			"load plugin test: its export tcpkit_abi is () -> i64 where () -> i32 is called; change its type"},
		"no hook": {assemble.Plugin(), 1,
			"load plugin test: it exports no hook, so that it would never be called; export one, such as tcpkit_transition () -> i64"},
		"unknown hook": {assemble.Plugin(assemble.Hook("tcpkit_transitoin", assemble.Pass)), 1,
			"load plugin test: its export tcpkit_transitoin is no hook that this tcpkit knows; rename it, perhaps to tcpkit_transition"},
		"hook of another type": {assemble.Plugin(assemble.Func{Name: abi.ExportArriving, Results: i32, Body: assemble.Trap}), 1,
			"load plugin test: its export tcpkit_segment_arriving is () -> i32 where () -> i64 is called; change its type"},
	} {
		f := fake{version: abi.Version}
		p, err := plugins.Load(&f, "test", c.module)
		require.Nil(t, p, name)
		require.EqualError(t, err, c.err, name)
		require.Equal(t, c.started, f.started, "%s: before anything runs, if that can be", name)
		require.Equal(t, f.started, f.closed, "%s: what was started is ended", name)
	}
}

func TestVersions(t *testing.T) {
	module := assemble.Plugin(onArriving)
	for version, want := range map[uint32]string{
		abi.Version:             "",
		abi.Version + 1:         "it was written for version 1.1 of the plugin ABI, and this tcpkit speaks 1.0; build the plugin for it, or take a newer tcpkit",
		(abi.Major + 1) << 16:   "it was written for version 2.0 of the plugin ABI, and this tcpkit speaks 1.0; build the plugin for it, or take a newer tcpkit",
		(abi.Major-1)<<16 | 255: "it was written for version 0.255 of the plugin ABI, and this tcpkit speaks 1.0; build the plugin for it",
	} {
		f := fake{version: version}
		_, err := plugins.Load(&f, "test", module)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.EqualError(t, err, "load plugin test: "+want)
		require.Zero(t, f.size, "versions are compared before the plugin is asked for its buffer")
		require.Equal(t, 1, f.closed)
	}
	// A newer plugin may export hooks that are not known here: its version is what to say.
	f := fake{version: abi.Version + 1}
	_, err := plugins.Load(&f, "test", assemble.Plugin(assemble.Hook("tcpkit_tomorrow", assemble.Pass)))
	require.ErrorContains(t, err, "version 1.1")
}

func TestEngineFails(t *testing.T) {
	broken := errors.New("broken")
	for _, f := range []*fake{{startErr: broken}, {abiErr: broken}, {version: abi.Version, initErr: broken}} {
		_, err := plugins.Load(f, "test", assemble.Plugin(onArriving))
		require.ErrorIs(t, err, broken)
		require.EqualError(t, err, "load plugin test: broken")
	}
}
