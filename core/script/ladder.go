package script

import "github.com/tcpkit/tcpkit/core/clock"

// rung is a line of the ladder.
type rung struct {
	at    clock.Instant
	state string // of the connection under test, behind what the line tells
	peer  string // the state of the script's end
	text  string
}

// maxRungs bounds the ladder: of a longer run it shows the end.
const maxRungs = 400

func (j *judge) climb(text string) {
	if len(j.rungs) >= 2*maxRungs {
		j.rungs = append(j.rungs[:0], j.rungs[len(j.rungs)-maxRungs:]...)
	}
	state, peer := j.stateTexts()
	j.rungs = append(j.rungs, rung{j.sys.Now(), state, peer, text})
}

// Note implements Judge.
func (j *judge) Note(text, rule string) {
	j.climb("        " + text)
	if rule != "" {
		j.rule = rule
	}
}

func (j *judge) climbPacket(s *sent) { j.climb("    " + j.textOf(s)) }

func (j *judge) climbInbound(p *Packet) { j.climb(p.String()) }

// stateTexts are the states of both ends of the connection under test.
func (j *judge) stateTexts() (state, peer string) {
	if j.flow == nil {
		return "-", "-"
	}
	s, _ := j.sys.State(j.flow.local, j.flow.remote)
	return s.String(), j.flow.peer.state.String()
}

// states has both ends and the time, for a failure.
func (j *judge) states() string {
	state, peer := j.stateTexts()
	return j.sys.Name() + " " + state + ", script " + peer + ", at " + seconds(j.sys.Now())
}

// ladder is the run so far: time, the system's state, the script's, and what
// happened, with packets to the system (<) on the left and those of the system (>) moved in.
func (j *judge) ladder() string {
	first := max(0, len(j.rungs)-maxRungs)
	b := []byte("time         " + (j.sys.Name() + spaces(12))[:12] + " script\n")
	if first > 0 {
		b = append(b, "...\n"...)
	}
	for _, x := range j.rungs[first:] {
		start := len(b)
		b = appendFixed(b, x.at.Sub(Origin))
		for len(b) < start+13 {
			b = append(b, ' ')
		}
		b = append(b, x.state...)
		for len(b) < start+26 {
			b = append(b, ' ')
		}
		b = append(b, x.peer...)
		for len(b) < start+39 {
			b = append(b, ' ')
		}
		b = append(b, x.text...)
		b = append(b, '\n')
	}
	return string(b)
}
