package plugins_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/release"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// A noise draws numbers, by SplitMix64.
type noise uint64

func (n *noise) draw(below int) int {
	*n += 0x9e3779b97f4a7c15
	z := uint64(*n)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) % uint64(below))
}

// rawOptions are some that are whole, and some that are not.
var rawOptions = []string{
	"", "\x01", "\x02\x04\x05\xb4", "\x03\x03\x07", "\x04\x02", "\x08\x0a12345678", "\x05\x0aabcdefgh", "\xfd\x04hi", "\x1c\x04\x00\x09", "\x22\x02",
	"\x02\x04\x00\x00", "\x03\x03\x0f", "\x08\x0912345678", "\xfd\x00", "\xfe", "\x00", "\x00\x00", "\x22\x05abc",
}

// mutate writes noise into the record, much of it near to what was there, and says
// that some fields have changed.
func (n *noise) mutate(c *call) int64 {
	for range n.draw(4) {
		c.b[n.draw(len(c.b))] = byte(n.draw(256))
	}
	near := func(at int) { c.put32(at, c.u32(at)+uint32(n.draw(4001)-2000)) }
	fields := 1 << n.draw(13)
	switch n.draw(8) {
	case 0:
		fields = n.draw(1 << 13)
	case 1, 2:
		fields |= 1 << n.draw(13)
	}
	if fields&abi.FieldSeq != 0 {
		near(abi.SegmentSeq)
	}
	if fields&abi.FieldAck != 0 {
		near(abi.SegmentAck)
	}
	if fields&abi.FieldFlags != 0 {
		c.put16(abi.SegmentFlags, wire.Le16(c.b[abi.SegmentFlags:])^1<<n.draw(10))
	}
	if fields&abi.FieldOptions != 0 {
		c.put16(abi.SegmentHas, wire.Le16(c.b[abi.SegmentHas:])^1<<n.draw(9))
		c.b[abi.SegmentSACKs] = byte(n.draw(5))
		near(abi.SegmentSACK + 4)
	}
	if fields&abi.FieldRawOptions != 0 && len(c.b) >= abi.OptionsEnd {
		raw := ""
		for range n.draw(5) {
			raw += rawOptions[n.draw(len(rawOptions))]
		}
		c.put32(abi.OptionsAt, uint32(len(raw)))
		copy(c.b[abi.OptionsAt+4:abi.OptionsEnd], raw)
	}
	if fields&abi.FieldLength != 0 {
		near(abi.SegmentPayload)
	}
	if n.draw(16) == 0 {
		c.b[abi.OffsetBits] = byte(n.draw(2))
		return int64(abi.Inject)
	}
	return mutated(int64(fields))
}

// segmentKinds are segments of all kinds with the states in which they are.
var segmentKinds = []struct {
	from, to tcp.State
	flags    wire.Flags
	options  wire.Options
}{
	{tcp.Closed, tcp.SynSent, wire.SYN, synOptions},
	{tcp.Listen, tcp.SynReceived, wire.SYN | wire.ACK, synOptions},
	{tcp.SynReceived, tcp.SynReceived, wire.SYN | wire.ACK, wire.Options{Has: wire.HasMSS, MSS: 536}},
	{tcp.Established, tcp.Established, wire.ACK, wire.Options{Has: wire.HasTimestamps, TSVal: 1, TSEcr: 2}},
	{tcp.Established, tcp.Established, wire.ACK | wire.PSH | wire.URG, wire.Options{}},
	{tcp.Established, tcp.Established, wire.ACK, wire.Options{Has: wire.HasTimestamps | wire.HasSACK, SACKCount: 3, SACK: [4]wire.SACKBlock{{Left: 1, Right: 2}, {Left: 5, Right: 9}, {Left: 20, Right: 30}}}},
	{tcp.Established, tcp.Established, wire.ACK, wire.Options{Has: wire.HasSACK, SACKCount: 4, SACK: [4]wire.SACKBlock{{Left: 1, Right: 2}, {Left: 5, Right: 9}, {Left: 20, Right: 30}, {Left: 40, Right: 50}}}},
	{tcp.Established, tcp.FinWait1, wire.ACK | wire.FIN, wire.Options{}},
	{tcp.Established, tcp.Closed, wire.ACK | wire.RST, wire.Options{}},
	{tcp.TimeWait, tcp.TimeWait, wire.ACK, wire.Options{}},
}

