package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A line carries packets from one stack to another in a fixed time, and loses
// some of those with data.
type line struct {
	from, to *Stack
	p        packet.Packet
	flying   []flying
	first    int
	random   uint32
}

type flying struct {
	at clock.Instant
	b  []byte
}

const lineDelay = 50 * clock.Microsecond

// send takes all that leaves at now. Of a million packets with data as many as
// loss are lost.
func (l *line) send(now clock.Instant, loss uint32) {
	for l.from.Output(now, &l.p) {
		l.random = l.random*1664525 + 1013904223
		if len(l.p.Bytes) > 200 && uint64(l.random)*1_000_000>>32 < uint64(loss) {
			continue
		}
		if len(l.flying) == cap(l.flying) && l.first > 0 {
			n := copy(l.flying, l.flying[l.first:])
			for i, f := range l.flying[n:] { // keep the buffers
				l.flying[n+i] = flying{b: f.b[:0]}
			}
			l.flying, l.first = l.flying[:n], 0
		}
		var b []byte
		if n := len(l.flying); n < cap(l.flying) {
			b = l.flying[:n+1][n].b
		}
		l.flying = append(l.flying, flying{now.Add(lineDelay), append(b[:0:cap(b)], l.p.Bytes...)})
	}
}

// arrive delivers what has arrived by now, and reports when the next does.
func (l *line) arrive(now clock.Instant) clock.Instant {
	for l.first < len(l.flying) && l.flying[l.first].at <= now {
		l.p.Bytes = append(l.p.Bytes[:0], l.flying[l.first].b...)
		l.p.Partial, l.p.SegmentSize = false, 0
		l.to.Input(now, &l.p)
		l.first++
	}
	if l.first == len(l.flying) {
		l.flying, l.first = l.flying[:0], 0
		return clock.Never
	}
	return l.flying[l.first].at
}

// lossy moves octets over two lines.
type lossy struct {
	*pair
	there, back *line
	from, to    *Conn
	buf         []byte
	moved       int
	loss        uint32
}

func newLossy(t testing.TB, loss uint32) *lossy {
	cfg := config("linux")
	cfg.TCP.SendBuffer, cfg.TCP.SendBufferMax = 64<<10, 64<<10 // about as much in flight with loss as without
	p := newPair(t, cfg)
	w := &lossy{pair: p, buf: make([]byte, 64<<10), there: &line{from: p.a, to: p.b}, back: &line{from: p.b, to: p.a}}
	w.from, w.to = p.connect(wire.IPv4)
	w.loss = loss
	for w.moved < 16<<20 {
		w.turn()
	}
	return w
}

// turn goes on to the next event.
func (w *lossy) turn() {
	_, _ = w.from.Write(w.now, w.buf)
	w.there.send(w.now, w.loss)
	w.back.send(w.now, 0)
	next := min(w.there.arrive(w.now), w.back.arrive(w.now))
	for {
		n, err := w.to.Read(w.now, w.buf)
		w.moved += n
		if err != nil {
			break
		}
	}
	w.there.send(w.now, w.loss)
	w.back.send(w.now, 0)
	next = min(next, w.now.Add(lineDelay), w.a.Deadline(), w.b.Deadline())
	w.now = max(w.now, next)
	w.a.Expire(w.now)
	w.b.Expire(w.now)
}

// What loss costs: the same octets with one packet in a hundred lost, which should
// take no more than half as much time again.
func BenchmarkLoss(b *testing.B) {
	for _, c := range []struct {
		name string
		loss uint32
	}{{"none", 0}, {"1%", 10_000}, {"10%", 100_000}} {
		b.Run(c.name, func(b *testing.B) {
			w := newLossy(b, c.loss)
			b.ReportAllocs()
			for b.Loop() {
				for end := w.moved + 1<<20; w.moved < end; {
					w.turn()
				}
			}
			b.SetBytes(1 << 20)
		})
	}
}

// Nor does loss allocate: a recovery takes its records from those that came back.
func TestLossAllocatesNothing(t *testing.T) {
	w := newLossy(t, 10_000)
	require.Less(t, testing.AllocsPerRun(10, func() {
		for end := w.moved + 1<<20; w.moved < end; {
			w.turn()
		}
	}), 2.0, "but for queues that grow")
	require.NotZero(t, w.a.Stats().FastRetransmits)
}
