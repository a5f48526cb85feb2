package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/wire"
)

// TCP Fast Open, RFC 7413: data in the SYN. The stack keeps the cookies and makes
// them; here is what one connection does.
//
//	client  SYN, cookie?, data     the data counts as sent (§4.2.2, step 2)
//	        SYN again              bare: neither cookie nor data
//	        SYN-ACK of the SYN     the data goes again at once
//	server  SYN, good cookie       the data can be read, and answered, in SYN-RECEIVED
//	        SYN-ACK again          with neither data nor cookie

// A Cookie is what a server gives out and a client brings back (§4.1.1). One
// without octets asks for one.
type Cookie struct {
	Octets [16]byte
	Len    uint8
	Exp    bool // goes as an experiment, RFC 6994: the form before RFC 7413
}

// CookieOf is the cookie among the options of a SYN; false if there is none.
func CookieOf(o *wire.Options) (k Cookie, ok bool) {
	if o.Has&wire.HasFastOpen == 0 {
		return k, false
	}
	k.Len, k.Exp = o.FastOpenLen, o.FastOpenExp
	copy(k.Octets[:k.Len], o.FastOpen[:])
	return k, true
}

func (k *Cookie) put(o *wire.Options) {
	o.Has |= wire.HasFastOpen
	o.FastOpenLen, o.FastOpenExp, o.FastOpen = k.Len, k.Exp, k.Octets
}

// FastOpening is how a client's SYN goes.
type FastOpening struct {
	Cookie Cookie // to bring, or the form in which to ask
	Option bool   // the SYN has the option
	Data   bool   // the SYN takes data along
	MSS    uint16 // of the server's last SYN-ACK; 0: not known
}

// fastOpen is what a connection with Fast Open has beside the others.
type fastOpen struct {
	cookie  Cookie // of the first SYN or SYN-ACK
	option  bool   // which has the option
	opened  bool   // server: the cookie was good, FastOpened of §4.2
	taken   bool   // server: its user has the connection
	carried uint16 // client: octets in the SYN
	done    bool   // data of a SYN or SYN-ACK has been taken
	fail    FastOpenFailure
	news    FastOpenNews // since TakeFastOpenNews
}

// A FastOpenFailure is why a client's Fast Open came to nothing.
type FastOpenFailure uint8

// The failures, with Linux's numbers.
const (
	FastOpenNoFailure FastOpenFailure = iota
	FastOpenNoCookie                  // there was no cookie
	FastOpenNotAcked                  // the SYN was acknowledged, its data was not
	FastOpenResent                    // and it had been sent more than once
)

// FastOpenNews is what a client's connection has found out for the next to the
// same server (§4.1.3).
type FastOpenNews struct {
	Answered  bool   // there was a SYN-ACK: Cookie and MSS are its
	Cookie    Cookie // Len 0: none came
	MSS       uint16
	Refused   bool // a cookie was asked for, and none came with the first SYN-ACK
	Exp       bool // it was asked for as an experiment
	Works     bool // the connection has ended, and data had come
	Negative  bool // §4.1.3.1: no cookie and no data taken, or no answer at all
	Blackhole bool // perhaps the path swallows such connections
}

// FastOpen makes the SYN that OpenActive has queued one of Fast Open. It returns
// how much of data will go in it; the rest is its user's to write again.
func (c *TCB) FastOpen(now clock.Instant, o FastOpening, data []byte) int {
	f := &fastOpen{cookie: o.Cookie, option: o.Option}
	c.fast = f
	if !o.Data {
		f.fail = FastOpenNoCookie
		return 0
	}
	n := c.sendBuf.append(&c.env.Pool, data[:min(len(data), c.synRoom(o.MSS), int(c.snd.limit))])
	f.carried = uint16(n)
	if n > 0 && c.env.Hooks.Has(StepWrite) {
		c.hookData(now, StepWrite, data[:n])
	}
	return n
}

// synRoom is how much data fits a SYN: the server's MSS as it was the last time,
// and what is left of the packet by as many options as there may be. Without an
// MSS it is that of MUST-15, or on Linux our own (§4.2.2, step 1).
func (c *TCB) synRoom(mss uint16) int {
	m := int(c.pathMTU) - c.headers()
	if mss == 0 && !c.cfg.FastOpenOwnMSS {
		mss = c.defaultMSS()
	}
	if mss != 0 {
		m = min(m, int(mss))
	}
	if c.cfg.MaxMSS != 0 {
		m = min(m, int(c.cfg.MaxMSS))
	}
	return max(0, m-wire.TCPOptionsMax)
}

