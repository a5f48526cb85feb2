package native

import (
	"container/heap"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/siphash"
)

// ImpairConfig says how a link is made worse, in both directions alike.
type ImpairConfig struct {
	Loss, Duplicate, Reorder, Corrupt float64 // of all packets, 0 to 1
	Delay                             time.Duration
	Jitter                            time.Duration // up to so much more or less than Delay; packets keep their order
	Seed                              uint64        // decides which packets
}

// ParseImpair reads a list like
//
//	loss=1%,delay=20ms,jitter=5ms,dup=0.1%,reorder=1%,corrupt=0.1%,seed=7
//
// in which nothing has to be there.
func ParseImpair(s string) (ImpairConfig, error) {
	var c ImpairConfig
	seen := map[string]bool{}
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return c, fmt.Errorf("impair: %q is not key=value", part)
		}
		if seen[key] {
			return c, fmt.Errorf("impair: %s is there twice", key)
		}
		seen[key] = true
		var err error
		switch key {
		case "loss":
			c.Loss, err = parseShare(value)
		case "dup":
			c.Duplicate, err = parseShare(value)
		case "reorder":
			c.Reorder, err = parseShare(value)
		case "corrupt":
			c.Corrupt, err = parseShare(value)
		case "delay":
			c.Delay, err = parseSpan(value)
		case "jitter":
			c.Jitter, err = parseSpan(value)
		case "seed":
			c.Seed, err = strconv.ParseUint(value, 0, 64)
		default:
			return c, fmt.Errorf("impair: %q is none of loss, delay, jitter, dup, reorder, corrupt, seed", key)
		}
		if err != nil {
			return c, fmt.Errorf("impair: %s=%s: %w", key, value, err)
		}
	}
	return c, c.check()
}

// parseShare reads "1%" or "0.01".
func parseShare(s string) (float64, error) {
	number, percent := strings.CutSuffix(s, "%")
	v, err := strconv.ParseFloat(number, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return 0, errors.New("not a share between 0% and 100%")
	}
	return v, nil
}

func parseSpan(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, errors.New("not a time like 20ms")
	}
	return d, nil
}

func (c ImpairConfig) check() error {
	for _, v := range []float64{c.Loss, c.Duplicate, c.Reorder, c.Corrupt} {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("impair: %v is not a share between 0 and 1", v)
		}
	}
	if c.Delay < 0 || c.Jitter < 0 || c.Delay > time.Minute || c.Jitter > time.Minute {
		return errors.New("impair: a delay is not between 0 and a minute")
	}
	return nil
}

// String is c as ParseImpair reads it.
func (c ImpairConfig) String() string {
	var parts []string
	share := func(key string, v float64) {
		if v > 0 {
			parts = append(parts, key+"="+strconv.FormatFloat(v*100, 'g', 10, 64)+"%")
		}
	}
	span := func(key string, d time.Duration) {
		if d > 0 {
			parts = append(parts, key+"="+d.String())
		}
	}
	share("loss", c.Loss)
	span("delay", c.Delay)
	span("jitter", c.Jitter)
	share("dup", c.Duplicate)
	share("reorder", c.Reorder)
	share("corrupt", c.Corrupt)
	if c.Seed != 0 {
		parts = append(parts, "seed="+strconv.FormatUint(c.Seed, 10))
	}
	return strings.Join(parts, ",")
}

const (
	// impairSlots bounds the packets that are under way in one direction.
	impairSlots = 1 << 14
	// reorderHold is for how long a packet is held back, beyond its delay, so
	// that later ones overtake it.
	reorderHold = 2 * time.Millisecond
)

// Impair returns a link like inner, but worse. The n-th packet in a direction
// meets the same fate in every run with the same seed. A corrupted packet has
// one bit changed. The result owns inner, and takes no super-packets.
func Impair(inner packet.IO, cfg ImpairConfig, seed uint64) packet.IO {
	m := &impaired{inner: inner}
	for dir := range m.lines {
		m.lines[dir] = newDelayLine(cfg, siphash.Key{K0: seed, K1: uint64(dir)})
	}
	m.wg.Add(2)
	go m.readInner()
	go m.writeInner()
	return m
}

type impaired struct {
	inner packet.IO
	lines [2]*delayLine // by packet.Direction
	wg    sync.WaitGroup
	close sync.Once
}

func (m *impaired) Link() packet.Link {
	return packet.Link{MTU: m.inner.Link().MTU}
}

func (m *impaired) ReadPacket(p *packet.Packet) error { return m.lines[packet.In].take(p) }

func (m *impaired) WritePacket(p *packet.Packet) error {
	return m.lines[packet.Out].put(p, false)
}

func (m *impaired) WaitWritable() error { return m.lines[packet.Out].waitRoom() }

// readInner takes packets from the inner link into the line inwards.
func (m *impaired) readInner() {
	defer m.wg.Done()
	var p packet.Packet
	for {
		err := m.inner.ReadPacket(&p)
		if err == nil {
			err = m.lines[packet.In].put(&p, true)
		}
		if err != nil {
			m.lines[packet.In].end(err)
			return
		}
	}
}

// writeInner gives the inner link what comes out of the line outwards.
func (m *impaired) writeInner() {
	defer m.wg.Done()
	var p packet.Packet
	line := m.lines[packet.Out]
	for {
		if err := line.take(&p); err != nil {
			return
		}
		for {
			err := m.inner.WritePacket(&p)
			var gone *DeviceError
			if errors.Is(err, packet.ErrFull) && m.waitInner() {
				continue
			}
			if errors.Is(err, packet.ErrClosed) || errors.As(err, &gone) {
				line.end(err)
				return
			}
			break // sent, or refused: a changed bit may make a packet that nobody takes
		}
	}
}

