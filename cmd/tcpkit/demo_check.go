package main

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A demoCheck is one of the questions that decide whether an exchange was as
// RFC 9293 wants it. They are asked of what went over the link and of what each
// end said of itself, and share no code with the engine but the reading of
// headers and Figure 5.
type demoCheck uint8

const (
	checkEnd demoCheck = iota
	checkHandshake
	checkSequence
	checkAck
	checkOptions
	checkIntact
	checkPage
	checkClose
	checkStates
	checkWait
	demoChecks
)

// A finding of a demo: what was wrong where.
type violation struct {
	check   demoCheck
	act     int
	segment int // counted from 1; 0: of the whole act
	what    string
}

// judge makes all the checks on one act.
func judge(act int, r *record) []violation {
	j := &judgement{record: r, act: act}
	j.end()
	j.handshake()
	j.numbers()
	j.options()
	j.intact()
	j.page()
	j.closing()
	j.states()
	j.timeWait()
	return j.found
}

type judgement struct {
	*record
	act   int
	found []violation
}

func (j *judgement) blame(c demoCheck, segment int, format string, a ...any) {
	j.found = append(j.found, violation{c, j.act, segment, fmt.Sprintf(format, a...)})
}

// end: the exchange came to its end, and tcpkit refused nothing.
func (j *judgement) end() {
	if j.stuck != nil {
		j.blame(checkEnd, 0, "%v", j.stuck)
	}
	for _, d := range j.refused {
		j.blame(checkEnd, 0, "tcpkit dropped a segment: %v", d)
	}
	for i := range j.segments {
		if j.segments[i].header.Flags.Has(wire.RST) {
			j.blame(checkEnd, i+1, "a reset")
		}
	}
}

// handshake is §3.5: SYN, SYN and ACK of it, ACK of that; no data yet.
// Afterwards every segment has an ACK, and none a SYN (§3.10.7.4).
func (j *judgement) handshake() {
	want := [...]wire.Flags{wire.SYN, wire.SYN | wire.ACK, wire.ACK}
	first := j.first()
	for i := range j.segments {
		h := &j.segments[i].header
		n := slices.Index(first, i)
		switch {
		case n >= 0 && n < len(want):
			if h.Flags&^(wire.ECE|wire.CWR) != want[n] {
				j.blame(checkHandshake, i+1, "flags %v where %v were due", h.Flags, want[n])
			}
			if j.segments[i].length != 0 {
				j.blame(checkHandshake, i+1, "%d octets of data", j.segments[i].length)
			}
			if from := (j.client + n) % 2; j.segments[i].from != from {
				j.blame(checkHandshake, i+1, "it comes from the wrong end")
			}
		case n < 0: // again
		case h.Flags.Has(wire.SYN) || !h.Flags.Has(wire.ACK):
			j.blame(checkHandshake, i+1, "flags %v after the handshake", h.Flags)
		}
	}
	if len(first) < len(want) {
		j.blame(checkHandshake, 0, "%d segments, and a handshake has 3", len(first))
	}
}

// first are the indices of the segments that are not sent again.
func (j *judgement) first() []int {
	var sent [2]seq.Value
	var known [2]bool
	var all []int
	for i := range j.segments {
		s := &j.segments[i]
		end := s.header.Seq.Add(takes(s))
		if takes(s) > 0 && known[s.from] && end.AtOrBefore(sent[s.from]) {
			continue
		}
		if !known[s.from] || end.After(sent[s.from]) {
			known[s.from], sent[s.from] = true, end
		}
		all = append(all, i)
	}
	return all
}

