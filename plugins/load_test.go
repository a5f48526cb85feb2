package plugins_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/internal/assemble"
)

// TestMistakes is what an author can get wrong, and what tcpkit then says: each
// message names what is to be done. Nothing of a module runs before what can be
// seen without that is right.
//
// Proves: P06
func TestMistakes(t *testing.T) {
	i32, i64 := []byte{assemble.I32}, []byte{assemble.I64}
	version, initialize := assemble.ABI(abi.Version), assemble.Init(1024)
	onArriving := assemble.Hook(abi.ExportArriving, assemble.Pass)
	imported := func(module, name string, args, results []byte) []byte {
		return assemble.Plugin(onArriving, assemble.Func{Module: module, Name: name, Args: args, Results: results})
	}
	manifest := func(lines ...string) []byte { return assemble.WithManifest(assemble.Plugin(onArriving), lines...) }
	const wasi = "wasi_snapshot_preview1"
	for name, c := range map[string]struct {
		module []byte
		says   string
		set    string
		ran    bool
	}{
		"no module": {module: []byte("#!/bin/sh\n"), says: "this is not a WASM module; build the plugin, for WAT with wat2wasm"},
		"damaged":   {module: assemble.Plugin(onArriving)[:40], says: "the module is damaged or cut off; build it again"},

		"no version": {module: assemble.Module(initialize, onArriving),
			says: "it exports no tcpkit_abi, which every plugin does; add the export, of type () -> i32"},
		"export misspelt": {module: assemble.Module(version, assemble.Func{Name: "tcpkit_int", Args: i32, Results: i32, Body: assemble.Trap}, onArriving),
			says: "it exports no tcpkit_init, which every plugin does; add the export, of type (i32) -> i32 (there is tcpkit_int: is that a slip?)"},
		"export of another type": {module: assemble.Module(assemble.Func{Name: abi.ExportABI, Results: i64, Body: assemble.Pass}, initialize, onArriving),
			says: "its export tcpkit_abi is () -> i64 where () -> i32 is called; change its type"},
		"hook of another type": {module: assemble.Plugin(assemble.Func{Name: abi.ExportArriving, Results: i32, Body: assemble.Trap}), ran: true,
			says: "its export tcpkit_segment_arriving is () -> i32 where () -> i64 is called; change its type"},
		"hook misspelt": {module: assemble.Plugin(assemble.Hook("tcpkit_transitoin", assemble.Pass)), ran: true,
			says: "its export tcpkit_transitoin is no hook that this tcpkit knows; rename it, perhaps to tcpkit_transition"},
		"hook cut short": {module: assemble.Plugin(assemble.Hook("tcpkit_leaving", assemble.Pass)), ran: true,
			says: "its export tcpkit_leaving is no hook that this tcpkit knows; rename it, perhaps to tcpkit_transition_leaving or tcpkit_segment_leaving"},
		"hook of nobody": {module: assemble.Plugin(assemble.Hook("tcpkit_retransmission_timeout", assemble.Pass)), ran: true,
			says: "its export tcpkit_retransmission_timeout is no hook that this tcpkit knows; rename it; there are: transition, "},
		"no hook": {module: assemble.Plugin(), ran: true,
			says: "it exports no hook, so that it would never be called; export one, such as tcpkit_transition () -> i64"},
		"a command": {module: assemble.Plugin(onArriving, assemble.Func{Name: "_start", Body: assemble.Trap}),
			says: "it exports _start, so it is a command and would end before its first hook; build it as a reactor, with Go by -buildmode=c-shared"},

		"import misspelt": {module: imported("tcpkit", "nwo", nil, i64),
			says: "it imports tcpkit.nwo () -> i64, which there is not; is now meant?"},
		"import of another type": {module: imported("tcpkit", "now", nil, i32),
			says: "it imports tcpkit.now as () -> i32, which is () -> i64 here; declare it so"},
		"import from elsewhere": {module: imported("env", "abort", nil, nil),
			says: `it imports env.abort () -> (), and nothing is imported from "env"; there are: tcpkit, wasi_snapshot_preview1; plugins import from tcpkit`},
		"import of WASI": {module: imported(wasi, "path_open", nil, i32),
			says: "it imports wasi_snapshot_preview1.path_open () -> i32, which plugins have not: they do without files, sockets and standard input; " +
				"in Go leave out the packages that bring it in, such as fmt, log, os and time"},
		"import of WASI of another type": {module: imported(wasi, "fd_write", i32, i32),
			says: "it imports wasi_snapshot_preview1.fd_write as (i32) -> i32, which is (i32, i32, i32, i32) -> i32 here; declare it so"},
		"inject without its grant": {module: imported("tcpkit", "inject", []byte{assemble.I32, assemble.I32}, i32),
			says: "it imports tcpkit.inject without the grant inject; ask for it in the manifest: grants inject"},

		"grant that was not given": {module: manifest("grants observe payload lab"),
			says: "it asks for the grants payload lab, which a plugin has only if you say so; if you trust it, add allow=payload+lab to its name"},
		"manifest key": {module: manifest("name x", "grant observe"),
			says: `line 2 of the manifest: there is no key "grant"; is grants meant?`},
		"manifest grant":  {module: manifest("grants observ"), says: `line 1 of the manifest: there is no grant "observ"; is observe meant?`},
		"manifest hook":   {module: manifest("hooks segment_ariving"), says: `line 1 of the manifest: there is no hook "segment_ariving"; is segment_arriving meant?`},
		"manifest budget": {module: manifest("budget huge"), says: `line 1 of the manifest: there is no budget "huge"; there are: small, medium, large, go, init, hook`},
		"hook of manifest": {module: manifest("hooks segment_arriving segment_leaving"), ran: true,
			says: "its manifest asks for the hook segment_leaving, which it does not export; add the export tcpkit_segment_leaving () -> i64, or leave the hook out"},
		"options and no config": {module: manifest("option n 7"), ran: true,
			says: "its manifest has options, but it exports no tcpkit_config, which would tell it of them; add the export, of type () -> i64"},
		"tick and no hook": {module: manifest("tick 1s"), ran: true,
			says: "its manifest asks for a tick, but it exports no tcpkit_tick; add the export, of type () -> i64"},
		"batch and no export": {module: manifest("batch 8"), ran: true,
			says: "its manifest asks for batches, but it exports no tcpkit_batch; add the export, of type (i32) -> i64"},
		"batch and no number": {module: export(of(abi.HookBatch), "hooks transition"), ran: true,
			says: "it exports tcpkit_batch, but its manifest does not say how many records at once; add a line batch 32"},
		"batch of nothing": {module: export(of(abi.HookBatch, abi.HookTransition), "batch 4", "hooks transition"), ran: true,
			says: "its manifest asks for batches, but of no hook; name those in its line hooks, and don't export them one by one"},

		"option unknown": {module: export(of(abi.HookConfig), "option count 7"), set: "cuont=8", says: `it has no option "cuont"; is count meant?`},
		"option of another type": {module: export(of(abi.HookConfig), "option count 7"), set: "count=many",
			says: `the option "count" is a whole number, such as 7, and not "many"`},
		"no options": {module: assemble.Plugin(onArriving), set: "n=7", says: `it has no option "n"; there are none`},

		"SIMD": {module: assemble.Plugin(assemble.Hook(abi.ExportArriving, []byte{0xfd, 0x0c})), says: "plugins do without"},
	} {
		var f fake
		o := plugins.Options{Name: "x"}
		if c.set != "" {
			o.Set = []string{c.set}
		}
		p, err := plugins.Load(&f, c.module, o)
		require.Nil(t, p, name)
		switch name {
		case "SIMD":
			require.ErrorContains(t, err, "SIMD", name)
		case "hook of nobody":
			require.ErrorContains(t, err, c.says, name)
			require.ErrorContains(t, err, ", retransmit, ", name)
		default:
			require.EqualError(t, err, "load plugin x: "+c.says, name)
		}
		require.Equal(t, c.ran, f.started > 0, "%s: before anything runs, if that can be", name)
		require.Equal(t, f.started, f.closed, "%s: what was started is ended", name)
	}
}