var synOptions = wire.Options{Has: wire.HasMSS | wire.HasWindowScale | wire.HasSACKPermitted | wire.HasTimestamps, MSS: 1460, WindowScale: 7, TSVal: 9}

// mutations runs a chain of plugins that change segments by noise, and has the engine
// build what they make.
type mutations struct {
	t     testing.TB
	noise noise
	fresh *plugins.Set
	set   *plugins.Set
	env   tcp.Env
	may   plugins.Grants
	now   clock.Instant
	taken int
	added int
}

// TestMutations has two plugins in a chain write noise into segments of all kinds, at
// each step, with all grants but lab and with few: what is taken is a packet whose
// lengths, options and checksums a strict reader accepts, in which only what was granted
// has changed. The engine finds nothing in it to refuse.
//
// Proves: P09, P18
func TestMutations(t *testing.T) {
	count := release.Count(1_000_000, 10_000_000)
	if testing.Short() {
		count = 50_000
	}
	for _, grants := range []string{"observe header payload control inject options rewrite-tuple resize", "observe header payload options"} {
		m := &mutations{t: t, noise: noise(len(grants))}
		f := &fake{on: m.noise.mutate}
		manifest := []string{"grants " + grants, "sections address options payload"}
		steps := of(abi.HookArriving, abi.HookLeaving, abi.HookTransitionArriving, abi.HookTransitionLeaving, abi.HookOptionsParse, abi.HookOptionsWrite)
		m.fresh = chain(load(t, f, steps, manifest...), load(t, f, steps, manifest...))
		m.may = m.fresh.Plugins()[0].Grants()
		for range count / 2 {
			m.one()
		}
		t.Logf("%s: %d changes of %d taken, %d segments added", grants, m.taken, count/2, m.added)
		require.Greater(t, m.taken, count/20)
	}
}

func (m *mutations) one() {
	if m.set == nil || m.set.Plugins()[0].Out() != plugins.NotOut || m.set.Plugins()[1].Out() != plugins.NotOut {
		m.set = m.fresh.Clone().(*plugins.Set)
		m.env.Hook = m.set
		m.env.Link.MTU = 1500
		m.env.Held.Packets, m.env.Held.Octets = 64, 1<<20
	}
	m.now = m.now.Add(61 * clock.Second) // strikes are too far apart for three to end a plugin
	n := &m.noise
	kind := &segmentKinds[n.draw(len(segmentKinds))]
	tuple := tuple4
	if n.draw(2) == 0 {
		tuple = tuple6
	}
	t := wire.TCP{
		SrcPort: tuple.Local.Port, DstPort: tuple.Remote.Port, Seq: nxt, Ack: rcv, Flags: kind.flags, Window: uint16(n.draw(1 << 16)), Options: kind.options,
	}
	if !kind.flags.Has(wire.ACK) {
		t.Ack = 0
	}
	payload := make([]byte, []int{0, 0, 1, 10, 1300}[n.draw(5)])
	step := []tcp.Step{tcp.StepLeaving, tcp.StepMoved, tcp.StepOptions, tcp.StepArriving, tcp.StepMoving, tcp.StepParse}[n.draw(6)]
	fill := func(r *tcp.Record) {
		*r = tcp.Record{Step: step, Now: m.now, Beside: r.Beside, Log: r.Log}
		r.Conn, r.Packet, r.From, r.To, r.MSS = 7, 3, kind.from, kind.to, 1400
		at := established(step)
		r.Send, r.Receive, r.Tuple = at.Send, at.Receive, tuple
	}
	ignored := m.env.Stats.ChangesIgnored
	if step == tcp.StepLeaving || step == tcp.StepMoved || step == tcp.StepOptions {
		ip := wire.IP{Src: tuple.Local.Addr, Dst: tuple.Remote.Addr, Protocol: wire.ProtocolTCP, TTL: 64, DontFragment: true}
		p := packet.Packet{}
		size := wire.IPv4HeaderLen
		if tuple.Local.Addr.Is6() {
			size = wire.IPv6HeaderLen
		}
		body := append(wire.AppendTCP(make([]byte, size, 1600), &t), payload...)
		p.Bytes = body
		wire.AppendIP(p.Bytes[:0], &ip, len(body)-size)
		r := m.env.Record(m.now, step)
		fill(r)
		was := t
		if m.env.Leaves(m.now, r, &p, &t, &ip) == tcp.Pass {
			wire.FinishTCP(p.Bytes, &ip, size, false)
			m.packet(p.Bytes, 1500, &was, tuple, len(payload), true, true)
		}
	} else {
		t.SrcPort, t.DstPort, t.Seq, t.Ack = t.DstPort, t.SrcPort, rcv, nxt
		seg := tcp.Segment{TCP: t, Payload: payload, Tuple: tuple, TTL: 64, Count: 1, Raw: wire.AppendOptions(nil, &t.Options)}
		r := m.env.Record(m.now, step)
		fill(r)
		m.env.Arriving(r, &seg)
		var p packet.Packet
		seg.AppendPacket(&p)
		back := tcp.Tuple{Local: tuple.Remote, Remote: tuple.Local}
		m.packet(p.Bytes, 1500, &t, back, len(payload), false, kind.from.Synchronized() || kind.from == tcp.SynReceived)
	}
	if m.env.Stats.ChangesIgnored != ignored && step != tcp.StepOptions && step != tcp.StepParse {
		require.Fail(m.t, "the engine has refused what the policy let through")
	}
	m.env.Besides(m.now, 64)
	var h tcp.HeldPacket
	for m.env.Held.Due(m.now, &h) || m.env.Held.TakeLeaving(&h) {
		m.added++
		valid(m.t, h.Bytes, 1500)
	}
}

