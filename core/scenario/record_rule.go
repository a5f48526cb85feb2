package scenario

import (
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A reason is the rule that a connection of a host went by last. It holds in its step
// of the run.
type reason struct {
	step uint32
	conn uint32 // 0: it is about none
	rule rule.ID
}

// reasoned notes what is told of a connection.
func (r *recorder) reasoned(i *Item) {
	id := i.Rule
	switch i.Kind {
	case State, Drop, Rexmit:
	case Timer:
		if id == rule.None {
			id = timerRule(i.By)
		}
	default:
		return
	}
	if id != rule.None {
		r.hosts[i.Host].why = reason{r.step, i.Conn, id}
	}
}

// timerRule is what a timer that has run out has sent.
func timerRule(slot uint8) rule.ID {
	switch slot {
	case tcp.TimerRetransmit:
		return rule.Retransmit
	case tcp.TimerPersist:
		return rule.PersistProbe
	case tcp.TimerDelack:
		return rule.DelayedAck
	case tcp.TimerKeepalive:
		return rule.KeepaliveProbe
	case tcp.TimerTLP:
		return rule.TailLossProbe
	default:
		return rule.None
	}
}

// because finds the rule that a segment leaves by: what its connection went by last,
// where that is a rule that sends such segments. New data needs none.
func (r *recorder) because(i *Item) {
	if i.Host < 0 {
		return
	}
	h := &r.hosts[i.Host]
	if h.why.step == r.step && h.why.conn == i.Conn {
		if i.Rule = sends(h.why.rule, i); i.Rule != rule.None {
			h.why = reason{}
		}
	}
}

// sends is the rule by which a segment leaves, if it can be id.
func sends(id rule.ID, i *Item) rule.ID {
	const kinds = wire.SYN | wire.FIN | wire.RST
	flags, fits := i.Flags(), false
	switch id {
	case rule.OpenActive, rule.SendInListen:
		fits = flags&(kinds|wire.ACK) == wire.SYN
	case rule.ListenSyn, rule.SynSentSyn:
		fits = flags&(kinds|wire.ACK) == wire.SYN|wire.ACK
	case rule.CloseSendsFin, rule.CloseAfterPeer:
		fits = flags.Has(wire.FIN)
	case rule.AbortReset, rule.UnreadReset, rule.LingerOver, rule.ClosedReset, rule.ListenAckGetsRst, rule.SynSentBadAck, rule.AckBadInSynReceived, rule.KeepaliveDead:
		fits = flags.Has(wire.RST)
	case rule.SynSentSynAck:
		fits = flags&kinds == 0
	case rule.FinEstablished, rule.FinBoth, rule.FinClosing, rule.FinInFinWait2, rule.FinRestartsTimeWait, rule.SequenceChallenge,
		rule.ResetChallenge, rule.AckOutside, rule.AckUnsent, rule.PAWS, rule.TimeWaitOldSyn, rule.DelayedAck:
		fits = flags&kinds == 0 && i.Len() == 0
	case rule.SynChallenge:
		if flags.Has(wire.SYN) {
			return rule.SynAgain // in SYN-RECEIVED
		}
		fits = flags&kinds == 0 && i.Len() == 0
	case rule.KeepaliveProbe:
		fits = i.Marks.Has(Probe)
	case rule.PersistProbe:
		if fits = i.Marks.Has(Probe); !fits && i.Len() > 0 {
			return rule.SillyWindowOverride // the window is open, but not far
		}
	case rule.Retransmit, rule.TailLossProbe, rule.FastRetransmit, rule.SackRecovery:
		fits = i.Marks.Has(Again)
	}
	if !fits {
		return rule.None
	}
	return id
}