// TestCheckTellsAll has a module with a mistake of each kind.
func TestCheckTellsAll(t *testing.T) {
	module := assemble.WithManifest(assemble.Module(
		assemble.Func{Name: "tcpkit_aib", Results: []byte{assemble.I32}, Body: assemble.Trap},
		assemble.Init(1024),
		assemble.Func{Module: "tcpkit", Name: "nwo", Results: []byte{assemble.I64}},
	), "priority first", "filter * port=http", "mode closed", "memory 999", "state 1000", "sections adress", "option n")
	problems := plugins.Check(nil, module, plugins.Options{Set: []string{"verbose"}})
	var texts []string
	for _, err := range problems {
		texts = append(texts, err.Error())
	}
	require.Equal(t, []string{
		`line 1 of the manifest: the priority "first" is no number from -1000 to 1000`,
		`line 2 of the manifest: "http" is no number or range up to 65535, such as 80 or 8000-8080`,
		`line 3 of the manifest: the mode "closed" is neither open nor guard`,
		`line 4 of the manifest: "999" is no number from 1 to 256, of pages of 64 KiB`,
		`line 5 of the manifest: "1000" is no number from 1 to 256, of octets`,
		`line 6 of the manifest: there is no section "adress"; is address meant?`,
		`line 7 of the manifest: the option "n" has no default; write it behind the name`,
		`it exports no tcpkit_abi, which every plugin does; add the export, of type () -> i32 (there is tcpkit_aib: is that a slip?)`,
		`it imports tcpkit.nwo () -> i64, which there is not; is now meant?`,
		`"verbose" sets nothing; write it as name=value`,
		`its export tcpkit_aib is no hook that this tcpkit knows; rename it, perhaps to tcpkit_ack`,
	}, texts)

	require.Empty(t, plugins.Check(&fake{}, export(of(abi.HookArriving)), plugins.Options{}))
	broken := plugins.Check(&fake{initErr: errors.New("broken")}, export(of(abi.HookArriving)), plugins.Options{})
	require.Len(t, broken, 1, "with an engine it is started")
}

