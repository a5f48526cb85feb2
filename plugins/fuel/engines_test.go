package fuel

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/tcpkit/tcpkit/internal/need"
)

// A job is a call of an export, of a new instance.
type job struct {
	module []byte
	name   string
	args   []uint64
	wide   bool // they are i64, and otherwise i32
	fuel   int64
}

// An outcome is what can be told after a job.
type outcome struct {
	Trapped bool
	Results []uint64
	Fuel    int64 // left
	Depth   int32
	Memory  string // a hash of it, and its size
}

// engines run jobs.
var engines = []struct {
	name string
	run  func(testing.TB, []job) []outcome
}{{"compiler", compiler}, {"interpreter", interpreter}, {"node", node}}

const features = api.CoreFeaturesV2 &^ api.CoreFeatureSIMD

func compiler(t testing.TB, jobs []job) []outcome {
	return inWazero(t, wazero.NewRuntimeConfigCompiler(), jobs)
}

func interpreter(t testing.TB, jobs []job) []outcome {
	return inWazero(t, wazero.NewRuntimeConfigInterpreter(), jobs)
}

func inWazero(t testing.TB, config wazero.RuntimeConfig, jobs []job) (out []outcome) {
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, config.WithCoreFeatures(features))
	defer rt.Close(ctx)
	_, err := rt.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc(func(v int32) int32 { return v + 1 }).Export("host").Instantiate(ctx)
	require.NoError(t, err)
	for _, j := range jobs {
		m, err := rt.InstantiateWithConfig(ctx, j.module, wazero.NewModuleConfig().WithName(""))
		require.NoError(t, err)
		out = append(out, callWazero(m, j))
		require.NoError(t, m.Close(ctx))
	}
	return out
}

func callWazero(m api.Module, j job) (o outcome) {
	left, pays := m.ExportedGlobal(Global).(api.MutableGlobal)
	if pays {
		left.Set(uint64(j.fuel))
	}
	var err error
	f := m.ExportedFunction(j.name)
	o.Results, err = f.Call(context.Background(), j.args...)
	o.Trapped = err != nil
	for i := range o.Results {
		if f.Definition().ResultTypes()[i] == api.ValueTypeI32 {
			o.Results[i] = uint64(uint32(o.Results[i])) // the interpreter leaves more above
		}
	}
	if o.Trapped {
		o.Results = nil
	}
	if pays {
		o.Fuel = int64(left.Get())
		o.Depth = int32(m.ExportedGlobal(DepthGlobal).Get())
	}
	if memory := m.ExportedMemory("memory"); len(m.ExportedMemoryDefinitions()) > 0 {
		h := fnv.New32a()
		all, _ := memory.Read(0, memory.Size())
		h.Write(bytes.TrimRight(all, "\x00"))
		o.Memory = fmt.Sprint(h.Sum32(), " / ", len(all))
	}
	return o
}

// harness runs the jobs that it is given on its standard input, and writes
// outcomes, with numbers as decimal text.
const harness = `
let text = '';
process.stdin.on('data', d => text += d).on('end', () => {
  const view = new DataView(new ArrayBuffer(8));
  const out = JSON.parse(text).map(job => {
    const module = new WebAssembly.Module(Buffer.from(job.module, 'base64'));
    const { exports } = new WebAssembly.Instance(module, { env: { host: v => v + 1 } });
    const fuel = exports.tcpkit_fuel, depth = exports.tcpkit_depth;
    if (fuel) fuel.value = BigInt(job.fuel);
    const o = { trapped: false, results: [], fuel: '0', depth: 0, memory: '' };
    try {
      const args = job.args.map((a, i) => job.wide ? BigInt.asIntN(64, BigInt(a)) : Number(BigInt.asIntN(32, BigInt(a))));
      let r = exports[job.name](...args);
      if (r === undefined) r = [];
      if (!Array.isArray(r)) r = [r];
      o.results = r.map(v => typeof v === 'bigint' ? BigInt.asUintN(64, v).toString() : (v >>> 0).toString());
    } catch (e) {
      o.trapped = true;
      if (!(e instanceof WebAssembly.RuntimeError)) o.error = String(e);
    }
    if (fuel) { o.fuel = fuel.value.toString(); o.depth = depth.value; }
    if (exports.memory) {
      const octets = new Uint8Array(exports.memory.buffer);
      let h = 0x811c9dc5, end = octets.length;
      while (end > 0 && octets[end - 1] === 0) end--;
      for (let i = 0; i < end; i++) h = Math.imul(h ^ octets[i], 0x01000193) >>> 0;
      o.memory = h + ' / ' + octets.length;
    }
    return o;
  });
  process.stdout.write(JSON.stringify(out));
});
`

func node(t testing.TB, jobs []job) []outcome { return nodeWith(t, jobs) }

func nodeWith(t testing.TB, jobs []job, flags ...string) []outcome {
	path := need.Tool(t, "node", "nodejs")
	type input struct {
		Module string   `json:"module"`
		Name   string   `json:"name"`
		Args   []string `json:"args"`
		Wide   bool     `json:"wide"`
		Fuel   string   `json:"fuel"`
	}
	var in []input
	for _, j := range jobs {
		i := input{base64.StdEncoding.EncodeToString(j.module), j.name, []string{}, j.wide, strconv.FormatInt(j.fuel, 10)}
		for _, a := range j.args {
			i.Args = append(i.Args, strconv.FormatUint(a, 10))
		}
		in = append(in, i)
	}
	text, err := json.Marshal(in)
	require.NoError(t, err)
	cmd := exec.Command(path, append(flags, "-e", harness)...)
	cmd.Stdin = bytes.NewReader(text)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err = cmd.Output()
	require.NoError(t, err, "%s", &stderr)
	var got []struct {
		Trapped bool
		Error   string
		Results []string
		Fuel    string
		Depth   int32
		Memory  string
	}
	require.NoError(t, json.Unmarshal(text, &got))
	require.Len(t, got, len(jobs))
	var out []outcome
	for _, g := range got {
		require.Empty(t, g.Error, "an engine's own error, not a trap of the module")
		o := outcome{Trapped: g.Trapped, Depth: g.Depth, Memory: g.Memory}
		for _, r := range g.Results { // none after a trap
			v, err := strconv.ParseUint(r, 10, 64)
			require.NoError(t, err)
			o.Results = append(o.Results, v)
		}
		o.Fuel, err = strconv.ParseInt(g.Fuel, 10, 64)
		require.NoError(t, err)
		out = append(out, o)
	}
	return out
}
