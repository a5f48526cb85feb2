package sim

import (
	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A draw is what a number of a random world is for. Each number is a function of
// the seed, its draw and an index, so that a new kind of number changes no old
// one: new ones go to the end.
type draw uint64

const (
	drawHosts draw = iota + 1
	drawProfile
	drawMTU
	drawOffload
	drawOption
	drawBuffer
	drawController
	drawMSS
	drawDelay
	drawJitter
	drawRate
	drawQueue
	drawLoss
	drawDuplicate
	drawReorder
	drawCorrupt
	drawHold
	drawPathMTU
	drawOutage
	drawCalm
	drawGap
	drawFamily
	drawPair
	drawKind
	drawSize
	drawChunk
	drawPace
	drawWait
	drawSkew
	drawOnce
)

type dice struct{ key siphash.Key }

// below draws a number less than n.
func (d dice) below(what draw, i int, n uint64) uint64 {
	return siphash.PRF(d.key, forScenario, uint64(what), uint64(i)) % n
}

func (d dice) oneIn(what draw, i int, n uint64) bool { return d.below(what, i, n) == 0 }

func (d dice) duration(what draw, i int, most clock.Duration) clock.Duration {
	return clock.Duration(d.below(what, i, uint64(most)+1))
}

const (
	portOpen = 80 // somebody accepts
	portDeaf = 81 // nobody does
	portMeet = 1000
)

// Random is the world of a seed: two or three hosts of any profile and with any
// options, links with all faults until they calm down, and so many flows whose
// users write, read, wait, and end in any way.
func Random(seed uint64, flows int) Config {
	d := dice{key: siphash.Key{K0: seed, K1: 0x72616e646f6d}}
	cfg := Config{
		Seed: seed,
		Calm: clock.Instant(5 * clock.Second).Add(d.duration(drawCalm, 0, 35*clock.Second)),
		End:  clock.Instant(3 * clock.Hour),
	}
	n := 2 + int(d.below(drawHosts, 0, 4)/3)
	small := false // a host whose packets are too small for IPv6
	for i := range n {
		cfg.Hosts = append(cfg.Hosts, d.host(i))
		small = small || len(cfg.Hosts[i].Addrs) == 1
	}
	for a := range n {
		for b := range a {
			cfg.Links = append(cfg.Links, Link{A: b, B: a, AB: d.channel(4*a+2*b, small), BA: d.channel(4*a+2*b+1, small)})
		}
	}
	for i := range d.below(drawOutage, 0, 3) {
		from := clock.Instant(d.duration(drawOutage, 10+int(i), 20*clock.Second))
		cfg.Outages = append(cfg.Outages, Outage{
			Direction: int(d.below(drawOutage, 20+int(i), uint64(2*len(cfg.Links)+1))) - 1,
			From:      from, Until: from.Add(d.duration(drawOutage, 30+int(i), 15*clock.Second)),
		})
	}
	at := clock.Instant(clock.Second)
	for i := range flows {
		at = at.Add(d.duration(drawGap, i, 500*clock.Millisecond))
		cfg.Flows = append(cfg.Flows, d.flow(i, n, at, small))
	}
	return cfg
}

func (d dice) host(i int) Host {
	profile := [...]string{"linux", "linux", "linux", "linux", "rfc9293", "rfc9293", "embedded", "lab"}[d.below(drawProfile, i, 8)]
	c, err := core.Profile(profile)
	if err != nil {
		panic("sim: no profile " + profile)
	}
	t := &c.TCP
	for k, option := range [...]*bool{
		&t.Timestamps, &t.SACK, &t.WindowScaling, &t.Nagle, &t.NagleMinshall, &t.ProbeWithData, &t.ProbeFromAnswer,
		&t.KeepWindow, &t.SlowStartAfterIdle, &t.RFC1337, &t.RTOMinOfVariance,
	} {
		if d.oneIn(drawOption, 16*i+k, 6) {
			*option = !*option
		}
	}
	if d.oneIn(drawController, i, 2) {
		names := cc.Names()
		t.Controller, _ = cc.ByName(names[d.below(drawController, 16+i, uint64(len(names)))])
	}
	if d.oneIn(drawBuffer, i, 4) {
		size := 2048 + uint32(d.below(drawBuffer, 16+i, 60_000))
		t.ReceiveBuffer, t.ReceiveBufferMax = size, size<<d.below(drawBuffer, 32+i, 3)
		size = 2048 + uint32(d.below(drawBuffer, 48+i, 60_000))
		t.SendBuffer, t.SendBufferMax = size, size<<d.below(drawBuffer, 64+i, 3)
	}
	if d.oneIn(drawMSS, i, 8) {
		t.MaxMSS = 216 + uint16(d.below(drawMSS, 16+i, 1200))
	}
	// A cookie promises what only one lost ACK makes untrue (RFC 4987 §3.6): these
	// have scenarios of their own.
	c.SynCookies = false
	h := Host{
		Core:    c,
		Link:    packet.Link{MTU: [...]int{1500, 1500, 1500, 9000, 1280, 576, 65535, 4352}[d.below(drawMTU, i, 8)]},
		Listens: []Listen{{Port: portOpen, Backlog: 128}, {Port: portDeaf, Backlog: 2, Deaf: true}},
	}
	h.Addrs = append(h.Addrs, wire.Prefix{Addr: wire.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), Bits: 24})
	if h.Link.MTU >= 1280 {
		h.Addrs = append(h.Addrs, wire.Prefix{Addr: wire.AddrFrom16([16]byte{0: 0xfd, 15: byte(i + 1)}), Bits: 64})
	}
	if d.oneIn(drawOffload, i, 4) {
		h.Link.Checksum = true
		h.Link.MaxSuper = [...]int{0, 16 << 10, 65535}[d.below(drawOffload, 16+i, 3)]
	}
	return h
}