func TestVersions(t *testing.T) {
	module := export(of(abi.HookArriving))
	for version, want := range map[uint32]string{
		abi.Version:             "",
		abi.Version + 1:         "it was written for version 1.1 of the plugin ABI, and this tcpkit speaks 1.0; build the plugin for it, or take a newer tcpkit",
		(abi.Major + 1) << 16:   "it was written for version 2.0 of the plugin ABI, and this tcpkit speaks 1.0; build the plugin for it, or take a newer tcpkit",
		(abi.Major-1)<<16 | 255: "it was written for version 0.255 of the plugin ABI, and this tcpkit speaks 1.0; build the plugin for it",
	} {
		f := fake{version: version}
		_, err := plugins.Load(&f, module, plugins.Options{Name: "x"})
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.EqualError(t, err, "load plugin x: "+want)
		require.Zero(t, f.size, "versions are compared before the plugin is asked for its buffer")
		require.Equal(t, 1, f.closed)
	}
	// A newer plugin may export hooks that are not known here: its version is what to say.
	f := fake{version: abi.Version + 1}
	_, err := plugins.Load(&f, assemble.Plugin(assemble.Hook("tcpkit_tomorrow", assemble.Pass)), plugins.Options{})
	require.ErrorContains(t, err, "version 1.1")
}

// TestStartFails has an engine that fails at each step of a start.
func TestStartFails(t *testing.T) {
	broken := errors.New("broken")
	module := export(of(abi.HookArriving, abi.HookConfig))
	for _, f := range []*fake{
		{startErr: broken}, {abiErr: broken}, {initErr: broken},
		{on: func(c *call) int64 { return c.trap(broken) }},
	} {
		_, err := plugins.Load(f, module, plugins.Options{Name: "x"})
		require.ErrorIs(t, err, broken)
		require.ErrorContains(t, err, "load plugin x: ")
		require.Equal(t, f.started, f.closed)
	}
	for _, f := range []*fake{{startErr: plugins.ErrFuel}, {initErr: plugins.ErrFuel}, {on: func(c *call) int64 { return c.trap(plugins.ErrFuel) }}} {
		_, err := plugins.Load(f, module, plugins.Options{Name: "x"})
		require.ErrorIs(t, err, plugins.ErrFuel)
		require.ErrorContains(t, err, "ask for more with a line budget init in the manifest")
	}
	refuses := &fake{on: func(*call) int64 { return 7 }}
	_, err := plugins.Load(refuses, module, plugins.Options{Name: "x"})
	require.EqualError(t, err, "load plugin x: tcpkit_config returned 7, which says that it cannot run with these options; change them, or return 0")
}