// waitInner waits until the full inner link may have room.
func (m *impaired) waitInner() bool {
	if w, ok := m.inner.(WriteWaiter); ok {
		return w.WaitWritable() == nil
	}
	select {
	case <-m.lines[packet.Out].done:
		return false
	case <-time.After(fullRetry):
		return true
	}
}

func (m *impaired) Close() (err error) {
	m.close.Do(func() {
		for _, l := range m.lines {
			l.end(packet.ErrClosed)
		}
		if c, ok := m.inner.(io.Closer); ok {
			err = c.Close()
			m.wg.Wait()
		}
	})
	return err
}

// A delayLine is one direction of an impaired link: packets under way, in the
// order in which they will come out.
type delayLine struct {
	cfg  ImpairConfig
	key  siphash.Key
	done chan struct{} // closed by end

	mu      sync.Mutex
	err     error
	queue   flightQueue
	spare   []*inFlight
	ordinal uint64 // of the packet put in last
	turns   uint64
	last    time.Time     // when the last packet in order comes out
	changed chan struct{} // the first to come out is another one, or there is room
	room    *sync.Cond
}

type inFlight struct {
	at   time.Time
	turn uint64 // among those of the same time
	p    packet.Packet
}

func newDelayLine(cfg ImpairConfig, key siphash.Key) *delayLine {
	l := &delayLine{cfg: cfg, key: key, done: make(chan struct{}), changed: make(chan struct{}, 1)}
	l.room = sync.NewCond(&l.mu)
	return l
}

// What a packet's fate is drawn for.
const (
	drawLoss siphash.Purpose = iota
	drawDuplicate
	drawReorder
	drawCorrupt
	drawBit
	drawJitter
)

func (l *delayLine) draw(purpose siphash.Purpose, share float64) bool {
	return share > 0 && float64(siphash.PRF(l.key, purpose, 0, l.ordinal)>>11) < share*(1<<53)
}

// put takes a copy of p. When the line is full it waits or returns
// packet.ErrFull.
func (l *delayLine) put(p *packet.Packet, wait bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.err == nil && len(l.queue) >= impairSlots-1 {
		if !wait {
			return packet.ErrFull
		}
		l.room.Wait()
	}
	if l.err != nil {
		return l.err
	}
	l.ordinal++
	if l.draw(drawLoss, l.cfg.Loss) {
		return nil
	}
	at := time.Now().Add(l.cfg.Delay)
	if j := l.cfg.Jitter; j > 0 {
		at = at.Add(time.Duration(siphash.PRF(l.key, drawJitter, 0, l.ordinal)%(2*uint64(j)+1)) - j)
	}
	if l.draw(drawReorder, l.cfg.Reorder) {
		at = at.Add(max(reorderHold, l.cfg.Delay/4))
	} else {
		if at.Before(l.last) {
			at = l.last
		}
		l.last = at
	}
	f := l.push(p, at)
	if l.draw(drawCorrupt, l.cfg.Corrupt) && len(f.p.Bytes) > 0 {
		bit := siphash.PRF(l.key, drawBit, 0, l.ordinal) % uint64(8*len(f.p.Bytes))
		f.p.Bytes[bit/8] ^= 1 << (bit % 8)
	}
	if l.draw(drawDuplicate, l.cfg.Duplicate) {
		l.push(p, at)
	}
	l.change()
	return nil
}

func (l *delayLine) push(p *packet.Packet, at time.Time) *inFlight {
	var f *inFlight
	if n := len(l.spare); n > 0 {
		f, l.spare = l.spare[n-1], l.spare[:n-1]
	} else {
		f = new(inFlight)
	}
	l.turns++
	f.at, f.turn = at, l.turns
	f.p.Set(p)
	heap.Push(&l.queue, f)
	return f
}

func (l *delayLine) change() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// take blocks until a packet comes out.
func (l *delayLine) take(p *packet.Packet) error {
	var timer *time.Timer
	for {
		l.mu.Lock()
		if l.err != nil {
			err := l.err
			l.mu.Unlock()
			return err
		}
		var due <-chan time.Time
		if len(l.queue) > 0 {
			left := time.Until(l.queue[0].at)
			if left <= 0 {
				f := heap.Pop(&l.queue).(*inFlight)
				p.Set(&f.p)
				l.spare = append(l.spare, f)
				l.room.Signal()
				l.mu.Unlock()
				return nil
			}
			if timer == nil {
				timer = time.NewTimer(left)
				defer timer.Stop()
			} else {
				timer.Reset(left)
			}
			due = timer.C
		}
		l.mu.Unlock()
		select {
		case <-l.changed:
		case <-due:
		case <-l.done:
		}
	}
}

func (l *delayLine) waitRoom() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.err == nil && len(l.queue) >= impairSlots-1 {
		l.room.Wait()
	}
	return l.err
}

// end makes all calls return err.
func (l *delayLine) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	l.err = err
	close(l.done)
	l.room.Broadcast()
}

// flightQueue is a heap by time, then by order of arrival.
type flightQueue []*inFlight

func (q flightQueue) Len() int { return len(q) }
func (q flightQueue) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].turn < q[j].turn
}
func (q flightQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *flightQueue) Push(x any)   { *q = append(*q, x.(*inFlight)) }
func (q *flightQueue) Pop() any {
	old := *q
	f := old[len(old)-1]
	*q = old[:len(old)-1]
	return f
}