// fastSyn completes the first SYN or SYN-ACK, and returns how much data it takes
// along.
func (c *TCB) fastSyn(now clock.Instant, t *wire.TCP) uint32 {
	f := c.fast
	if f == nil {
		return 0
	}
	if f.option {
		f.cookie.put(&t.Options)
	}
	n := uint32(f.carried)
	if n > 0 {
		end := c.snd.base.Add(seq.Size(n))
		c.out = c.env.takeFlight()
		c.out.add(c.snd.base, end, uint16(n), now)
		c.snd.nxt = end
		c.sentAt = now
		c.count.octetsSent += uint64(n)
		c.count.dataSegsOut++
		c.env.Stats.OctetsOut += uint64(n)
	}
	return n
}

// fastAnswered is the client's part of §4.2.2 when our SYN is acknowledged.
func (c *TCB) fastAnswered(now clock.Instant, seg *Segment) {
	f := c.fast
	if f == nil {
		return
	}
	if c.passive {
		if !f.opened {
			c.fast = nil // the cookie has been given
		}
		return
	}
	lost := c.out != nil
	f.done = f.carried > 0 && !lost && c.state == SynSent // Linux counts no opens that have crossed
	if seg.Flags&wire.SYN != 0 {
		cookie, has := CookieOf(&seg.Options)
		if !f.option {
			cookie = Cookie{} // nobody has asked for it
		}
		n := &f.news
		n.Answered, n.Cookie, n.MSS, n.Exp = true, cookie, c.peerMSS, f.cookie.Exp
		n.Refused = f.option && f.carried == 0 && !has && !c.synAgain
		n.Negative = !has && (lost || f.option && !f.done)
	}
	if !lost {
		return
	}
	f.fail = FastOpenNotAcked
	if c.synAgain {
		f.fail = FastOpenResent
	}
	// No congestion: the server has not taken it, and it goes again with the ACK of
	// the SYN-ACK.
	c.out.mark(c.snd.una, c.snd.nxt, true)
	c.rec.point, c.rec.force = c.snd.nxt, 1
	c.setPhaseBy(now, Loss, rule.FastOpenRefused)
}

// takesSynAck reports whether the text of a SYN-ACK is taken. Linux does if the
// SYN was one of Fast Open and its data was taken too.
func (c *TCB) takesSynAck(seg *Segment) bool {
	if !c.fastClient() || c.out != nil {
		return c.cfg.SynAckText
	}
	c.fast.done = c.fast.done || len(seg.Payload) > 0
	return true
}

// OpenFast makes the connection that OpenPassive has begun one whose cookie was
// good: the text of its SYN is taken, and the user may have it before the handshake
// is over (§4.2.2, steps 4 to 6). fresh is a cookie to use from now on, if it has
// octets. A FIN is left to be sent again.
func (c *TCB) OpenFast(now clock.Instant, syn *Segment, fresh Cookie) {
	c.fast = &fastOpen{cookie: fresh, option: fresh.Len > 0, opened: true}
	if len(syn.Payload) == 0 {
		return
	}
	text := *syn
	text.Flags &^= wire.SYN | wire.FIN | wire.URG
	text.skip(1)
	text.Payload = text.Payload[:min(len(text.Payload), int(c.rcv.limit))]
	c.fast.done = true
	c.count.dataSegsIn++
	c.notePeer(now, &text)
	c.textInOrder(now, &text)
	// The SYN-ACK acknowledges it.
	c.pend &^= pendAck | pendDelayed
	c.stop(timerDelack)
}

// GiveCookie lets the first SYN-ACK of a connection that OpenPassive has begun carry
// a cookie for the next (§4.2.1).
func (c *TCB) GiveCookie(k Cookie) { c.fast = &fastOpen{cookie: k, option: true} }

// Accepted tells that the user has the connection.
func (c *TCB) Accepted() {
	if c.fast != nil {
		c.fast.taken = true
	}
}

