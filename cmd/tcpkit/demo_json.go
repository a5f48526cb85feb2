package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A recital gives a play as lines of JSON, for programs.
type recital struct {
	out   *json.Encoder
	err   error
	heads [2]string
	n     int
}

// A recitalLine is one of them. Type says which fields there are.
type recitalLine struct {
	Type    string   `json:"type"` // cast, act, start, segment, time-wait, time-wait-over, verdict
	Act     int      `json:"act,omitempty"`
	Memory  *bool    `json:"memory,omitempty"`
	Address []string `json:"addresses,omitempty"`
	Kernel  string   `json:"kernel,omitempty"`
	Client  string   `json:"client,omitempty"`
	Server  string   `json:"server,omitempty"`
	Seconds *float64 `json:"seconds,omitempty"`
	From    string   `json:"from,omitempty"`
	Flags   []string `json:"flags,omitempty"`
	Seq     *uint32  `json:"seq,omitempty"` // from the ISN
	Ack     *uint32  `json:"ack,omitempty"`
	Length  *int     `json:"length,omitempty"`
	ISN     *uint32  `json:"isn,omitempty"`
	MSS     *uint16  `json:"mss,omitempty"`
	Scale   *uint8   `json:"window_scale,omitempty"`
	SACK    bool     `json:"sack_permitted,omitempty"`
	Stamps  bool     `json:"timestamps,omitempty"`
	Peer    string   `json:"peer,omitempty"`   // its state afterwards
	Tcpkit  string   `json:"tcpkit,omitempty"` // likewise
	TwoMSL  float64  `json:"two_msl,omitempty"`
	Left    float64  `json:"left,omitempty"`
	Waited  *bool    `json:"waited,omitempty"`
	OK      *bool    `json:"ok,omitempty"`
	Failed  []string `json:"failed,omitempty"`
}

func (r *recital) write(l recitalLine) {
	if r.err == nil {
		r.err = r.out.Encode(l)
	}
}

func (r *recital) failed() error {
	if r.err != nil {
		return fmt.Errorf("%w: %w", errStdout, r.err)
	}
	return nil
}

// ends are what the two are called; the words of the drawing are for people.
var recitalEnds = [2]string{"peer", "tcpkit"}

func (r *recital) title(c *cast) {
	r.write(recitalLine{Type: "cast", Memory: &c.memory, Address: c.addrs[:], Kernel: c.kernel})
}

func (r *recital) act(n, client int, _ uint16, _ [2]int) {
	r.n = n
	r.write(recitalLine{Type: "act", Act: n, Client: recitalEnds[client], Server: recitalEnds[1-client]})
}

func (r *recital) start(s endStates, _ int) {
	r.write(recitalLine{Type: "start", Act: r.n, Peer: s[peerEnd].String(), Tcpkit: s[kitEnd].String()})
}

func (r *recital) segment(s *segment, _ int) {
	at, seq, ack, isn := seconds(clock.Duration(s.at)), uint32(s.seq), uint32(s.ack), uint32(s.header.Seq)
	h := &s.header
	l := recitalLine{
		Type: "segment", Act: r.n, Seconds: &at, From: recitalEnds[s.from], Flags: strings.Fields(sayFlags(h.Flags)),
		Seq: &seq, Length: &s.length, Peer: s.states[peerEnd].String(), Tcpkit: s.states[kitEnd].String(),
	}
	if h.Flags.Has(wire.ACK) {
		l.Ack = &ack
	}
	if h.Flags.Has(wire.SYN) {
		l.ISN = &isn
		l.SACK, l.Stamps = h.Options.Has.Has(wire.HasSACKPermitted), h.Options.Has.Has(wire.HasTimestamps)
		if h.Options.Has.Has(wire.HasMSS) {
			l.MSS = &h.Options.MSS
		}
		if h.Options.Has.Has(wire.HasWindowScale) {
			l.Scale = &h.Options.WindowScale
		}
	}
	r.write(l)
}

func (r *recital) wait(closer int, twoMSL, left clock.Duration, all bool) {
	r.write(recitalLine{Type: "time-wait", Act: r.n, From: recitalEnds[closer], TwoMSL: seconds(twoMSL), Left: seconds(left), Waited: &all})
}

func (r *recital) left(clock.Duration, clock.Duration) {}

func (r *recital) over(at clock.Instant, s endStates, closer int, _ []event.Event) {
	t := seconds(clock.Duration(at))
	r.write(recitalLine{Type: "time-wait-over", Act: r.n, Seconds: &t, From: recitalEnds[closer], Peer: s[peerEnd].String(), Tcpkit: s[kitEnd].String()})
}

func (r *recital) verdict(v *verdict) {
	ok := v.count() == 0
	l := recitalLine{Type: "verdict", OK: &ok}
	for _, f := range v.found {
		l.Failed = append(l.Failed, checkWords[f.check].section+": "+f.what)
	}
	r.write(l)
}

func seconds(d clock.Duration) float64 { return float64(d) / float64(clock.Second) }
