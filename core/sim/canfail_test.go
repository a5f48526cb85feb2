package sim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// half way through an exchange, with data in flight from host 0.
func underWay(t *testing.T) *World {
	cfg := pair("linux", Flow{Users: users([]Step{write(100_000), eof}, []Step{write(100), eof})})
	cfg.Repeat = "the command"
	w := world(t, cfg)
	for w.Count().Read < 10_000 {
		require.True(t, w.Step())
	}
	return w
}

// forged is a segment of the connection of host 0 that it has not sent.
func forged(w *World, change func(ip *wire.IP, t *wire.TCP), payload ...byte) *packet.Packet {
	c := w.Conn(0, 0)
	v := c.View()
	ip := wire.IP{Src: c.Local().Addr, Dst: c.Remote().Addr, Protocol: wire.ProtocolTCP, TTL: 64}
	t := wire.TCP{
		SrcPort: c.Local().Port, DstPort: c.Remote().Port, Flags: wire.ACK, Seq: v.Send.NXT, Ack: v.Receive.NXT,
		Window: uint16(v.Receive.WND>>v.Scale) + 1,
	}
	if change != nil {
		change(&ip, &t)
	}
	header := wire.AppendTCP(nil, &t)
	b := wire.AppendIP(nil, &ip, len(header)+len(payload))
	n := len(b)
	b = append(append(b, header...), payload...)
	wire.FinishTCP(b, &ip, n, false)
	return &packet.Packet{Bytes: b}
}

// Each check finds what it is for, and the forgery without the fault passes.
func TestChecksCanFail(t *testing.T) {
	w := underWay(t)
	right := w.Clone()
	right.inspect(0, forged(w, nil))
	require.NoError(t, right.Run(w.Now()), "a segment as it should be")
	nxt, una := w.Conn(0, 0).View().Send.NXT, w.Conn(0, 0).View().Send.UNA
	for want, p := range map[string]*packet.Packet{
		"ACK is sent that is not":      forged(w, func(_ *wire.IP, t *wire.TCP) { t.Ack++ }),
		"window is taken back":         forged(w, func(_ *wire.IP, t *wire.TCP) { t.Window = 0 }),
		"somebody else":                forged(w, func(ip *wire.IP, _ *wire.TCP) { ip.Src = w.hosts[1].addrs[0] }),
		"may not go anywhere":          forged(w, func(ip *wire.IP, _ *wire.TCP) { ip.TTL = 0 }),
		"not what was written":         forged(w, func(_ *wire.IP, t *wire.TCP) { t.Seq = una }, 1, 2, 3, 4, 5, 6, 7, 8),
		"beyond SND.NXT":               forged(w, func(_ *wire.IP, t *wire.TCP) { t.Seq = nxt }, 1),
		"acknowledged":                 forged(w, func(_ *wire.IP, t *wire.TCP) { t.Seq = una.Sub(1000) }, 1),
		"larger than the MSS":          forged(w, func(_ *wire.IP, t *wire.TCP) { t.Seq = una }, make([]byte, 1449)...),
		"larger than the link":         {Bytes: make([]byte, 1501)},
		"takes none":                   {Partial: true},
		"super-packet":                 {SegmentSize: 1, Bytes: make([]byte, 100)},
		"out of place":                 forged(w, func(_ *wire.IP, t *wire.TCP) { t.Options = wire.Options{Has: wire.HasMSS, MSS: 1} }),
		"FIN is sent":                  forged(w, func(_ *wire.IP, t *wire.TCP) { t.Seq, t.Flags = una, wire.ACK|wire.FIN }),
		"SYN is sent":                  forged(w, func(_ *wire.IP, t *wire.TCP) { t.Flags = wire.SYN }),
		"without an ACK":               forged(w, func(_ *wire.IP, t *wire.TCP) { t.Flags = 0 }),
		"data is sent without":         forged(w, func(_ *wire.IP, t *wire.TCP) { t.DstPort++ }, 1),
		"a packet is sent that cannot": {Bytes: []byte{0x45, 0}},
		"longer than its header":       {Bytes: append(forged(w, nil).Bytes, 0)},
		"wrong checksum":               func() *packet.Packet { p := forged(w, nil); p.Bytes[36] ^= 1; return p }(),
	} {
		c := w.Clone()
		c.inspect(0, p)
		require.ErrorContains(t, c.Finish(), want, want)
	}

	for want, spoil := range map[string]func(c *World){
		"what is read is not": func(c *World) { c.ends[1].read++ },
		"more is read than":   func(c *World) { c.ends[0].written = 10 },
		"ends before its end": func(c *World) {
			c.ends[0].fin = false
			c.ends[0].step, c.ends[0].written = 1, 100_001
			c.Conn(0, 0).CloseWrite(c.now)
		},
		"the hook was told":      func(c *World) { c.hosts[1].books[0].state = tcp.CloseWait },
		"SND.UNA goes back":      func(c *World) { c.hosts[0].books[0].una = nxt.Add(200_000) },
		"SND.NXT goes back":      func(c *World) { c.hosts[0].books[0].nxt = nxt.Add(200_000) },
		"RCV.NXT goes back":      func(c *World) { c.hosts[1].books[0].rcvNxt = nxt.Add(200_000) },
		"RCV.NXT + RCV.WND goes": func(c *World) { c.hosts[1].books[0].rcvEdge = nxt.Add(9_000_000) },
		"not in Figure 5": func(c *World) {
			c.hosts[0].seen.moved = append(c.hosts[0].seen.moved, move{99, tcp.TimeWait, tcp.Listen})
		},
		"the hook is told of": func(c *World) {
			c.hosts[0].seen.moved = append(c.hosts[0].seen.moved, move{1, tcp.TimeWait, tcp.Closed})
		},
		"somebody is told of": func(c *World) { c.hosts[1].owner[0] = 0 },
		"waits for what never": func(c *World) {
			c.ends[0].canWrite, c.ends[0].left = true, 1<<40
			c.ends[0].eof, c.ends[0].canRead = false, false
		},
	} {
		c := w.Clone()
		spoil(c)
		err := c.Finish()
		require.ErrorContains(t, err, want, want)
		require.ErrorContains(t, err, "repeat it: the command")
		require.ErrorContains(t, err, "segment-out")
		require.ErrorContains(t, err, "seed 1")
	}
	cfg := pair("linux", Flow{Users: users([]Step{eof}, []Step{eof})})
	require.ErrorContains(t, world(t, cfg).Finish(), "a user waits for what never comes")
	cfg.End = clock.Instant(clock.Hour)
	require.ErrorContains(t, world(t, cfg).Finish(), "a user waits in vain")
	cfg = pair("linux", Flow{Sure: true, Users: users([]Step{{Op: Abort}}, nil)})
	require.ErrorContains(t, world(t, cfg).Finish(), "has not got the whole stream")
	cfg = pair("linux", Flow{Users: users([]Step{write(10_000_000), half, eof}, []Step{eof})})
	cfg.MaxEvents = 100
	require.ErrorContains(t, world(t, cfg).Finish(), "goes on and on")
}

