package sim

import (
	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// The invariants of THREATS.md. Those of the engine's own books are
// core.Stack.Check, which is asked after every event; here are those that can be
// seen from outside:
//
//	each packet       parses, is whole, from one of the host's addresses, fits the
//	                  link, has right checksums and no option out of place
//	each segment      carries the octets that the user has written there, ACKs
//	                  RCV.NXT, takes no window back, is no longer than the MSS
//	new data          lies within the windows of peer and congestion, but for a probe
//	after a reset     no reset goes out, and at most one ACK of its connection
//	each connection   moves along Figure 5 only, UNA and NXT and RCV.NXT go forward,
//	                  UNA <= NXT <= UNA + the largest window + 1
//	each stack        has no deadline in the past, and no memory that nobody owns
//	each user         reads a prefix of what the other has written; an end of the
//	                  stream comes at its end (user.go)
//	at the end        everything is gone

// A book is what is remembered of one connection from event to event.
type book struct {
	id      uint32
	end     int32 // + 1; 0: nobody's
	state   tcp.State
	una     seq.Value
	nxt     seq.Value
	rcvNxt  seq.Value
	rcvEdge seq.Value
	sent    seq.Value // the end of what has been on the wire
	edge    seq.Value // the right edge that was told on the wire, if told
	synced  bool      // there is an IRS
	told    bool
}

// book returns what is remembered of c; of a new connection, how it began.
func (h *host) book(c *core.Conn) *book {
	for len(h.books) <= c.Slot() {
		h.books = append(h.books, book{})
	}
	b := &h.books[c.Slot()]
	if b.id != c.ID() {
		iss := c.View().Send.ISS
		*b = book{id: c.ID(), una: iss, nxt: iss, sent: iss}
		if c.Passive() {
			b.state = tcp.Listen
		}
	}
	return b
}

// allChecked is how many connections are all looked at after every event; of
// more, only after each so many events.
const allChecked = 64

// check looks at a host that has come to rest.
func (w *World) check(h int) {
	one := &w.hosts[h]
	s := one.stack
	if n := s.Conns(); n > allChecked && w.count.Events%uint64(n/allChecked*16) != 0 {
		return
	}
	if s.Deadline() <= w.now {
		w.fail(h, 0, "the deadline is in the past")
	}
	if why, c := s.Check(); why != "" {
		w.failConn(h, c, why)
	}
	for slot := range s.Slots() {
		c := s.Conn(slot)
		if c == nil {
			continue
		}
		w.checkMoves(h, one.book(c))
		w.checkConn(h, one, c)
	}
	for _, m := range one.seen.moved {
		if !onFigure5(m.from, m.to) {
			w.fail(h, m.id, m.from.String()+" to "+m.to.String()+" is not in Figure 5")
		}
	}
	one.seen.moved = one.seen.moved[:0]
}

func onFigure5(from, to tcp.State) bool {
	for _, e := range tcp.Edges() {
		if e.From == from && e.To == to {
			return true
		}
	}
	return false
}

// checkMoves follows what the hook was told of a connection.
func (w *World) checkMoves(h int, b *book) {
	for _, m := range w.hosts[h].seen.moved {
		if m.id != b.id {
			continue
		}
		if m.from != b.state {
			w.fail(h, b.id, "the hook is told of "+m.from.String()+" after "+b.state.String())
		}
		b.state = m.to
	}
}

func (w *World) checkConn(h int, one *host, c *core.Conn) {
	b, v := &one.books[c.Slot()], c.View()
	if v.State != b.state {
		w.failConn(h, c, "the hook was told of "+b.state.String()+" last")
	}
	if v.State == tcp.Closed || v.State == tcp.Listen {
		return
	}
	snd, rcv := &v.Send, &v.Receive
	switch {
	case snd.UNA.Before(b.una):
		w.failConn(h, c, "SND.UNA goes back")
	case snd.NXT.Before(b.nxt):
		w.failConn(h, c, "SND.NXT goes back")
	case snd.NXT.Before(snd.UNA):
		w.failConn(h, c, "SND.NXT is before SND.UNA")
	case snd.NXT.From(snd.UNA) > v.MaxWindow+1:
		w.failConn(h, c, "SND.NXT is beyond SND.UNA and the largest window")
	}
	b.una, b.nxt = snd.UNA, snd.NXT
	if v.State == tcp.SynSent {
		return
	}
	edge := rcv.NXT.Add(rcv.WND)
	if b.synced && rcv.NXT.Before(b.rcvNxt) {
		w.failConn(h, c, "RCV.NXT goes back")
	}
	if b.synced && edge.Before(b.rcvEdge) {
		w.failConn(h, c, "RCV.NXT + RCV.WND goes back")
	}
	b.rcvNxt, b.rcvEdge, b.synced = rcv.NXT, edge, true
}

// inspect looks at a packet that a host sends.
func (w *World) inspect(h int, p *packet.Packet) {
	link := &w.cfg.Hosts[h].Link
	mtu := link.MTU
	if mtu == 0 {
		mtu = 65535
	}
	switch {
	case p.Partial && !link.Checksum:
		w.fail(h, 0, "a partial checksum for a link that takes none")
	case p.SegmentSize == 0 && len(p.Bytes) > mtu:
		w.fail(h, 0, "a packet larger than the link takes")
	case p.SegmentSize > 0 && len(p.Bytes) > link.MaxSuper:
		w.fail(h, 0, "a super-packet larger than the link takes")
	}
	w.inspectBytes(h, p, true)
}

// inspectPiece looks at what a super-packet was cut into.
func (w *World) inspectPiece(h int, p *packet.Packet) {
	if mtu := w.cfg.Hosts[h].Link.MTU; mtu > 0 && len(p.Bytes) > mtu {
		w.fail(h, 0, "a piece of a super-packet larger than the link takes")
	}
	w.inspectBytes(h, p, false)
}

// inspectBytes looks at the packet itself; with whole, also at what it says
// about its connection.
func (w *World) inspectBytes(h int, p *packet.Packet, whole bool) {
	var ip wire.IP
	var t wire.TCP
	b := p.Bytes
	if why := wire.ParseIP(b, &ip); why != rule.NotDropped {
		w.fail(h, 0, "a packet is sent that cannot be read: "+why.String())
		return
	}
	if ip.TotalLen != len(b) {
		w.fail(h, 0, "a packet is sent that is longer than its header says")
	}
	if w.hostOf(ip.Src) != h {
		w.fail(h, 0, "a packet is sent from an address of somebody else")
	}
	if ip.TTL == 0 {
		w.fail(h, 0, "a packet is sent that may not go anywhere")
	}
	upper := b[ip.HeaderLen:ip.TotalLen]
	if ip.Protocol != wire.ProtocolTCP {
		var m wire.ICMP
		if why := wire.ParseICMP(upper, &ip, &m); why != rule.NotDropped {
			w.fail(h, 0, "a message is sent that cannot be read: "+why.String())
		}
		return
	}
	if why := wire.ParseTCP(upper, &t); why != rule.NotDropped {
		w.fail(h, 0, "a segment is sent that cannot be read: "+why.String())
		return
	}
	if !p.Partial && !wire.VerifyTCP(upper, &ip) {
		w.fail(h, 0, "a segment is sent with a wrong checksum")
	}
	const ofSyn = wire.HasMSS | wire.HasWindowScale | wire.HasSACKPermitted
	has := t.Options.Has
	if w.cfg.Hosts[h].Changes {
		if has&wire.HasMalformed != 0 {
			w.fail(h, 0, "a segment is sent with options that are wrong")
		}
		return
	}
	if has&(wire.HasMalformed|wire.HasUnknown) != 0 || has&ofSyn != 0 && !t.Flags.Has(wire.SYN) {
		w.fail(h, 0, "a segment is sent with options that are wrong or out of place")
	}
	if whole {
		w.inspectSegment(h, &ip, &t, upper[t.HeaderLen:], int(p.SegmentSize))
	}
}

// inspectSegment compares a segment with the connection that it is of.
func (w *World) inspectSegment(h int, ip *wire.IP, t *wire.TCP, payload []byte, size int) {
	one := &w.hosts[h]
	tuple := tcp.Tuple{
		Local:  wire.AddrPort{Addr: ip.Src, Port: t.SrcPort},
		Remote: wire.AddrPort{Addr: ip.Dst, Port: t.DstPort},
	}
	c := one.stack.Find(&tuple)
	if c == nil || t.Flags.Has(wire.RST) {
		if len(payload) > 0 {
			w.fail(h, 0, "data is sent without a connection, or with a reset")
		}
		return
	}
	b, v := one.book(c), c.View()
	if t.Flags.Has(wire.SYN) {
		if t.Seq != v.Send.ISS || len(payload) > 0 {
			w.failConn(h, c, "a SYN is sent that is not at ISS, or has data")
		}
		b.sent = seq.Max(b.sent, t.Seq.Add(1))
	} else if !t.Flags.Has(wire.ACK) {
		w.failConn(h, c, "a segment is sent without an ACK")
	}
	if t.Flags.Has(wire.ACK) {
		if t.Ack != v.Receive.NXT {
			w.failConn(h, c, "an ACK is sent that is not RCV.NXT")
		}
		w.inspectWindow(h, c, b, &v, t)
	}
	if t.Flags.Has(wire.SYN) {
		return
	}
	end := t.Seq.Add(seq.Size(len(payload)))
	if t.Flags.Has(wire.FIN) {
		if end = end.Add(1); end != v.Send.NXT {
			w.failConn(h, c, "a FIN is sent that is not before SND.NXT")
		}
	}
	switch {
	case end.After(v.Send.NXT):
		w.failConn(h, c, "a segment is sent that ends beyond SND.NXT")
	case t.Seq.Before(v.Send.UNA.Sub(1)) || len(payload) > 0 && t.Seq.Before(v.Send.UNA):
		w.failConn(h, c, "something is sent again that was acknowledged")
	}
	if most := uint32(v.MSS); uint32(size) > most || size == 0 && uint32(len(payload)) > most {
		w.failConn(h, c, "a segment is sent that is larger than the MSS")
	}
	if end.After(b.sent) {
		w.inspectNew(h, c, &v, end, len(payload))
		b.sent = end
	}
	if len(payload) == 0 {
		return
	}
	at := uint64(t.Seq.From(v.Send.ISS.Add(1)))
	switch i := b.end - 1; {
	case i < 0:
		w.failConn(h, c, "data is sent that nobody has written")
	case at+uint64(len(payload)) > w.ends[i].written:
		w.failConn(h, c, "more data is sent than was written")
	case !patternOf(i/2, uint8(i%2)).matches(payload, at):
		w.failConn(h, c, "data is sent that is not what was written")
	}
}

// inspectWindow is RFC 9293 §3.8.6 SHLD-14 as the peer sees it: no segment takes
// back what an earlier one has offered, but for what the unit of the scale cannot
// say (RFC 7323 §2.4), and a SYN no more than 65535.
func (w *World) inspectWindow(h int, c *core.Conn, b *book, v *tcp.View, t *wire.TCP) {
	window, unit := seq.Size(t.Window), seq.Size(1)
	if !t.Flags.Has(wire.SYN) {
		unit <<= v.Scale
		window *= unit
	}
	edge := t.Ack.Add(window)
	if !b.told || edge.After(b.edge) {
		b.edge, b.told = edge, true
	} else if b.edge.From(edge) >= unit && !(t.Flags.Has(wire.SYN) && t.Window == 65535) {
		w.failConn(h, c, "a window is taken back on the wire")
	}
}

// inspectNew is for what was not sent before: it is within the window, but for
// one octet of a probe and the FIN; and what is in flight is within the
// congestion window, but for one segment where nothing else is, and a tail loss
// probe.
func (w *World) inspectNew(h int, c *core.Conn, v *tcp.View, end seq.Value, n int) {
	allowed := int32(1)
	if n == 1 {
		allowed = 2
	}
	if end.Diff(v.Send.UNA.Add(v.Send.WND)) > allowed {
		w.failConn(h, c, "new data is sent beyond the peer's window")
	}
	// A FIN alone does not wait for the congestion window, on Linux neither.
	// RFC 8985 §7.3: nor does a loss probe, which may come when what is in flight is
	// more than the window has been since it was cut.
	cwnd := max(v.Cwnd, v.MSS) + 1
	if n > 0 && v.InFlight > cwnd && !v.Probe {
		w.failConn(h, c, "new data is sent beyond the congestion window")
	}
}

// isReset reports whether what arrives is a reset, unharmed.
func (w *World) isReset() bool {
	var ip wire.IP
	var t wire.TCP
	b := w.in.Bytes
	if wire.ParseIP(b, &ip) != rule.NotDropped || ip.Protocol != wire.ProtocolTCP {
		return false
	}
	upper := b[ip.HeaderLen:ip.TotalLen]
	return wire.ParseTCP(upper, &t) == rule.NotDropped && t.Flags.Has(wire.RST) && wire.VerifyTCP(upper, &ip)
}

// drainAfterReset is drain when all that a host has to send is the answer to a
// reset: RFC 5961 §3.2 has one ACK, everything else would be a war.
func (w *World) drainAfterReset(h int) {
	for n := 0; w.hosts[h].stack.Output(w.now, &w.out); n++ {
		w.inspect(h, &w.out)
		var ip wire.IP
		var t wire.TCP
		if wire.ParseIP(w.out.Bytes, &ip) != rule.NotDropped || ip.Protocol != wire.ProtocolTCP ||
			wire.ParseTCP(w.out.Bytes[ip.HeaderLen:ip.TotalLen], &t) != rule.NotDropped ||
			t.Flags != wire.ACK || len(w.out.Bytes) != ip.HeaderLen+t.HeaderLen || n > 0 {
			w.fail(h, 0, "a reset is answered by more than one ACK")
		}
		w.send(h, &w.out)
	}
	w.remember(h)
}

// checkEnd looks at a world in which nothing happens any more.
func (w *World) checkEnd() {
	for i := range w.ends {
		switch e := &w.ends[i]; {
		case e.state == atWork:
			w.failFlow(int32(i), "a user waits for what never comes")
		case w.cfg.Flows[i/2].Sure && e.state == done && !(e.eof && e.err == tcp.NoError):
			w.failFlow(int32(i), "a user has not got the whole stream: "+e.err.Error())
		case w.cfg.Flows[i/2].Sure && e.state != done:
			w.failFlow(int32(i), "a user never got a connection")
		}
	}
	for h := range w.hosts {
		s := w.hosts[h].stack
		for slot := range s.Slots() {
			if c := s.Conn(slot); c != nil {
				w.failConn(h, c, "a connection has no end")
			}
		}
		if s.TimeWaits() > 0 {
			w.fail(h, 0, "a record of TIME-WAIT has no end")
		}
		if why, _ := s.Check(); why != "" {
			w.fail(h, 0, why)
		}
	}
	if len(w.landed) != len(w.air) {
		w.fail(-1, 0, "a packet has not arrived")
	}
}