// fastOpened reports whether data may be exchanged before the handshake is over.
func (c *TCB) fastOpened() bool { return c.fast != nil && c.fast.opened }

// fastWaits reports whether there is data, or a FIN, that may go in SYN-RECEIVED.
func (c *TCB) fastWaits() bool {
	return c.fastOpened() && (c.Unsent() > 0 || c.snd.finQueued && !c.snd.finSent && c.finMayGo())
}

// finMayGo reports whether a FIN may go now. §3.10.4 queues it in SYN-RECEIVED if
// there is data to send; with Fast Open the data may have gone already, and Linux
// lets the FIN of a close go too, but not that of a shutdown.
func (c *TCB) finMayGo() bool { return c.state.Synchronized() || c.released }

// onlySynData reports whether no data has come but with a SYN or SYN-ACK: what
// answers that shows nothing about the ACKs that may wait, as Linux has it.
func (c *TCB) onlySynData() bool { return c.fast != nil && c.fast.done && c.count.dataSegsIn <= 1 }

// fastLost lets the second timeout of a SYN-ACK count for the data that went behind
// it: it goes again when the peer is heard, and from a window of one segment.
func (c *TCB) fastLost(now clock.Instant) {
	if c.fastOpened() && c.out != nil && c.retries == 2 {
		c.timedOut(now)
	}
}

// fastTimeout is called for each timeout before it is counted; over tells that it
// is the last. Linux takes the third in a row, or an end before, for a path that
// swallows connections of Fast Open.
func (c *TCB) fastTimeout(over bool) {
	if c.fastClient() && (c.retries == 2 || c.retries < 2 && over) {
		c.fast.news.Blackhole = true
	}
}

// fastOver is called when a connection ends, or has nothing to do any more but to
// wait. An open that failed is a negative response (§4.1.3.1). Linux takes a FIN as
// all that has come, with a hole before it, for a path that swallows data.
func (c *TCB) fastOver(from State, by Cause) {
	if !c.fastClient() {
		return
	}
	n := &c.fast.news
	n.Negative = n.Negative || from == SynSent && by != ByCall
	if c.fast.option && c.count.dataSegsIn == 0 {
		n.Blackhole = n.Blackhole || c.rcv.finKnown && !c.rcv.finished
	}
	n.Works = c.fast.option && c.count.dataSegsIn > 0
}

// fastReset is called for a reset in the window that is not at RCV.NXT: as the first
// thing that comes it is one more sign, on Linux, that data is swallowed.
func (c *TCB) fastReset() {
	if c.fastClient() && c.fast.option && c.count.dataSegsIn == 0 && c.state == Established {
		c.fast.news.Blackhole = true
	}
}

// fastClient reports whether our SYN was one of Fast Open.
func (c *TCB) fastClient() bool {
	return c.fast != nil && !c.passive && (c.fast.option || c.fast.carried > 0)
}

// TakeFastOpenNews returns what was found out since the last call.
func (c *TCB) TakeFastOpenNews() (n FastOpenNews) {
	if c.fast != nil {
		n, c.fast.news = c.fast.news, FastOpenNews{}
	}
	return n
}

// fastShrunk lets a SYN whose data was too large for the path go again without.
func (c *TCB) fastShrunk() {
	if c.out != nil {
		c.pend |= pendSyn
	}
}

// fingerprint adds what decides the connection's future, or the next one's.
func (f *fastOpen) fingerprint(h *siphash.Hash) {
	if f == nil {
		return
	}
	flags := uint64(f.carried)<<32 | uint64(f.fail)<<16
	for i, b := range [...]bool{
		f.option, f.opened, f.taken, f.done, f.news.Answered, f.news.Refused, f.news.Exp, f.news.Negative, f.news.Blackhole, f.news.Works,
	} {
		if b {
			flags |= 1 << i
		}
	}
	h.WriteUint64(flags)
	h.WriteUint64(uint64(f.news.MSS))
	f.cookie.Fingerprint(h)
	f.news.Cookie.Fingerprint(h)
}

// Fingerprint adds the cookie to h.
func (k *Cookie) Fingerprint(h *siphash.Hash) {
	n := uint64(k.Len) << 1
	if k.Exp {
		n++
	}
	h.WriteUint64(n)
	h.WriteUint64(siphash.Sum64(siphash.Key{}, k.Octets[:]))
}
