package explore

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/siphash"
)

// A state is both ends, what is on its way between them, the oldest first, and
// what the network may still do.
type state struct {
	ends [2]*end
	net  []*parcel
	Limits
	good bool // the network is, from here on
}

// Limits bound what a path may have of each. They are what keeps the number of
// states finite.
type Limits struct {
	Lose      int `json:"loss"`       // packets
	Duplicate int `json:"duplicates"` // packets that arrive and go on being on their way
	Fire      int `json:"timers"`     // timers
	Flight    int `json:"flight"`     // with so many packets on their way nobody sends more of his own accord
}

// A choice is a step from one state to the next.
type choice struct {
	do choiceKind
	at uint8 // the packet, by its place, or the end
}

type choiceKind uint8

const (
	deliver choiceKind = iota
	duplicate
	lose
	fire
	proceed
)

// choices appends what can happen in a state. Of equal packets it takes one.
func (s *state) choices(b []choice) []choice {
	full := len(s.net) >= s.Flight
	for i, p := range s.net {
		if slices.ContainsFunc(s.net[:i], func(q *parcel) bool { return q.hash == p.hash }) {
			continue
		}
		b = append(b, choice{deliver, uint8(i)})
		if s.Duplicate > 0 && !full {
			b = append(b, choice{duplicate, uint8(i)})
		}
		if s.Lose > 0 {
			b = append(b, choice{lose, uint8(i)})
		}
	}
	for i, e := range s.ends {
		if e.ready && !full {
			b = append(b, choice{proceed, uint8(i)})
		}
	}
	for i, e := range s.ends {
		if e.due != clock.Never && s.Fire > 0 && !full && !(e.long && len(s.net) > 0) {
			b = append(b, choice{fire, uint8(i)})
		}
	}
	return b
}

// step gives the state that a choice leads to, and the invariant that it breaks.
func (x *Explorer) step(s *state, c choice) (t state, breach string) {
	t = *s
	switch c.do {
	case lose:
		t.Lose--
		t.net = without(s.net, int(c.at))
		return t, ""
	case deliver:
		t.net = without(s.net, int(c.at))
		return x.apply(t, s.net[c.at].to, arrival, s.net[c.at])
	case duplicate:
		t.Duplicate--
		t.net = slices.Clip(s.net)
		return x.apply(t, s.net[c.at].to, arrival, s.net[c.at])
	case fire:
		t.Fire--
		t.net = slices.Clip(s.net)
		e, o := s.ends[c.at], s.ends[1-c.at]
		t.ends[1-c.at] = x.idle(int(1-c.at), o, o.idles(e.due.Sub(e.now), s.good))
		return x.apply(t, int(c.at), expiry, nil)
	default:
		t.net = slices.Clip(s.net)
		return x.apply(t, int(c.at), call, nil)
	}
}

// without is the list without one of its packets, in an array of its own.
func without(net []*parcel, i int) []*parcel {
	return slices.Concat(net[:i], net[i+1:])
}

func (x *Explorer) apply(t state, i int, in input, p *parcel) (state, string) {
	f := x.act(i, t.ends[i], in, p)
	t.ends[i] = f.end
	t.net = append(t.net, f.out...)
	switch {
	case f.breach != "":
		return t, f.breach
	case f.failed && x.world.Sure && !x.world.Users[i].Again:
		return t, "a connection has ended otherwise than by FINs"
	case f.given && !slices.Contains(t.ends[1-i].opened, f.irs):
		// What the third segment of the handshake is for, RFC 9293 §3.5: it confirms
		// that the SYN was of today.
		return t, "a user has a connection that nobody has opened"
	}
	return t, x.check(&t)
}

