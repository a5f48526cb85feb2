package plugins_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/internal/assemble"
)

// A fake is an engine whose plugins are functions in Go.
type fake struct {
	version                   uint32
	startErr, abiErr, initErr error
	on                        func(c *call) int64 // nil: it passes
	fuel                      int64               // that a call uses

	size            uint32 // of the buffer that was asked for
	started, closed int
	calls           []abi.Hook
	last            *instance
}

// A call is what a plugin finds when it is called.
type call struct {
	abi.Hook
	n    uint32
	b    []byte // the buffer
	host plugins.Imports
	at   []plugins.Part // what of the buffer was written
	fail error          // set by the plugin: it has trapped
}

func (c *call) u32(at int) uint32       { return wire.Le32(c.b[at:]) }
func (c *call) put32(at int, v uint32)  { wire.PutLe32(c.b[at:], v) }
func (c *call) put16(at int, v uint16)  { wire.PutLe16(c.b[at:], v) }
func (c *call) arg(k int) uint64        { return wire.Le64(c.b[abi.ArgsAt+8*k:]) }
func (c *call) putArg(k int, v uint64)  { wire.PutLe64(c.b[abi.ArgsAt+8*k:], v) }
func (c *call) has(section uint32) bool { return c.u32(abi.OffsetSections)&section != 0 }

func (c *call) trap(err error) int64 {
	c.fail = err
	return 0
}

type instance struct {
	*fake
	host   plugins.Imports
	buffer []byte
	room   call
	dead   bool
}

func (f *fake) Start(_ []byte, host plugins.Imports, _ int64) (plugins.Instance, error) {
	if f.startErr != nil {
		return nil, f.startErr
	}
	f.started++
	f.last = &instance{fake: f, host: host}
	return f.last, nil
}

func (i *instance) ABI() (uint32, error) {
	if i.version == 0 {
		return abi.Version, i.abiErr
	}
	return i.version, i.abiErr
}

func (i *instance) Init(size uint32) error {
	i.size = size
	i.buffer = make([]byte, size)
	return i.initErr
}

func (i *instance) Close() error { i.closed++; i.dead = true; return nil }

func (i *instance) Call(h abi.Hook, n uint32, image []byte, parts []plugins.Part, fuel *int64) (int64, error) {
	if i.dead {
		panic("a plugin is called that is closed")
	}
	i.calls = append(i.calls, h)
	for _, p := range parts {
		copy(i.buffer[p.At:p.At+p.Size], image[p.At:p.At+p.Size])
	}
	if *fuel -= i.fuel; *fuel < 0 {
		*fuel = 0
		return 0, plugins.ErrFuel
	}
	if i.on == nil {
		return 0, nil
	}
	c := &i.room
	*c = call{Hook: h, n: n, b: i.buffer, host: i.host, at: parts}
	result := i.on(c)
	return result, c.fail
}

func (i *instance) Fetch(image []byte, p plugins.Part) error {
	if i.dead || uint64(p.At)+uint64(p.Size) > uint64(len(i.buffer)) {
		return plugins.Error("outside of the buffer")
	}
	copy(image[p.At:], i.buffer[p.At:p.At+p.Size])
	return nil
}

// everything is all that a user can allow.
const everything = ^plugins.Grants(0)

// export is a module that exports hooks, and has a manifest.
func export(hooks []abi.Hook, manifest ...string) []byte {
	var funcs []assemble.Func
	for _, h := range hooks {
		f := assemble.Hook(plugins.Export(h), assemble.Pass)
		if h == abi.HookBatch {
			f.Args = []byte{assemble.I32}
		}
		funcs = append(funcs, f)
	}
	m := assemble.Plugin(funcs...)
	if manifest != nil {
		m = assemble.WithManifest(m, manifest...)
	}
	return m
}

func of(hooks ...abi.Hook) []abi.Hook { return hooks }

