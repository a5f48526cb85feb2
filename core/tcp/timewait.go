package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A TimeWaitRecord is all that is kept of a connection in TIME-WAIT that nobody
// holds any more: enough to acknowledge the peer's FIN when it comes again, and
// to know old segments from a new connection.
type TimeWaitRecord struct {
	Tuple      Tuple
	Until      clock.Instant // when 2 MSL have passed
	answerAt   clock.Instant // when the last ACK for an unacceptable segment went
	recentAt   clock.Instant
	ID         uint32 // id of the connection
	RcvNxt     seq.Value
	SndNxt     seq.Value
	recent     uint32 // TS.Recent
	offset     uint32 // of our timestamps
	window     uint16 // as last advertised
	TOS, TTL   uint8
	scale      uint8
	timestamps bool
	answered   bool
}

// Fingerprint is a hash of what decides, beside its name and its end, how the
// record answers. Sequence numbers, of which it has no beginning, are left out.
func (w *TimeWaitRecord) Fingerprint(now clock.Instant, cfg *Config) uint64 {
	quiet := clock.Duration(-1) // for how long it has not answered
	if w.answered {
		quiet = min(now.Sub(w.answerAt), cfg.ChallengeInterval)
	}
	return siphash.Words2(siphash.Key{}, uint64(quiet), uint64(w.window)<<8|uint64(w.scale))
}

// A TimeWaitAction is what a segment that arrives in TIME-WAIT asks for.
type TimeWaitAction uint8

// The actions.
const (
	TimeWaitIgnore  TimeWaitAction = iota // nothing
	TimeWaitAck                           // the ACK of Ack
	TimeWaitRestart                       // likewise, and 2 MSL have begun anew
	TimeWaitDelete                        // the record goes: a reset
	TimeWaitReopen                        // the record goes, and a listener may take the SYN
)

// Record gives the record that stands for the connection, when it is in
// TIME-WAIT, its user has let go of it and nothing is left to be sent.
func (c *TCB) Record() (TimeWaitRecord, bool) {
	if c.state != TimeWait || !c.released || c.pend&(pendAck|pendStray) != 0 {
		return TimeWaitRecord{}, false
	}
	return c.record(), true
}

func (c *TCB) record() TimeWaitRecord {
	return TimeWaitRecord{
		Tuple: c.name.tuple(), Until: c.timers[timerWait], ID: c.id,
		RcvNxt: c.rcv.nxt, SndNxt: c.snd.nxt,
		recent: c.ts.recent, recentAt: c.ts.recentAt, offset: c.ts.offset, timestamps: c.ts.on,
		window: uint16(min(c.rcv.window()>>c.rcv.scale, 65535)), scale: c.rcv.scale,
		TOS: c.cfg.TOS, TTL: c.cfg.TTL,
		answerAt: c.answerAt, answered: c.answered,
	}
}

// Arrives is §3.10.7.4 for TIME-WAIT, with RFC 6191 for a SYN. The segment is
// counted in env when it is dropped.
func (w *TimeWaitRecord) Arrives(now clock.Instant, seg *Segment, cfg *Config, env *Env) TimeWaitAction {
	stamped := w.timestamps && seg.Options.Has&wire.HasTimestamps != 0
	behind := int32(w.recent - seg.Options.TSVal)
	if seg.Flags&(wire.SYN|wire.RST|wire.ACK) == wire.SYN {
		if w.reopens(seg, cfg) {
			return TimeWaitReopen
		}
		w.drop(now, env, rule.DropTimeWait)
		return w.answer(now, seg, cfg)
	}
	if stamped && seg.Flags&wire.RST == 0 && behind > 0 {
		w.drop(now, env, rule.DropPAWS)
		return w.answer(now, seg, cfg)
	}
	if seg.Flags&wire.RST != 0 {
		if seg.Seq == w.RcvNxt && !cfg.RFC1337 {
			return TimeWaitDelete
		}
		w.drop(now, env, rule.DropReset)
		if seg.Seq != w.RcvNxt && seg.Seq.In(w.RcvNxt, seq.Size(w.window)<<w.scale) {
			return w.answer(now, seg, cfg) // RFC 5961 §3.2
		}
		return TimeWaitIgnore
	}
	if seg.Flags&wire.FIN != 0 && seg.Flags&wire.SYN == 0 && seg.end() == w.RcvNxt && seg.Flags&wire.ACK != 0 &&
		!seg.Ack.After(w.SndNxt) {
		// The peer has not got our ACK: it goes again, and 2 MSL begin anew.
		w.Until = now.Add(cfg.TimeWait)
		return TimeWaitRestart
	}
	room := seq.Size(w.window) << w.scale
	switch {
	case seg.Flags&wire.SYN != 0:
		w.drop(now, env, rule.DropSyn)
		return w.answer(now, seg, cfg)
	case !seg.Seq.In(w.RcvNxt, max(room, 1)), room == 0 && seg.Len() > 0:
		w.drop(now, env, rule.DropSequence)
		return w.answer(now, seg, cfg)
	case seg.Flags&wire.ACK == 0:
		w.drop(now, env, rule.DropNoAck)
	case seg.Ack.After(w.SndNxt):
		w.drop(now, env, rule.DropAckUnsent)
		return w.answer(now, seg, cfg)
	case seg.Flags&wire.FIN != 0 && !seg.end().Sub(1).After(w.RcvNxt.Add(room)):
		w.drop(now, env, rule.DropAfterFin)
		return w.answer(now, seg, cfg)
	case len(seg.Payload) > 0:
		w.drop(now, env, rule.DropAfterFin)
	}
	return TimeWaitIgnore
}

