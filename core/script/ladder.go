package script

import "github.com/tcpkit/tcpkit/core/clock"

// rung is a line of the ladder.
type rung struct {
	at    clock.Instant
	state string // of the connection under test, behind what the line tells
	text  string
}

// maxRungs bounds the ladder: of a longer run it shows the end.
const maxRungs = 400

func (j *judge) climb(text string) {
	if len(j.rungs) >= 2*maxRungs {
		j.rungs = append(j.rungs[:0], j.rungs[len(j.rungs)-maxRungs:]...)
	}
	j.rungs = append(j.rungs, rung{j.sys.Now(), j.stateText(), text})
}

func (j *judge) climbPacket(s *sent) { j.climb("    " + j.textOf(s)) }

func (j *judge) climbInbound(p *Packet) { j.climb(p.text()) }

// stateText is the state of the connection under test.
func (j *judge) stateText() string {
	if j.flow == nil {
		return "-"
	}
	s, _ := j.sys.State(j.flow.local, j.flow.remote)
	return s.String()
}

// ladder is the run so far: time, state, and what happened, with packets to the
// stack (<) on the left and those of the stack (>) moved in.
func (j *judge) ladder() string {
	first := max(0, len(j.rungs)-maxRungs)
	var b []byte
	if first > 0 {
		b = append(b, "...\n"...)
	}
	for _, x := range j.rungs[first:] {
		start := len(b)
		b = appendFixed(b, x.at.Sub(origin))
		for len(b) < start+13 {
			b = append(b, ' ')
		}
		b = append(b, x.state...)
		for len(b) < start+27 {
			b = append(b, ' ')
		}
		b = append(b, x.text...)
		b = append(b, '\n')
	}
	return string(b)
}
