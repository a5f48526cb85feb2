package e2e

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/pcapng"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A segment is one that went over a link.
type segment struct {
	at       time.Time
	dir      packet.Direction // In: the kernel sent it
	cut      bool             // the gate swallowed what the kernel sent: tcpkit has not seen it
	src, dst uint16
	seq, ack seq.Value
	flags    wire.Flags
	window   uint16
	n        int // octets of payload
	sack     int // blocks
}

// end is the sequence number after the segment.
func (s *segment) end() seq.Value {
	n := s.n
	if s.flags.Has(wire.SYN) {
		n++
	}
	if s.flags.Has(wire.FIN) {
		n++
	}
	return s.seq.Add(seq.Size(n))
}

// A trace is what a host's tap saw of the segments between the two ends of the
// link, and what the gate swallowed of the kernel's. Everything the tap saw goes
// into the capture, up to a bound.
type trace struct {
	ends    [2]wire.Addr // kernel, tcpkit
	capture *capture
	bound   int // packets for the capture from strangers

	mu       sync.Mutex
	segments []segment
}

// Packet makes it a native.Tap.
func (r *trace) Packet(_ clock.Instant, dir packet.Direction, b []byte, _ []event.Event) {
	if b == nil {
		return
	}
	r.note(dir, b, false)
}

func (r *trace) swallowed(dir packet.Direction, b []byte) {
	if dir == packet.In { // the tap has seen the other ones
		r.note(dir, b, true)
	}
}

func (r *trace) note(dir packet.Direction, b []byte, cut bool) {
	var ip wire.IP
	var seg wire.TCP
	ours := wire.ParseIP(b, &ip) == rule.NotDropped && ip.Protocol == wire.ProtocolTCP &&
		wire.ParseTCP(b[ip.HeaderLen:ip.TotalLen], &seg) == rule.NotDropped && r.isEnd(ip.Src) && r.isEnd(ip.Dst)
	r.mu.Lock()
	defer r.mu.Unlock()
	if ours {
		r.segments = append(r.segments, segment{
			at: time.Now(), dir: dir, cut: cut, src: seg.SrcPort, dst: seg.DstPort,
			seq: seg.Seq, ack: seg.Ack, flags: seg.Flags, window: seg.Window,
			n: ip.TotalLen - ip.HeaderLen - seg.HeaderLen, sack: int(seg.Options.SACKCount),
		})
	} else {
		r.bound--
	}
	if !cut && (ours || r.bound >= 0) {
		r.capture.add(dir, b)
	}
}

func (r *trace) isEnd(a wire.Addr) bool {
	return a == r.ends[0] || a == r.ends[1]
}

// of returns the segments so far of the connections to or from a port of the
// client's; 0 stands for all.
func (r *trace) of(port uint16) []segment {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []segment
	for _, s := range r.segments {
		if port == 0 || s.src == port || s.dst == port {
			all = append(all, s)
		}
	}
	return all
}

// A story is a trace told by client and server.
type story struct {
	segments []segment
	client   packet.Direction // of what the client sends
}

func (p *play) story(port uint16) story {
	client := packet.In
	if p.client.name() == "tcpkit" {
		client = packet.Out
	}
	return story{p.trace.of(port), client}
}

func (s story) who(seg *segment) string {
	if seg.dir == s.client {
		return "client"
	}
	return "server"
}

// lines tells of the segments that pass, each as "client FP. 5".
func (s story) lines(pass func(*segment) bool) []string {
	all := []string{}
	for i := range s.segments {
		seg := &s.segments[i]
		if !pass(seg) {
			continue
		}
		line := s.who(seg) + " " + seg.flags.String()
		if seg.n > 0 {
			line += fmt.Sprintf(" %d", seg.n)
		}
		all = append(all, line)
	}
	return all
}

// all tells of everything, in order.
func (s story) all() []string { return s.lines(func(*segment) bool { return true }) }

// plot leaves out what timing decides: segments sent again, and pure
// acknowledgments but the one that ends the handshake.
func (s story) plot() []string {
	type sent struct {
		dir   packet.Direction
		seq   seq.Value
		n     int
		flags wire.Flags
	}
	seen := map[sent]bool{}
	synAcked := false
	return s.lines(func(seg *segment) bool {
		key := sent{seg.dir, seg.seq, seg.n, seg.flags & (wire.SYN | wire.FIN | wire.RST)}
		if seg.flags.Has(wire.RST) {
			return true
		}
		if seg.end() == seg.seq { // a pure acknowledgment
			ends := synAcked && seg.dir == s.client
			synAcked = synAcked && !ends
			return ends
		}
		if seen[key] {
			return false
		}
		seen[key] = true
		if seg.flags.Has(wire.SYN | wire.ACK) {
			synAcked = true
		}
		return true
	})
}

// acked reports whether the other end has acknowledged all that each end sent,
// FIN and all.
func (s story) acked() bool {
	var last, ack [2]seq.Value
	for i := range s.segments {
		seg := &s.segments[i]
		if seg.flags.Has(wire.SYN) {
			last[seg.dir] = seg.end()
		}
		last[seg.dir] = seq.Max(last[seg.dir], seg.end())
		if seg.flags.Has(wire.ACK) {
			ack[1-seg.dir] = seg.ack
		}
	}
	return last == ack
}

// nextOf is an end's SND.NXT, by what it has sent.
func (s story) nextOf(role string) (next seq.Value) {
	first := true
	for i := range s.segments {
		if seg := &s.segments[i]; s.who(seg) == role && (first || seg.end().After(next)) {
			next, first = seg.end(), false
		}
	}
	return next
}

// String shows all of it, for a failure.
func (s story) String() string {
	var b strings.Builder
	var start [2]seq.Value
	for i := range s.segments {
		seg := &s.segments[i]
		if seg.flags.Has(wire.SYN) {
			start[seg.dir] = seg.seq
		}
		cut := ""
		if seg.cut {
			cut = " (cut off)"
		}
		fmt.Fprintf(&b, "%9.3f %s %-4s %d:%d(%d) ack %d win %d%s\n", seg.at.Sub(s.segments[0].at).Seconds(), s.who(seg),
			seg.flags, seg.seq.From(start[seg.dir]), seg.end().From(start[seg.dir]), seg.n, seg.ack.From(start[1-seg.dir]), seg.window, cut)
	}
	return b.String()
}

// A capture is a pcapng file that tshark will judge.
type capture struct {
	file   *os.File
	writer pcapng.Writer

	mu  sync.Mutex
	out *bufio.Writer
	buf []byte
	n   int   // packets
	err error // of the disk
}

// newCapture begins a file, which `go test -artifacts` keeps.
func newCapture(t *testing.T, name string) *capture {
	t.Helper()
	f, err := os.Create(filepath.Join(t.ArtifactDir(), name+".pcapng"))
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	c := &capture{file: f, out: bufio.NewWriterSize(f, 1<<20), writer: pcapng.Writer{Application: "tcpkit e2e", Interface: name}}
	_, c.err = c.out.Write(c.writer.AppendHeader(nil))
	return c
}

func (c *capture) add(dir packet.Direction, b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	way := pcapng.Inbound
	if dir == packet.Out {
		way = pcapng.Outbound
	}
	c.buf = c.writer.AppendPacket(c.buf[:0], clock.Instant(time.Now().UnixNano()), b, way, "")
	if _, err := c.out.Write(c.buf); err != nil && c.err == nil {
		c.err = err
	}
	c.n++
}