func (d dice) channel(i int, small bool) Channel {
	const ms = clock.Millisecond
	c := Channel{
		Delay:     d.duration(drawDelay, i, [...]clock.Duration{0, ms, 10 * ms, 50 * ms, 100 * ms, 300 * ms}[d.below(drawDelay, 100+i, 6)]),
		Jitter:    d.duration(drawJitter, i, 30*ms),
		Loss:      uint32(d.below(drawLoss, i, 50_000)),
		Duplicate: uint32(d.below(drawDuplicate, i, 20_000)),
		Reorder:   uint32(d.below(drawReorder, i, 50_000)),
		Corrupt:   uint32(d.below(drawCorrupt, i, 20_000)),
		Hold:      d.duration(drawHold, i, 50*ms),
	}
	if d.oneIn(drawLoss, 100+i, 5) {
		c.Loss = uint32(d.below(drawLoss, 200+i, 300_000))
	}
	if d.oneIn(drawReorder, 100+i, 8) {
		c.Reorder, c.Hold = uint32(d.below(drawReorder, 200+i, 500_000)), d.duration(drawHold, 200+i, 5*clock.Second)
	}
	if d.oneIn(drawRate, i, 3) {
		c.Rate = 30_000 + d.below(drawRate, 100+i, 2_000_000)
		if d.oneIn(drawQueue, i, 2) {
			c.Queue = 10_000 + int(d.below(drawQueue, 100+i, 100_000))
		}
	}
	if d.oneIn(drawPathMTU, i, 6) {
		c.MTU = 1280 + int(d.below(drawPathMTU, 100+i, 220))
		if small {
			c.MTU = 576 + int(d.below(drawPathMTU, 200+i, 900))
		}
	}
	return c
}

// flow draws one connection. All that end otherwise than in order use keepalive:
// without it, who waits for a peer whose reset was lost waits for ever.
func (d dice) flow(i, hosts int, at clock.Instant, small bool) Flow {
	a := int(d.below(drawPair, i, uint64(hosts)))
	b := (a + 1 + int(d.below(drawPair, 1000+i, uint64(hosts-1)))) % hosts
	f := Flow{At: at, Port: portOpen, Family: wire.IPv4}
	f.Users[0].Host, f.Users[1].Host = a, b
	if !small && d.oneIn(drawFamily, i, 2) {
		f.Family = wire.IPv6
	}
	n, m := d.size(2*i), d.size(2*i+1)
	for side := range f.Users {
		if d.oneIn(drawPace, 2*i+side, 6) {
			most := max(n, m)
			f.Users[side].Pace = Pace{
				Chunk: uint32(most/100) + 1 + uint32(d.below(drawPace, 10_000+2*i+side, 3000)),
				Every: clock.Millisecond + d.duration(drawPace, 20_000+2*i+side, 100*clock.Millisecond),
			}
		}
	}
	if d.oneIn(drawKind, 10_000+i, 12) {
		f.Meet, f.Port, f.LocalPort = true, uint16(portMeet+2*i), uint16(portMeet+2*i+1)
		if !d.oneIn(drawSkew, i, 2) {
			f.Skew = d.duration(drawSkew, 1000+i, 200*clock.Millisecond)
		}
	}
	f.Users[0].Steps, f.Users[1].Steps, f.Sure = d.steps(i, n, m)
	if f.Skew > 0 {
		f.Sure = false // the first SYN may come too early
	}
	if d.oneIn(drawKind, 20_000+i, 40) && !f.Meet {
		f.Port, f.Sure = portDeaf, false
		f.Users[0].Steps = []Step{{Op: Write, N: n % 2000}, d.wait(3 * i), {Op: CloseWrite}, d.wait(3*i + 1)}
	}
	if !f.Sure {
		for side := range f.Users {
			alive := Step{Op: SetKeepalive, For: 30 * clock.Second, N: 4}
			f.Users[side].Steps = append([]Step{alive}, f.Users[side].Steps...)
		}
	}
	return f
}

