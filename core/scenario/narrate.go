package scenario

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// narrate says what is tied to an item.
func (r *recorder) narrate(i *Item) {
	for n := range r.s.Says {
		if s := &r.s.Says[n]; !r.said[n] && s.tiedTo(i) {
			if r.told[n]++; s.byPacket() || r.told[n] == s.N {
				r.say(n, i.At)
			}
		}
	}
}

// say puts a sentence into the timeline.
func (r *recorder) say(n int, at clock.Duration) {
	r.said[n] = true
	r.items = append(r.items, Item{Kind: Said, At: at, Step: r.step, Host: -1, Flow: -1, A: uint64(n)})
}

// sayTied says what is tied to the beginning or the end.
func (r *recorder) sayTied(tie TieKind, at clock.Duration) {
	for n := range r.s.Says {
		if r.s.Says[n].Tie == tie && !r.said[n] {
			r.say(n, at)
		}
	}
}

// sayDue says what is tied to a time that has come.
func (r *recorder) sayDue(until clock.Duration) {
	for n := range r.s.Says {
		if s := &r.s.Says[n]; s.Tie == TieTime && !r.said[n] && s.At <= until {
			r.say(n, s.At)
		}
	}
}

func (s *Say) byPacket() bool { return s.Tie == TieSegment || s.Tie == TieArrive || s.Tie == TieLose }

func (s *Say) tiedTo(i *Item) bool {
	switch s.Tie {
	case TieSegment:
		return i.Kind == Send && i.Packet == s.N
	case TieArrive:
		return i.Kind == Arrive && i.Packet == s.N
	case TieLose:
		return i.Kind == Lose && i.Packet == s.N
	case TieState:
		return i.Kind == State && int(i.Host) == s.Host && tcp.State(i.Into) == s.State
	case TieTimer:
		return i.Kind == Timer && int(i.Host) == s.Host && i.By == s.Slot && i.Into == TimerFired
	case TieDrop:
		return i.Kind == Drop && int(i.Host) == s.Host && rule.Drop(i.By) == s.Drop
	case TieError:
		return i.isError(s.Host)
	}
	return false
}

// isError reports whether a program on a host is told of an error.
func (i *Item) isError(host int) bool {
	return i.Kind == Call && int(i.Host) == host && tcp.Error(i.By) != tcp.NoError && tcp.Error(i.By) != tcp.ErrEOF
}