// load loads a plugin that f runs.
func load(t testing.TB, f *fake, hooks []abi.Hook, manifest ...string) *plugins.Plugin {
	t.Helper()
	p, err := plugins.Load(f, export(hooks, manifest...), plugins.Options{Allow: everything})
	require.NoError(t, err)
	return p
}

// chain makes a Set of plugins.
func chain(all ...*plugins.Plugin) *plugins.Set {
	s := plugins.NewSet()
	for _, p := range all {
		s.Add(p)
	}
	return s
}

// A bench is a Set with what a stack has for it.
type bench struct {
	*plugins.Set
	beside tcp.Beside
	log    event.Log
}

func newBench(all ...*plugins.Plugin) *bench {
	b := &bench{Set: chain(all...)}
	b.log.SetMask(event.Of(event.Plugin))
	return b
}

// at calls the set with a record.
func (b *bench) at(r *tcp.Record) tcp.Verdict {
	r.Beside, r.Log = &b.beside, &b.log
	return b.Set.At(r)
}

func (b *bench) expire(now clock.Instant) { b.Set.Expire(now, &b.beside, &b.log) }

// whys are the reasons of the events since the last call.
func (b *bench) whys() (all []plugins.Why) {
	for _, e := range b.log.Take(nil) {
		all = append(all, plugins.Why(e.B))
	}
	return all
}

var (
	tuple4 = tcp.Tuple{
		Local:  wire.AddrPort{Addr: wire.AddrFrom4([4]byte{192, 0, 2, 1}), Port: 80},
		Remote: wire.AddrPort{Addr: wire.AddrFrom4([4]byte{198, 51, 100, 7}), Port: 49152},
	}
	tuple6 = tcp.Tuple{
		Local:  wire.AddrPort{Addr: wire.AddrFrom16([16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 15: 1}), Port: 443},
		Remote: wire.AddrPort{Addr: wire.AddrFrom16([16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 15: 2}), Port: 1024},
	}
)

// Where the connection of the records below stands.
const (
	una seq.Value = 0xfffffff0 // it wraps
	nxt seq.Value = 0xba8      // 3000 further
	rcv seq.Value = 0x7ffffff0
)

// established is a record of a connection in ESTABLISHED.
func established(step tcp.Step) *tcp.Record {
	return &tcp.Record{
		Step: step, Now: 1000, Conn: 7, Packet: 3, From: tcp.Established, To: tcp.Established, Tuple: tuple4, MSS: 1448,
		Send:    tcp.SendSpace{ISS: una - 1, UNA: una, NXT: nxt, UP: una, WND: 60000},
		Receive: tcp.ReceiveSpace{IRS: rcv - 1, NXT: rcv, UP: rcv, WND: 60000},
	}
}

// segment is a record with a segment of n octets, which arrives or leaves as the
// step has it.
func segment(step tcp.Step, n int) *tcp.Record {
	r := established(step)
	r.Segment, r.TTL = true, 64
	r.Leaving = step == tcp.StepLeaving || step == tcp.StepLeft || step == tcp.StepMoved
	r.TCP = wire.TCP{Seq: rcv, Ack: nxt, Flags: wire.ACK, Window: 1000}
	if r.Leaving {
		r.TCP.Seq, r.TCP.Ack = nxt, rcv
		r.Send.NXT = nxt
	}
	if step == tcp.StepRejected {
		r.Drop, r.Rule = rule.DropPAWS, rule.DropPAWS.Rule()
	}
	r.TCP.Options = wire.Options{Has: wire.HasTimestamps, TSVal: 10, TSEcr: 20}
	r.Payload = make([]byte, n)
	for i := range r.Payload {
		r.Payload[i] = byte(i)
	}
	return r
}

// mutated is the result of a plugin that has changed fields.
func mutated(fields int64) int64 { return int64(abi.Mutated) | fields<<8 }

// engineHooks are all hooks but those of congestion controllers, which come all or
// none, and at no step.
func engineHooks() []abi.Hook {
	return slices.DeleteFunc(plugins.Hooks(), func(h abi.Hook) bool { return h>>8 == abi.HookCCInit>>8 })
}