// TestConfig has a plugin that is told of its options.
func TestConfig(t *testing.T) {
	var numbers [8]uint64
	var text string
	f := &fake{on: func(c *call) int64 {
		require.Equal(t, abi.HookConfig, c.Hook)
		for k := range numbers {
			numbers[k] = c.arg(k)
		}
		text = string(c.b[abi.PayloadAt:][:c.u32(abi.SegmentPayload)])
		require.True(t, c.has(abi.SectionArgs|abi.SectionPayload))
		return 0
	}}
	module := export(of(abi.HookConfig),
		"name x", `option greeting "good day" what it says`, "option n 7 int how many", "option after 1.5s", "option loud true", "option id -1")
	o := plugins.Options{Set: []string{"n=0x10", "loud=no"}}
	_, err := plugins.Load(f, module, o)
	require.NoError(t, err)
	require.Equal(t, [8]uint64{16, 1_500_000_000, 0, 1<<64 - 1}, numbers, "those that are numbers, in their order")
	require.Equal(t, "greeting=good day\nn=0x10\nafter=1.5s\nloud=no\nid=-1\n", text)

	d, err := plugins.Describe(module, plugins.Options{})
	require.NoError(t, err)
	require.Equal(t, plugins.Option{Name: "n", Type: plugins.OptionInt, Default: "7", Text: "how many"}, d.Manifest.Options[1])
	require.Equal(t, plugins.OptionDuration, d.Manifest.Options[2].Type)
	require.Equal(t, []abi.Hook{abi.HookConfig}, d.Hooks)
}

func TestDescribe(t *testing.T) {
	d, err := plugins.Describe(export(of(abi.HookArriving, abi.HookBatch), "name tap", "version 1.2", "description it taps",
		"hooks segment_arriving transition", "batch 8", "grants resize", "budget small", "budget hook 500", "state 64", "memory 2"), plugins.Options{})
	require.NoError(t, err)
	require.Equal(t, "tap", d.Manifest.Name)
	require.Equal(t, []abi.Hook{abi.HookArriving}, d.Hooks)
	require.Equal(t, []abi.Hook{abi.HookTransition}, d.Batched)
	require.Equal(t, plugins.GrantResize|plugins.GrantPayload|plugins.GrantObserve, d.Grants, "what a grant is no good without comes with it")
	require.Equal(t, plugins.GrantPayload, d.Allow)
	require.Equal(t, int64(500), d.HookFuel)
	require.Equal(t, uint32(max(abi.PayloadAt+1500, 8*abi.BatchSize)), d.Buffer)
	_, err = plugins.Describe([]byte("x"), plugins.Options{})
	require.Error(t, err)
}

func TestParseSpec(t *testing.T) {
	file, o, err := plugins.ParseSpec("a/drop-nth.wasm,n=7,name=seventh,allow=payload+lab,text=x=y")
	require.NoError(t, err)
	require.Equal(t, "a/drop-nth.wasm", file)
	require.Equal(t, plugins.Options{Name: "seventh", Set: []string{"n=7", "text=x=y"}, Allow: plugins.GrantPayload | plugins.GrantLab}, o)
	for spec, says := range map[string]string{
		"x.wasm,allow=lap":  `there is no grant "lap"; is lab meant?`,
		"x.wasm,name=a b":   `the name "a b" may have letters, digits and the signs - _ . only`,
		"x.wasm,allow=lab,": "",
	} {
		_, _, err := plugins.ParseSpec(spec)
		if says == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, says)
		}
	}
}

// TestSections holds a plugin to the buffer that it needs, and shows it no more.
func TestSections(t *testing.T) {
	for manifest, want := range map[string]uint32{
		"grants observe":                   abi.AddressEnd,
		"grants cc":                        abi.ArgsEnd,
		"sections none":                    abi.RecordSize,
		"sections args":                    abi.ArgsEnd,
		"grants options":                   abi.OptionsEnd,
		"grants payload":                   abi.PayloadAt + 1500,
		"grants payload\nsections options": abi.RecordSize,
		"state 16":                         abi.StateAt + 16,
		"grants inject\nsections none":     abi.PayloadAt + 1500,
		"name x":                           abi.AddressEnd,
	} {
		var f fake
		load(t, &f, of(abi.HookArriving), strings.Split(manifest, "\n")...)
		require.Equal(t, want, f.size, manifest)
	}
	var f fake
	p, err := plugins.Load(&f, export(of(abi.HookArriving), "grants payload"), plugins.Options{Allow: everything, MTU: 9000})
	require.NoError(t, err)
	require.Equal(t, uint32(abi.PayloadAt+9000), f.size)
	require.True(t, p.Exports(abi.HookArriving))
	require.False(t, p.Exports(abi.HookLeaving))
	require.Equal(t, tcp.Mask(tcp.StepArriving), chain(p).Mask())
}
