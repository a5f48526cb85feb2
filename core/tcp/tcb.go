package tcp

import (
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A TCB is one end of one connection (§3.3.1). It is plain data but for its
// environment, its configuration, which never changes, and what hangs off it:
// buffers, the flight and the reassembly, each there only while in use.
//
// Its methods may be called by one goroutine at a time.
type TCB struct {
	env  *Env
	cfg  *Config
	name name
	id   uint32

	state      State
	passive    bool  // the open was passive (MUST-11)
	released   bool  // the user has given its handle back
	readShut   bool  // the user reads no more
	answered   bool  // answerAt is set
	fragments  bool  // the path takes less than PathMTUFloor: routers may fragment
	deferring  bool  // the handshake is done, but DeferAccept waits for data
	persisting bool  // zero-window probes are going out since resendAt
	synAgain   bool  // the SYN was sent more than once: no sample from it, RFC 6298 §3
	err        Error // why the connection ended
	soft       Error // the last soft error
	ready      Ready // what the user has not been told yet
	order      order // of a hook, until Obey
	tagged     bool  // env.moved has something of it
	reserve    uint8 // octets of options that a hook wants in each segment
	lab        bool  // a hook has taken it where no rule does
	pend       pending

	snd send
	rcv receive
	rtt rtt
	rec recovery
	cc  cc.State
	ts  timestamps
	ecn ecn

	control cc.Controller  // whose state cc is
	rackRTT clock.Duration // RACK.rtt, RFC 8985
	loss    *losses        // what is remembered of losses

	armed  uint16 // a bit for each slot in use
	timers [timerPlugin]clock.Instant

	retries  uint8         // timeouts in a row, of SYN, data or FIN
	probes   uint8         // unanswered keepalive or zero-window probes
	mss      uint16        // effective send MSS without options other than timestamps (MUST-16)
	peerMSS  uint16        // the MSS option of the peer, or the default
	foundMSS uint16        // what MTUProbing has come down to; 0: it had no need to
	pathMTU  uint16        // what one packet may have on this path
	strayAt  seq.Value     // sequence number of a pending stray reset
	heardAt  clock.Instant // when the last acceptable segment arrived
	sentAt   clock.Instant // when the last segment with data was sent, for restarts after idleness
	resendAt clock.Instant // when the first retransmission in a row, or the SYN, was sent
	answerAt clock.Instant // when the last ACK for an unacceptable segment was sent

	sendBuf buffer
	recvBuf buffer
	fast    *fastOpen   // with Fast Open; nil without
	out     *flight     // what is in flight; nil when nothing is
	hold    *reassembly // what arrived early; nil when nothing did

	count counters
}

// send is the send sequence space (§3.3.1).
//
//	     1         2          3          4
//	----------|----------|----------|----------
//	       una        nxt       una+wnd
type send struct {
	iss, una, nxt seq.Value
	up            seq.Value // SND.UP
	wl1, wl2      seq.Value
	base          seq.Value // sequence number of the first octet in sendBuf
	pushed        seq.Value // end of the last new segment that had PSH
	small         seq.Value // end of the last segment that was smaller than the MSS
	wnd, maxWnd   seq.Size  // SND.WND and the largest it has been
	limit         uint32    // octets the send buffer may hold now
	scale         uint8     // Snd.Wind.Shift
	finQueued     bool      // a FIN follows the data
	finSent       bool      // and has been sent: it is the octet before nxt
	wantRoom      bool      // the user waits for room
	corked        bool      // what is less than a segment is held back
	more          bool      // likewise, until an ACK comes or more is written
	open          bool      // the end of what was written is no place for a PSH
	flush         bool      // what is written now is not held back any more
}

// receive is the receive sequence space.
//
//	     1          2          3
//	----------|----------|----------
//	       nxt        edge
type receive struct {
	irs, nxt seq.Value
	edge     seq.Value // the right edge that was advertised: RCV.NXT + RCV.WND
	up       seq.Value // RCV.UP
	acked    seq.Value // RCV.NXT in the last ACK: Last.ACK.sent
	fin      seq.Value // where the peer's FIN stands, if finKnown
	dup      seq.Value // the duplicate that the next ACK reports, RFC 2883
	dupLen   seq.Size  // its octets; 0: none
	limit    uint32    // octets the receive buffer may hold now
	mss      uint16    // largest payload seen, an estimate of the peer's segments
	scale    uint8     // Rcv.Wind.Shift
	quick    uint8     // segments still to be acknowledged at once
	pingpong bool      // the user answers what arrives: an ACK may wait for the answer
	finKnown bool
	finished bool           // the peer's FIN has been reached
	urgent   bool           // RCV.UP is ahead of what the user has read
	apart    urgentOctet    // the last urgent octet, where it is not in the stream
	octet    byte           // and what it is, if it is here
	offered  bool           // an edge was advertised
	since    uint8          // segments with data since the last ACK, with StepAck
	dataAt   clock.Instant  // when data arrived last
	tuneAt   clock.Instant  // autotuning: when this round began
	tuned    uint32         // and what the user has read in it
	segs     uint32         // segments that have come
	echoRTT  clock.Duration // how long the peer takes to answer, as its timestamps show
}

func (r *receive) window() seq.Size {
	if r.edge.Before(r.nxt) {
		return 0
	}
	return r.edge.From(r.nxt)
}

// timestamps is the state of RFC 7323's option.
type timestamps struct {
	on       bool
	sackOK   bool          // not a timestamp: SACK was agreed on
	scaleOK  bool          // window scaling was agreed on
	recent   uint32        // TS.Recent
	recentAt clock.Instant // when it was set
	offset   uint32        // added to our clock, by tuple (THREATS S11)
}

// counters are what Info tells beyond the state.
type counters struct {
	octetsSent, octetsAcked, octetsResent, octetsReceived uint64
	segsOut, dataSegsOut, dataSegsIn                      uint32
	resent, delivered                                     uint32
}

// pending is what Output has to send apart from data.
type pending uint16

const (
	pendSyn     pending = 1 << iota // the SYN, or SYN-ACK
	pendAck                         // an ACK, at once
	pendDelayed                     // an ACK is owed; timerDelack says until when
	pendReset                       // the reset that ends the connection
	pendStray                       // a reset that answers one bad segment; strayAt is its sequence number
	pendProbe                       // a zero-window or keepalive probe
	pendForce                       // one octet of data into a closed window
	pendPush                        // the next data has PSH
	pendUpdate                      // the window has opened: tell the peer if it is worth it
	pendTail                        // a tail loss probe
	pendUrgent                      // the urgent pointer, at SND.UNA
	pendLast                        // an ACK, by a connection that a hook has taken out of TIME-WAIT
)

// Init makes c a closed connection of the given name. cfg is kept and must not
// change any more. id is what events call the connection.
func (c *TCB) Init(env *Env, cfg *Config, id uint32, t Tuple) {
	*c = TCB{env: env, cfg: cfg, id: id, name: nameOf(t), control: cfg.Controller, loss: &env.noLoss}
	c.pathMTU = linkMTU(env)
	c.rtt.rto = cfg.RTOInitial
	c.snd.limit, c.rcv.limit = cfg.SendBuffer, cfg.ReceiveBuffer
	c.rcv.quick = cfg.QuickAcks
	c.rcv.mss = 536
	if cfg.WindowScaling {
		// RFC 7323 §2.2: the shift is fixed now, so it is chosen for the largest
		// window that there may ever be.
		for c.rcv.scale < 14 && max(cfg.ReceiveBuffer, cfg.ReceiveBufferMax)>>c.rcv.scale > 65535 {
			c.rcv.scale++
		}
	}
}

// ID is the number by which events call the connection.
func (c *TCB) ID() uint32 { return c.id }

// Tuple is the connection's name.
func (c *TCB) Tuple() Tuple { return c.name.tuple() }

// State is the connection's state.
func (c *TCB) State() State { return c.state }

// Passive reports whether the connection was opened by its peer.
func (c *TCB) Passive() bool { return c.passive }

// Released reports whether the user has closed or aborted it.
func (c *TCB) Released() bool { return c.released }

// Gone reports whether nothing is left to do for the connection: its place may
// be given to another. A passive open that was reset is back in LISTEN, where its
// listener is already.
func (c *TCB) Gone() bool {
	return (c.state == Closed || c.state == Listen) && c.pend&(pendReset|pendStray|pendLast) == 0
}

// Err is why the connection ended, nil while it has not or when both ends
// closed it.
func (c *TCB) Err() error { return c.err.orNil() }

// TakeReady returns what became possible since the last call.
func (c *TCB) TakeReady() Ready {
	r := c.ready
	c.ready = 0
	return r
}

// Config is what the connection goes by.
func (c *TCB) Config() *Config { return c.cfg }

// Adjust gives the connection a configuration of its own, changed by the caller
// before it is used: the copy is returned, and must not change after the call
// that follows on c.
func (c *TCB) adjust() *Config {
	own := *c.cfg
	c.cfg = &own
	return &own
}

// setup fixes the sizes once the peer's SYN is known.
func (c *TCB) setup(now clock.Instant) {
	if c.env.Hooks.Has(StepReserve) {
		c.hookReserve(now)
	}
	c.setMSS()
	window := c.initialWindow()
	// RFC 6928 §2, RFC 5681 §3.1: a SYN lost more than once means one segment.
	if c.retries > 1 {
		window = uint32(c.mss)
	}
	c.beginControl(now, window)
	c.rec.point, c.rec.high = c.snd.iss, c.snd.iss
	c.rcv.edge = c.rcv.nxt
	c.rcv.acked = c.rcv.nxt
	c.rcv.up = c.rcv.nxt
	c.timers[timerPace] = now
	if !c.ts.scaleOK {
		c.rcv.scale, c.snd.scale = 0, 0
	}
}

// initialWindow is IW, RFC 5681 §3.1 and RFC 6928 §2, in octets.
func (c *TCB) initialWindow() uint32 {
	if n := c.cfg.InitialOctets; n > 0 {
		return max(n, uint32(c.mss))
	}
	window := c.cfg.InitialWindow * uint32(c.mss)
	if most := c.cfg.InitialWindowMax; most > 0 {
		window = min(window, max(2*uint32(c.mss), most))
	}
	return window
}

// linkMTU is what one packet may have on the link.
func linkMTU(env *Env) uint16 {
	if env.Link.MTU <= 0 || env.Link.MTU > 65535 {
		return 65535
	}
	return uint16(env.Link.MTU)
}

// headers is the octets of IP and TCP header without options.
func (c *TCB) headers() int {
	if c.name.is6() {
		return 60
	}
	return 40
}

// setMSS computes the effective send MSS (MUST-16): what fits the path and the
// peer, less the options that every segment has.
func (c *TCB) setMSS() {
	m := min(int(c.peerMSS), int(c.pathMTU)-c.headers())
	if c.cfg.MaxMSS != 0 {
		m = min(m, int(c.cfg.MaxMSS))
	}
	if c.ts.on {
		m -= timestampOption
	}
	m -= int(c.reserve)
	if c.foundMSS != 0 {
		m = min(m, int(c.foundMSS)) // of data, whatever options there are
	}
	if c.cfg.MSSOfWindow && c.snd.maxWnd > 0 {
		// Linux: of a window of up to 536 octets all of it.
		half := int(c.snd.maxWnd)
		if half > 536 {
			half /= 2
		}
		m = min(m, max(half, leastOfWindow))
	}
	c.mss = uint16(max(m, leastMSS))
	c.cc.MSS = uint32(c.mss)
}

// windowGrew takes in that the peer's window is larger than ever. The congestion
// window stays what it is in segments, as Linux counts it.
func (c *TCB) windowGrew() {
	if !c.cfg.MSSOfWindow || c.mss == 0 {
		return
	}
	old := uint32(c.mss)
	if c.setMSS(); uint32(c.mss) != old {
		c.cc.Cwnd = uint32(min(uint64(c.cc.Cwnd)*uint64(c.mss)/uint64(old), cc.MaxWindow))
	}
}

const (
	timestampOption = 12 // with its padding
	leastOfWindow   = 48 // what a small window or a path that swallows segments may leave of the MSS
	leastMSS        = 8  // whatever a peer or a router says
)

// ownMSS is the MSS option that we send: what one packet can bring us (MUST-67).
func (c *TCB) ownMSS() uint16 {
	m := int(linkMTU(c.env)) - c.headers()
	if c.cfg.MaxMSS != 0 {
		m = min(m, int(c.cfg.MaxMSS))
	}
	return uint16(min(max(m, leastMSS), 65535))
}

// defaultMSS is what a SYN without the option offers (MUST-15).
func (c *TCB) defaultMSS() uint16 {
	if c.name.is6() {
		return 1220
	}
	return 536
}

// takeOptions reads the options of the peer's SYN. An option counts only when
// we have offered it, or now answer it.
func (c *TCB) takeOptions(now clock.Instant, o *wire.Options) {
	c.peerMSS = c.defaultMSS()
	if o.Has&wire.HasMSS != 0 {
		c.peerMSS = o.MSS
	}
	if o.Has&wire.HasWindowScale != 0 && c.cfg.WindowScaling {
		c.ts.scaleOK = true
		c.snd.scale = min(o.WindowScale, 14) // RFC 7323 §2.3
	}
	c.ts.sackOK = o.Has&wire.HasSACKPermitted != 0 && c.cfg.SACK
	if o.Has&wire.HasTimestamps != 0 && c.cfg.Timestamps {
		c.ts.on = true
		c.ts.recent, c.ts.recentAt = o.TSVal, now
	}
}

// stamp is our timestamp clock: a tick each millisecond (RFC 7323 §5.4).
func (c *TCB) stamp(now clock.Instant) uint32 {
	return uint32(int64(now)/int64(clock.Millisecond)) + c.ts.offset
}
