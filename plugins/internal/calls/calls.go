// Package calls makes a row of calls of a plugin, in whatever engine, and writes
// down all that can be told of it: so that engines can be compared. It is for
// tests.
package calls

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// A Row is what is done with a module.
type Row struct {
	Name   string
	Module []byte // rewritten
	Seed   uint64
	Start  int64 // fuel
	Fuel   int64 // of a call
	Calls  int
	First  []byte // what the records begin with, by turns; nil: what the seed says
}

// imageSize has room for a little payload.
const imageSize = abi.PayloadAt + 64

// parts are what is copied in, by turns.
var parts = [][]plugins.Part{
	{{At: 0, Size: abi.RecordSize}},
	{{At: 0, Size: abi.ArgsEnd}, {At: abi.OptionsAt, Size: 44}},
	{{At: 0, Size: abi.RecordSize}, {At: abi.AddressAt, Size: 32}, {At: abi.StateAt, Size: 256}, {At: abi.PayloadAt, Size: 64}},
	nil,
}

// Run makes the calls and returns what came of them, a line each.
func Run(e plugins.Engine, row Row) string {
	w := &writer{state: row.Seed}
	w.line("row %s", row.Name)
	module, err := plugins.Inspect(row.Module)
	if err != nil {
		w.line("%v", err)
		return w.text.String()
	}
	exported := map[string]bool{}
	for _, f := range module.Exports {
		exported[f.Name] = true
	}
	var hooks []abi.Hook
	for _, h := range append(plugins.Hooks(), abi.HookBatch) {
		if exported[plugins.Export(h)] {
			hooks = append(hooks, h)
		}
	}
	image := make([]byte, imageSize)
	var i plugins.Instance
	for n := range row.Calls {
		if i == nil {
			if i = start(e, row, w); i == nil {
				break
			}
		}
		if len(hooks) == 0 {
			break
		}
		for k := range image {
			image[k] = byte(w.draw())
		}
		if row.First != nil {
			image[0] = row.First[n%len(row.First)]
		}
		hook, in := hooks[n%len(hooks)], parts[n/len(hooks)%len(parts)]
		if row.First != nil {
			in = parts[0]
		}
		w.time += int64(w.draw() % 1_000_000)
		fuel := row.Fuel
		result, err := i.Call(hook, uint32(n%5), image, in, &fuel)
		w.line("%d %s: %d, %d left, %s", n, plugins.Export(hook), result, fuel, class(err))
		if err == nil {
			whole := plugins.Part{At: uint32(w.draw() % 64), Size: imageSize - 64}
			w.line("  fetched %s, image %x", class(i.Fetch(image, whole)), sum(image))
			continue
		}
		_ = i.Close()
		i = nil
	}
	if i != nil {
		w.line("closed: %s", class(i.Close()))
	}
	return w.text.String()
}

func start(e plugins.Engine, row Row, w *writer) plugins.Instance {
	i, err := e.Start(row.Module, w, row.Start)
	if err != nil {
		w.line("start: %s", class(err))
		return nil
	}
	version, err := i.ABI()
	w.line("started, version %x, %s", version, class(err))
	if err == nil {
		err = i.Init(imageSize)
		w.line("initialised: %s", class(err))
	}
	if err != nil {
		_ = i.Close()
		return nil
	}
	return i
}

// class is what all engines say alike of an error: for one of compilation, that
// it is one.
func class(err error) string {
	if err == nil {
		return "ok"
	}
	if strings.HasPrefix(err.Error(), "compile: ") {
		return "refused"
	}
	var trap plugins.Trap
	if errors.As(err, &trap) {
		return trap.Error()
	}
	return err.Error()
}

func sum(b []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(b)
	return h.Sum64()
}

// A writer notes what happens, and answers what plugins import.
type writer struct {
	text  strings.Builder
	state uint64 // of draws
	time  int64
	kept  [8]struct{ key, value int64 }
	n     int
}

func (w *writer) line(format string, args ...any) { fmt.Fprintf(&w.text, format+"\n", args...) }

func (w *writer) draw() uint64 {
	w.state = w.state*6364136223846793005 + 1442695040888963407
	return w.state >> 33
}

func (w *writer) Log(level uint32, text []byte) { w.line("  log %d %q", level, text) }
func (w *writer) Metric(id uint32, value int64) { w.line("  metric %d %d", id, value) }
func (w *writer) Arm(id uint32, after int64)    { w.line("  arm %d %d", id, after) }
func (w *writer) Now() int64                    { return w.time }
func (w *writer) Random() uint64                { return w.draw()<<40 ^ w.draw()<<20 ^ w.draw() }

func (w *writer) Inject(record []byte) bool {
	w.line("  inject %d octets, %x", len(record), sum(record))
	return len(record) < 1000
}

func (w *writer) Get(key int64) int64 {
	for _, k := range w.kept[:w.n] {
		if k.key == key {
			return k.value
		}
	}
	return 0
}

func (w *writer) Set(key, value int64) bool {
	w.line("  set %d %d", key, value)
	for k := range w.kept[:w.n] {
		if w.kept[k].key == key {
			w.kept[k].value = value
			return true
		}
	}
	if w.n == len(w.kept) {
		return false
	}
	w.kept[w.n].key, w.kept[w.n].value = key, value
	w.n++
	return true
}