// steps draws what the users of flow i do, the first writing n octets and the
// second m, and whether all of them must arrive.
func (d dice) steps(i int, n, m uint64) (one, two []Step, sure bool) {
	wn, wm := d.write(2*i, n), d.write(2*i+1, m)
	half, eof := Step{Op: CloseWrite}, Step{Op: AwaitEOF}
	w0, w1 := d.wait(3*i), d.wait(3*i+1)
	var rounds []Step
	switch kind := d.below(drawKind, i, 17); kind {
	case 0, 1, 2: // both write at once and close when both have
		return []Step{wn, half, eof}, []Step{wm, half, eof}, true
	case 3, 4: // a question and its answer
		return []Step{wn, half, eof}, []Step{eof, wm}, true
	case 5: // likewise, but the server closes first
		return []Step{wn, eof}, []Step{{Op: AwaitRead, N: n}, wm, half, eof}, true
	case 6: // both close at once
		return []Step{{Op: AwaitConnected}, wn, {Op: AwaitRead, N: m}, half, eof},
			[]Step{wm, {Op: AwaitRead, N: n}, half, eof}, true
	case 7: // questions and answers
		var others []Step
		for k := uint64(1); k <= 1+d.below(drawOnce, i, 10); k++ {
			rounds = append(rounds, Step{Op: Write, N: n/20 + 1}, Step{Op: AwaitRead, N: k * (m/20 + 1)})
			others = append(others, Step{Op: AwaitRead, N: k * (n/20 + 1)}, Step{Op: Write, N: m/20 + 1})
		}
		return append(rounds, half, eof), append(others, eof), true
	case 8: // it waits for the other to open its window
		never := Step{Op: SetPace, N: 1}
		return []Step{{Op: SetNoDelay}, wn, half, eof}, []Step{never, w0, {Op: SetPace}, eof, wm}, true
	case 9: // without reading what comes
		return []Step{wn}, []Step{wm, eof}, false
	case 10:
		return []Step{wn, w0, {Op: Abort}}, []Step{wm, eof}, false
	case 11:
		return []Step{wn, eof}, []Step{wm, w0, {Op: Abort}}, false
	case 12: // by a reset
		return []Step{{Op: SetLinger}, wn, w0}, []Step{wm, half, eof}, false
	case 13: // one reads no more
		return []Step{wn, {Op: CloseRead}, w0, half, w1}, []Step{wm, eof}, false
	case 14: // at any time
		return []Step{w0, {Op: Close}}, []Step{wm, w1, {Op: Close}}, false
	case 15: // and leaves what has come unread
		return []Step{wn, half, eof}, []Step{{Op: SetPace, N: 1}, w0, {Op: Close}}, false
	default: // nobody reads
		wn.N, wm.N = wn.N%2000, wm.N%2000
		return []Step{{Op: SetPace, N: 1}, wn, half, w0}, []Step{{Op: SetPace, N: 1}, wm, half, w1}, false
	}
}

// size draws how much a user writes: mostly little.
func (d dice) size(i int) uint64 {
	most := [...]uint64{1, 100, 1000, 20_000, 20_000, 100_000, 100_000, 300_000}[d.below(drawSize, i, 8)]
	if d.oneIn(drawSize, 200_000+i, 100) {
		most = 2_000_000
	}
	return d.below(drawSize, 100_000+i, most)
}

func (d dice) write(i int, n uint64) Step {
	s := Step{Op: Write, N: n}
	if d.oneIn(drawChunk, i, 4) {
		s.Chunk = 1 + uint32(n/50) + uint32(d.below(drawChunk, 100_000+i, 2000))
		s.For = d.duration(drawChunk, 200_000+i, 50*clock.Millisecond)
	}
	return s
}

func (d dice) wait(i int) Step {
	most := [...]clock.Duration{50 * clock.Millisecond, clock.Second, 10 * clock.Second, clock.Minute}[d.below(drawWait, i, 4)]
	return Step{Op: Wait, For: d.duration(drawWait, 100_000+i, most)}
}