// numbers is §3.4: an octet, a SYN and a FIN take one number each, in order and
// without a gap; an ACK names the next number that its sender wants, and in the
// end nothing is left to be acknowledged.
func (j *judgement) numbers() {
	var next, acked [2]seq.Value
	var known [2]bool
	for i := range j.segments {
		s := &j.segments[i]
		h, from, to := &s.header, s.from, s.to()
		if !known[from] {
			known[from] = true
			next[from], acked[from] = h.Seq, h.Seq
		}
		if h.Seq.After(next[from]) {
			j.blame(checkSequence, i+1, "seq leaves out %d", h.Seq.From(next[from]))
		}
		if end := h.Seq.Add(takes(s)); end.After(next[from]) {
			if h.Seq.Before(next[from]) {
				j.blame(checkSequence, i+1, "seq is %d behind", next[from].From(h.Seq))
			}
			next[from] = end
		}
		if !h.Flags.Has(wire.ACK) {
			continue // the field means nothing
		}
		switch {
		case !known[to]:
			j.blame(checkAck, i+1, "an ACK before anything was sent")
		case h.Ack.After(next[to]):
			j.blame(checkAck, i+1, "ack is %d beyond what was sent", h.Ack.From(next[to]))
		case h.Ack.Before(acked[to]):
			j.blame(checkAck, i+1, "ack goes back by %d", acked[to].From(h.Ack))
		default:
			acked[to] = h.Ack
		}
	}
	for end := range next {
		if acked[end] != next[end] {
			j.blame(checkAck, 0, "%d numbers that the %s used were not acknowledged", next[end].From(acked[end]), j.role(end))
		}
	}
}

func (j *judgement) role(end int) string {
	if end == j.client {
		return "client"
	}
	return "server"
}

// options: the answer offers nothing that was not offered (RFC 7323 §1.3, §2.2,
// RFC 2018 §2), and what both offered is used: timestamps in each segment
// (RFC 7323 §3.2), echoing one that the other end has sent.
func (j *judgement) options() {
	const need = wire.HasWindowScale | wire.HasSACKPermitted | wire.HasTimestamps
	var offered [2]wire.OptionSet
	var stamp [2]uint32
	var stamped [2]bool
	for i := range j.segments {
		s := &j.segments[i]
		o := &s.header.Options
		if o.Has.Has(wire.HasMalformed) {
			j.blame(checkOptions, i+1, "malformed")
		}
		if s.header.Flags.Has(wire.SYN) {
			offered[s.from] = o.Has & need
			if extra := offered[s.from] &^ offered[s.to()]; s.from != j.client && extra != 0 {
				j.blame(checkOptions, i+1, "the answer has an option that was not offered")
			}
			if !o.Has.Has(wire.HasMSS) {
				j.blame(checkOptions, i+1, "a SYN without MSS (SHLD-5)")
			}
		} else {
			both := offered[0] & offered[1]
			if o.Has&(wire.HasWindowScale|wire.HasSACKPermitted|wire.HasMSS) != 0 {
				j.blame(checkOptions, i+1, "an option that only a SYN may have")
			}
			if o.Has.Has(wire.HasTimestamps) != both.Has(wire.HasTimestamps) && !s.header.Flags.Has(wire.RST) {
				j.blame(checkOptions, i+1, "timestamps in one segment and not in another")
			}
			if o.Has.Has(wire.HasSACK) && !both.Has(wire.HasSACKPermitted) {
				j.blame(checkOptions, i+1, "SACK that was not permitted")
			}
		}
		if !o.Has.Has(wire.HasTimestamps) {
			continue
		}
		if s.header.Flags.Has(wire.ACK) && stamped[s.to()] && int32(o.TSEcr-stamp[s.to()]) > 0 {
			j.blame(checkOptions, i+1, "the echo of a timestamp that nobody has sent")
		}
		if stamped[s.from] && int32(o.TSVal-stamp[s.from]) < 0 {
			j.blame(checkOptions, i+1, "a timestamp that goes back")
		}
		stamp[s.from], stamped[s.from] = o.TSVal, true
	}
}

// intact is MUST-2: every checksum is right.
func (j *judgement) intact() {
	for i := range j.segments {
		if !j.segments[i].intact {
			j.blame(checkIntact, i+1, "a bad checksum")
		}
	}
}