// reopens reports whether a SYN is surely of a new connection.
func (w *TimeWaitRecord) reopens(seg *Segment, cfg *Config) bool {
	if seg.Flags&(wire.SYN|wire.RST|wire.ACK) != wire.SYN {
		return false
	}
	// RFC 6191 §2: newer by its timestamp, or else by its sequence number.
	stamped := w.timestamps && seg.Options.Has&wire.HasTimestamps != 0
	behind := int32(w.recent - seg.Options.TSVal)
	if stamped && behind < 0 || (!stamped || behind == 0) && seg.Seq.After(w.RcvNxt) {
		return true
	}
	// Likewise: nothing of a connection without timestamps can be taken for a part
	// of one where all segments have them.
	return !w.timestamps && seg.Options.Has&wire.HasTimestamps != 0 && cfg.Timestamps && cfg.RequireTimestamps
}

// answer says whether an ACK may answer a segment that is not acceptable: at
// most one in ChallengeInterval, but for data and FINs, which wait for it. It is
// what TCB.challenge does in the other states.
func (w *TimeWaitRecord) answer(now clock.Instant, seg *Segment, cfg *Config) TimeWaitAction {
	if seg.Flags&(wire.SYN|wire.RST) == 0 && seg.Len() > 0 {
		return TimeWaitAck
	}
	if w.answered && now.Sub(w.answerAt) < cfg.ChallengeInterval {
		return TimeWaitIgnore
	}
	w.answered, w.answerAt = true, now
	return TimeWaitAck
}

func (w *TimeWaitRecord) drop(now clock.Instant, env *Env, why rule.Drop) {
	env.Stats.Drops[why]++
	env.Dropped = why
	if env.Log.On(event.Drop) {
		env.Log.Add(event.Event{At: now, Kind: event.Drop, Conn: w.ID, Packet: env.Packet, Rule: why.Rule(), From: uint8(why), By: uint8(TimeWait)})
	}
}

// Ack is the ACK that the record answers with.
func (w *TimeWaitRecord) Ack(now clock.Instant) Reply {
	r := Reply{
		Tuple: w.Tuple, Seq: w.SndNxt, Ack: w.RcvNxt, Flags: wire.ACK, Window: w.window, TOS: w.TOS, TTL: w.TTL,
	}
	if w.timestamps {
		r.Options.Has = wire.HasTimestamps
		r.Options.TSVal = uint32(int64(now)/int64(clock.Millisecond)) + w.offset
		r.Options.TSEcr = w.recent
	}
	return r
}

// Reopens reports whether seg may open a connection in TIME-WAIT anew though its
// user still holds it, and gives what the old connection has sent last. EndWait then
// ends that.
func (c *TCB) Reopens(seg *Segment) (sndNxt seq.Value, ok bool) {
	if c.state != TimeWait {
		return 0, false
	}
	w := c.record()
	return c.snd.nxt, w.reopens(seg, c.cfg)
}

// EndWait ends TIME-WAIT in favour of a new connection. The user goes on reading
// what has arrived.
func (c *TCB) EndWait(now clock.Instant) { c.end(now, NoError, BySegment, rule.TimeWaitReuse) }

// arrivesTimeWait serves a connection in TIME-WAIT whose user still holds it.
func (c *TCB) arrivesTimeWait(now clock.Instant, seg *Segment) {
	w := c.record()
	action := w.Arrives(now, seg, c.cfg, c.env)
	c.answered, c.answerAt = w.answered, w.answerAt
	switch action {
	case TimeWaitIgnore:
	case TimeWaitReopen:
		c.drop(now, rule.DropTimeWait)
		c.challengeNow(now)
	case TimeWaitAck:
		c.pend |= pendAck
	case TimeWaitRestart:
		c.pend |= pendAck
		c.arm(now, timerWait, w.Until)
	case TimeWaitDelete:
		c.end(now, NoError, BySegment, rule.ResetExact)
	}
}
