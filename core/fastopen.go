package core

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// FastOpenMode says what of Fast Open (RFC 7413) a stack does. The bits are those
// of Linux's tcp_fastopen.
type FastOpenMode uint16

// The parts of Fast Open.
const (
	FastOpenClient         FastOpenMode = 0x1   // DialFastOpen
	FastOpenServer         FastOpenMode = 0x2   // listeners that ask for it
	FastOpenClientNoCookie FastOpenMode = 0x4   // data goes in every SYN of DialFastOpen, §7.3
	FastOpenServerNoCookie FastOpenMode = 0x200 // data of every SYN is taken
	FastOpenAllListeners   FastOpenMode = 0x400 // listeners that don't ask, too
)

// FastOpenKeys make the cookies of a server and check them. The first makes them;
// those of the second are still good, so that keys can be exchanged (§4.1.2).
type FastOpenKeys struct {
	Key    [2]siphash.Key
	Number int // how many there are; 0: the stack draws one from its secret
}

// FastOpenCookie is the cookie that a server gives to a client, the same as Linux
// makes: SipHash over both addresses as they stand in the IP header, lowest octet
// first.
func FastOpenCookie(key siphash.Key, client, server wire.Addr) (k tcp.Cookie) {
	var b [32]byte
	n := 0
	for _, a := range [...]wire.Addr{client, server} {
		hi, lo := a.Words()
		if a.Is4() {
			wire.PutBe32(b[n:], uint32(lo))
			n += 4
			continue
		}
		for _, w := range [...]uint64{hi, lo} {
			wire.PutBe32(b[n:], uint32(w>>32))
			wire.PutBe32(b[n+4:], uint32(w))
			n += 8
		}
	}
	mac := siphash.Sum64(key, b[:n])
	k.Len = 8
	for i := range k.Len {
		k.Octets[i] = byte(mac >> (8 * i))
	}
	return k
}

// fastOpenKeys are those of l, or those of the stack if it has none, or is nil.
func (s *Stack) fastOpenKeys(l *Listener) FastOpenKeys {
	switch {
	case l != nil && l.fast.keys.Number > 0:
		return l.fast.keys
	case s.cfg.FastOpenKeys.Number > 0:
		return s.cfg.FastOpenKeys
	}
	return FastOpenKeys{Key: [2]siphash.Key{s.keys.fastOpen}, Number: 1}
}

// fastServer is what is known of a server for connections from one of our
// addresses (§4.1.3).
type fastServer struct {
	local, remote wire.Addr
	cookie        tcp.Cookie
	mss           uint16
	exp           bool          // it has refused the option once, and is asked by an experiment the next time
	asked         bool          // which was refused too
	losses        uint8         // negative responses in a row (§4.1.3.1)
	lossPort      uint16        // from this port
	lossAt        clock.Instant // and when the last was
}

// fastClient is what a stack knows as a client of Fast Open.
type fastClient struct {
	servers []fastServer // the one used last comes first
	pauses  uint8        // blackholes in a row
	pauseAt clock.Instant
}

// DialFastOpen is Dial with Fast Open. If there is a cookie for the server, the SYN
// takes along what fits of data, of which it returns the number of octets: the rest
// is for Write. If there is none, or data is nil, the SYN asks for it, and nothing of
// data is taken.
// Data in a SYN may reach the server's application twice (§2.1).
func (s *Stack) DialFastOpen(now clock.Instant, local, remote wire.AddrPort, cfg *tcp.Config, data []byte) (*Conn, int, error) {
	if s.cfg.FastOpen&FastOpenClient == 0 {
		return nil, 0, tcp.ErrUnsupported
	}
	c, err := s.Dial(now, local, remote, cfg)
	if err != nil {
		return nil, 0, err
	}
	c.flags |= connFastOpen
	tuple := c.tcb.Tuple()
	o := s.fastOpening(now, &tuple, c.tcb.Config())
	if data == nil && o.Data {
		o.Cookie.Len, o.Data = 0, false
	}
	n := c.tcb.FastOpen(now, o, data)
	return c, n, nil
}

// CanFastOpen reports whether the SYN of DialFastOpen would take data along now.
func (s *Stack) CanFastOpen(now clock.Instant, local, remote wire.AddrPort, cfg *tcp.Config) bool {
	if s.cfg.FastOpen&FastOpenClient == 0 {
		return false
	}
	if cfg == nil {
		cfg = &s.cfg.TCP
	}
	if !local.Addr.IsValid() || local.Addr.IsUnspecified() {
		local.Addr = s.sourceFor(remote.Addr)
	}
	return s.fastOpening(now, &tcp.Tuple{Local: local, Remote: remote}, cfg).Data
}