// page: what was read is what was written.
func (j *judgement) page() {
	for i, got := range [...][]byte{j.request, j.response} {
		if !bytes.Equal(got, j.sent[i]) {
			j.blame(checkPage, 0, "%d octets arrived of %d that were written, or others", len(got), len(j.sent[i]))
		}
	}
	var octets [2]int
	for _, i := range j.first() {
		octets[j.segments[i].from] += j.segments[i].length
	}
	if want := len(j.sent[0]); octets[j.client] != want {
		j.blame(checkPage, 0, "%d octets of the request went over the link, and it has %d", octets[j.client], want)
	}
	if want := len(j.sent[1]); octets[1-j.client] != want {
		j.blame(checkPage, 0, "%d octets of the response went over the link, and it has %d", octets[1-j.client], want)
	}
}

// closing is §3.6: a FIN each way, and an ACK of each. Nothing new comes after
// a FIN.
func (j *judgement) closing() {
	var fin, acked [2]bool
	var at [2]seq.Value
	for i := range j.segments {
		s := &j.segments[i]
		end := s.header.Seq.Add(takes(s))
		if fin[s.from] && takes(s) > 0 && end.After(at[s.from]) {
			j.blame(checkClose, i+1, "something new after the FIN")
		}
		if s.header.Flags.Has(wire.FIN) {
			fin[s.from], at[s.from] = true, end
		}
		if fin[s.to()] && s.header.Flags.Has(wire.ACK) && s.header.Ack.AtOrAfter(at[s.to()]) {
			acked[s.to()] = true
		}
	}
	for end := range fin {
		switch {
		case !fin[end]:
			j.blame(checkClose, 0, "no FIN of the %s", j.role(end))
		case !acked[end]:
			j.blame(checkClose, 0, "no ACK of the %s's FIN", j.role(end))
		}
	}
}

// states: each end went from state to state along Figure 5, from where its role
// begins to where it ends.
func (j *judgement) states() {
	edges := make(map[[2]tcp.State]bool)
	for _, e := range tcp.Edges() {
		edges[[2]tcp.State{e.From, e.To}] = true
	}
	last := [2]tcp.State{tcp.TimeWait, tcp.Closed}
	if j.waitOver {
		last[0] = tcp.Closed
	}
	for end, path := range j.path {
		begin, through, finish := tcp.Closed, tcp.SynSent, last[0]
		if end != j.client {
			begin, through, finish = tcp.Listen, tcp.SynReceived, last[1]
		}
		for i := 1; i < len(path); i++ {
			if !edges[[2]tcp.State{path[i-1], path[i]}] {
				j.blame(checkStates, 0, "the %s went from %v to %v, which is no edge of Figure 5", j.role(end), path[i-1], path[i])
			}
		}
		if len(path) == 0 || path[0] != begin || path[len(path)-1] != finish ||
			!slices.Contains(path, through) || !slices.Contains(path, tcp.Established) {
			j.blame(checkStates, 0, "the %s went %v", j.role(end), path)
		}
	}
}

// kernelTimeWait is TCP_TIMEWAIT_LEN of Linux, which no sysctl changes.
const kernelTimeWait = 60 * clock.Second

// timeWait is §3.6.1 and MUST-13: who closed first lingers for 2MSL.
func (j *judgement) timeWait() {
	if !slices.Contains(j.path[j.client], tcp.TimeWait) {
		j.blame(checkWait, 0, "the end that closed first was not in TIME-WAIT")
		return
	}
	// The kernel's timers tick, and it may be late.
	const slack = 100 * clock.Millisecond
	if !j.waitOver {
		if j.waitLeft < j.twoMSL-clock.Second || j.waitLeft > j.twoMSL+clock.Second {
			j.blame(checkWait, 0, "TIME-WAIT has %v left of %v", j.waitLeft, j.twoMSL)
		}
		return
	}
	if d := j.waitEnded.Sub(j.waitBegan); d < j.twoMSL-slack || d > j.twoMSL+demoPatience {
		j.blame(checkWait, 0, "TIME-WAIT lasted %v and not %v", d, j.twoMSL)
	}
}