// packet looks at what has become of a segment.
func (m *mutations) packet(b []byte, most int, was *wire.TCP, tuple tcp.Tuple, octets int, leaving, windowed bool) {
	ip, t := valid(m.t, b, most)
	first := rcv
	if leaving {
		first = una
	}
	if (leaving || windowed) && t.Seq != was.Seq && t.Seq.From(first.Sub(1)) > 60001 {
		require.Fail(m.t, "the sequence number is not in the window", "%d", t.Seq)
	}
	data := ip.TotalLen - ip.HeaderLen - t.HeaderLen
	if t.Seq != was.Seq || t.Flags != was.Flags || t.Options != was.Options || data != octets || t.Window != was.Window || ip.TTL != 64 {
		m.taken++
	}
	const control = wire.SYN | wire.FIN | wire.RST
	if !m.may.Has(plugins.GrantControl) && (t.Flags^was.Flags)&control != 0 {
		require.Fail(m.t, "SYN, FIN or RST without control")
	}
	if !m.may.Has(plugins.GrantResize) && data != octets || data > octets && leaving && data > 1400 {
		require.Fail(m.t, "the length of the payload", "%d", data)
	}
	if !m.may.Has(plugins.GrantRewriteTuple) &&
		(ip.Src != tuple.Local.Addr || ip.Dst != tuple.Remote.Addr || t.SrcPort != tuple.Local.Port || t.DstPort != tuple.Remote.Port) {
		require.Fail(m.t, "the ends of the connection")
	}
	if t.Flags&(wire.ACK|wire.SYN|wire.RST) == 0 {
		require.Fail(m.t, "a segment without ACK, without the grant lab")
	}
}

// valid reads a packet as strictly as can be.
func valid(t testing.TB, b []byte, most int) (ip wire.IP, h wire.TCP) {
	why := wire.ParseIP(b, &ip)
	if why != rule.NotDropped || ip.TotalLen != len(b) || len(b) > most || ip.TTL == 0 {
		require.Fail(t, "no packet", "%x", b)
	}
	segment := b[ip.HeaderLen:]
	if wire.ParseTCP(segment, &h) != rule.NotDropped || !wire.VerifyTCP(segment, &ip) || h.SrcPort == 0 || h.DstPort == 0 {
		require.Fail(t, "no segment", "%x", b)
	}
	const syn = wire.HasMSS | wire.HasWindowScale | wire.HasSACKPermitted
	if h.Options.Has.Has(wire.HasMalformed) || h.Options.Has&syn != 0 && !h.Flags.Has(wire.SYN) {
		require.Fail(t, "options that cannot be", "%x", b)
	}
	return ip, h
}