// The windows are looked at where new data goes out.
func TestWindowChecksCanFail(t *testing.T) {
	for want, spoil := range map[string]func(v *tcp.View){
		"beyond the congestion window": func(v *tcp.View) { v.Cwnd, v.InFlight = 1448, 5000 },
		"beyond the peer's window":     func(v *tcp.View) { v.Send.WND = seq.Size(v.Send.NXT.From(v.Send.UNA)) - 5 },
	} {
		w := underWay(t)
		v := w.Conn(0, 0).View()
		spoil(&v)
		w.inspectNew(0, w.Conn(0, 0), &v, v.Send.NXT, 100)
		require.ErrorContains(t, w.Run(w.Now()), want)
	}
}

func TestNewRefuses(t *testing.T) {
	good := func() Config {
		return pair("linux", Flow{Users: users(nil, nil)})
	}
	for name, change := range map[string]func(c *Config){
		"a host that is not there": func(c *Config) { c.Flows[0].Users[1].Host = 2 },
		"a link to itself":         func(c *Config) { c.Links[0].B = 0 },
		"a link to nobody":         func(c *Config) { c.Links[0].B = 7 },
		"no address of the family": func(c *Config) { c.Hosts[0].Addrs = c.Hosts[0].Addrs[1:] },
		"a port twice":             func(c *Config) { c.Hosts[1].Listens = append(c.Hosts[1].Listens, Listen{Port: 80}) },
		"an address twice":         func(c *Config) { c.Hosts[1].Addrs = append(c.Hosts[1].Addrs, c.Hosts[1].Addrs[0]) },
		"a stack without sense":    func(c *Config) { c.Hosts[0].Core.MaxConns = 0 },
		"an outage of nothing":     func(c *Config) { c.Outages = []Outage{{Direction: 2}} },
		"an outage backwards":      func(c *Config) { c.Outages = []Outage{{From: 2, Until: 1}} },
	} {
		c := good()
		change(&c)
		_, err := New(&c)
		require.Error(t, err, name)
	}
	finish(t, good())
}