// fastOpening decides how a SYN goes.
func (s *Stack) fastOpening(now clock.Instant, t *tcp.Tuple, cfg *tcp.Config) (o tcp.FastOpening) {
	e := s.fast.find(t)
	if e != nil {
		o.MSS = e.mss
	}
	switch {
	case s.fastPaused(now, t, e):
		// A plain SYN: neither cookie nor data.
	case s.cfg.FastOpen&FastOpenClientNoCookie != 0 || cfg.FastOpenNoCookie:
		o.Data = true
	case e != nil && e.cookie.Len > 0:
		o.Cookie, o.Option, o.Data = e.cookie, true, true
	default:
		o.Option = true
		o.Cookie.Exp = e != nil && e.exp && s.cfg.FastOpenExperiment
	}
	return o
}

// fastPaused reports whether Fast Open rests: for all servers after what
// looks like a black hole, as Linux has it, or for one that has not answered well
// (§4.1.3.1). Each time lasts twice as long as the one before.
func (s *Stack) fastPaused(now clock.Instant, t *tcp.Tuple, e *fastServer) bool {
	if f := &s.fast; f.pauses > 0 && now.Sub(f.pauseAt) < s.cfg.FastOpenBlackhole<<min(f.pauses-1, fastPauseMax) {
		return true
	}
	return e != nil && e.losses > 0 && e.lossPort == t.Remote.Port &&
		now.Sub(e.lossAt) < s.cfg.FastOpenPause<<min(e.losses-1, fastPauseMax)
}

const fastPauseMax = 6 // times that a pause doubles

// FlushFastOpen forgets all cookies.
func (s *Stack) FlushFastOpen() { s.fast.servers = s.fast.servers[:0] }

// find returns what is known of a server, nil if nothing is.
func (f *fastClient) find(t *tcp.Tuple) *fastServer {
	for i := range f.servers {
		if e := &f.servers[i]; e.remote == t.Remote.Addr && e.local == t.Local.Addr {
			return e
		}
	}
	return nil
}

// touch returns what is known of a server, and makes it the one used last. Of more
// than most servers the one that was used longest ago is forgotten.
func (f *fastClient) touch(t *tcp.Tuple, most int) *fastServer {
	i := 0
	for i < len(f.servers) && !(f.servers[i].remote == t.Remote.Addr && f.servers[i].local == t.Local.Addr) {
		i++
	}
	e := fastServer{local: t.Local.Addr, remote: t.Remote.Addr}
	switch {
	case i < len(f.servers):
		e = f.servers[i]
	case i < most:
		f.servers = append(f.servers, e)
	default:
		i--
	}
	copy(f.servers[1:i+1], f.servers[:i])
	f.servers[0] = e
	return &f.servers[0]
}

// fastOpenMoved looks what a connection with Fast Open has come to.
func (s *Stack) fastOpenMoved(now clock.Instant, c *Conn) {
	if c.tcb.Passive() {
		s.fastServerMoved(now, c)
		return
	}
	n := c.tcb.TakeFastOpenNews()
	if n == (tcp.FastOpenNews{}) {
		return
	}
	f := &s.fast
	if n.Blackhole && s.cfg.FastOpenBlackhole > 0 {
		f.pauses, f.pauseAt = min(f.pauses+1, fastPauseMax+1), now
	}
	if n.Works && !s.fastPaused(now, nil, nil) {
		f.pauses = 0
	}
	if !n.Answered && !n.Negative {
		return
	}
	tuple := c.tcb.Tuple()
	e := f.touch(&tuple, s.cfg.FastOpenServers)
	if n.Negative {
		e.losses, e.lossPort, e.lossAt = min(e.losses+1, fastPauseMax+1), tuple.Remote.Port, now
	}
	if !n.Answered {
		return
	}
	e.mss = n.MSS
	if n.Cookie.Len > 0 {
		e.cookie = n.Cookie
	} else if n.Refused && e.cookie.Len == 0 {
		// Linux tries the experiment once.
		e.exp, e.asked = !e.asked, true
	}
	if !n.Negative {
		e.losses = 0
	}
}

func (f *fastClient) fingerprint(h *siphash.Hash, now clock.Instant) {
	if f.pauses > 0 {
		h.WriteUint64(uint64(now.Sub(f.pauseAt))<<8 | uint64(f.pauses))
	}
	for i := range f.servers {
		e := &f.servers[i]
		fingerprintTuple(h, &tcp.Tuple{Local: wire.AddrPort{Addr: e.local}, Remote: wire.AddrPort{Addr: e.remote, Port: e.lossPort}})
		e.cookie.Fingerprint(h)
		flags := uint64(e.mss)<<8 | uint64(e.losses)<<32
		if e.exp {
			flags |= 1
		}
		if e.asked {
			flags |= 2
		}
		h.WriteUint64(flags)
		if e.losses > 0 {
			h.WriteUint64(uint64(now.Sub(e.lossAt)))
		}
	}
}