// check looks at what has to hold between the two ends.
func (x *Explorer) check(s *state) string {
	for i, e := range s.ends {
		o := s.ends[1-i]
		switch {
		case e.read > o.wrote:
			return "more is read than was written"
		case e.eof && e.round == o.round && (!o.shut || e.read != o.wrote):
			return "a user has read to the end, and not all that the other has written"
		}
		if !e.alive || !o.alive || !e.view.State.Synchronized() || !o.view.State.Synchronized() {
			continue
		}
		// What the three-way handshake is for, RFC 9293 §3.5.
		if e.view.Send.ISS != o.view.Receive.IRS {
			return "both ends are synchronized, and not with each other"
		}
		if una, nxt := e.view.Send.UNA, o.view.Receive.NXT; una.After(nxt) {
			return "something is acknowledged that has not arrived"
		} else if nxt.After(e.view.Send.NXT) {
			return "something has arrived that was not sent"
		}
	}
	return ""
}

// fingerprint is one for all states that have the same future: packets on their
// way have no order.
func (x *Explorer) fingerprint(s *state) uint64 {
	x.hashes = x.hashes[:0]
	for _, p := range s.net {
		x.hashes = append(x.hashes, p.hash)
	}
	slices.Sort(x.hashes)
	h := siphash.New(siphash.Key{})
	h.WriteUint64(s.ends[0].hash)
	h.WriteUint64(s.ends[1].hash)
	h.WriteUint64(uint64(s.Lose)<<32 | uint64(s.Duplicate)<<16 | uint64(s.Fire))
	for _, p := range x.hashes {
		h.WriteUint64(p)
	}
	return h.Sum64()
}

// A good network loses, doubles and overtakes nothing, and a timer fires when
// nothing is on its way and no user has anything to do. In it, from each state
// that has been reached, both ends end.

// settleMax bounds the steps of a good network. An exchange that goes on for
// longer is one without end.
const settleMax = 500

// settle lets a good network run from a state and returns what is wrong with how
// it ends. with, if not nil, is told each step.
func (x *Explorer) settle(s state, with func(s *state, c choice)) string {
	s.good = true
	first := len(x.passed)
	defer func() { x.passed = x.passed[:first] }()
	for range settleMax {
		h := x.ordered(&s)
		if x.good[h] && with == nil {
			return x.areGood(first)
		}
		x.passed = append(x.passed, h)
		c, ok := s.natural()
		if !ok {
			if why := x.checkOver(&s); why != "" {
				return why
			}
			return x.areGood(first)
		}
		if with != nil {
			with(&s, c)
		}
		var breach string
		s.Fire++ // no bound here
		if s, breach = x.step(&s, c); breach != "" {
			return breach
		}
	}
	return "the exchange has no end, though nothing is lost any more"
}

// areGood notes that what has been passed on the way leads to a good end.
func (x *Explorer) areGood(first int) string {
	for _, h := range x.passed[first:] {
		x.good[h] = true
	}
	return ""
}

// natural is what happens next in a good network.
func (s *state) natural() (choice, bool) {
	if len(s.net) > 0 {
		return choice{deliver, 0}, true
	}
	next, wait := choice{}, clock.Never.Sub(0)
	for i, e := range s.ends {
		if e.ready {
			return choice{proceed, uint8(i)}, true
		}
		if e.due != clock.Never && e.due.Sub(e.now) < wait {
			next, wait = choice{fire, uint8(i)}, e.due.Sub(e.now)
		}
	}
	return next, next.do == fire
}

// ordered is the fingerprint of a state in a good network.
func (x *Explorer) ordered(s *state) uint64 {
	h := siphash.New(siphash.Key{})
	h.WriteUint64(s.ends[0].hash)
	h.WriteUint64(s.ends[1].hash)
	for _, p := range s.net {
		h.WriteUint64(p.hash)
	}
	return h.Sum64()
}

// checkOver looks at a state in which nothing can happen any more.
func (x *Explorer) checkOver(s *state) string {
	for i, e := range s.ends {
		switch {
		case e.stack.Conns() > 0 || e.stack.TimeWaits() > 0:
			return "nothing can happen any more, and a connection has not ended"
		case x.world.Sure && int(e.step) < len(x.world.Users[i].Ops):
			return "nothing can happen any more, and a user still waits to " + x.next(i, e).Do.String()
		case x.world.Sure && e.read != s.ends[1-i].wrote:
			return "both ends have ended, and not all has been read"
		}
	}
	return ""
}
