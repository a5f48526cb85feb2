package plugins

import (
	"slices"
	"strconv"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// commands is what a plugin can ask for while a hook runs: what Imports gives.
// None of it does anything at once that the engine or another plugin could see.
// THREATS P11, P19.
type commands struct {
	key     siphash.Key
	id      uint64 // that of random numbers
	ordinal uint64 // of the call
	drawing bool   // a number has been drawn in this call
	random  uint64

	store   store
	metrics [maxMetrics]Metric

	bucket   bucket
	messages []Message
	lost     uint64 // messages

	injected []injected // in this call
	octets   []byte     // of them
	full     uint64     // how often there was no room for one
}

const (
	maxMetrics  = 16
	maxText     = 1024 // octets of a message
	maxMessages = 64   // that wait to be taken
	maxInjected = 8    // in a call
)

// injected is a segment that waits for the end of the call.
type injected struct{ from, to int }

// A Message is what a plugin has logged.
type Message struct {
	At    clock.Instant
	Level uint32
	Text  string
}

// A Metric is what a plugin has counted under a number.
type Metric struct {
	Count         uint64
	Sum, Min, Max int64
}

// purposePlugin is for the random numbers of plugins.
const purposePlugin siphash.Purpose = 0x706c7567 // "plug"

// named makes the random numbers those of a name.
func (c *commands) named(name string) { c.id = siphash.Sum64(c.key, []byte(name)) }

// begin is before each call.
func (c *commands) begin() {
	c.ordinal++
	c.drawing = false
	c.injected, c.octets = c.injected[:0], c.octets[:0]
}

func (c *commands) forget() {
	c.store = store{}
	c.injected, c.octets = c.injected[:0], c.octets[:0]
}

func (c *commands) clone() commands {
	d := *c
	d.messages, d.injected, d.octets = nil, nil, nil
	return d
}

func (c *commands) fingerprint(h *siphash.Hash) {
	for _, e := range c.store.entries[:c.store.n] {
		h.WriteUint64(uint64(e.key))
		h.WriteUint64(uint64(e.value))
	}
}

// Log is Imports.
func (g *guest) Log(level uint32, text []byte) {
	p := g.user
	c := &p.commands
	if !c.bucket.take(p.now) || len(c.messages) >= maxMessages {
		c.lost++
		return
	}
	c.messages = append(c.messages, Message{p.now, level, string(text[:min(len(text), maxText)])})
}

// A bucket lets through 16 messages a second, and 32 at once. THREATS P19.
type bucket struct {
	fullAt clock.Instant // when it will be full again
}

const (
	bucketSize = 32
	bucketGap  = clock.Second / 16
)

func (b *bucket) take(now clock.Instant) bool {
	from := max(b.fullAt, now)
	if from.Sub(now) > (bucketSize-1)*bucketGap {
		return false
	}
	b.fullAt = from.Add(bucketGap)
	return true
}

// Metric is Imports.
func (g *guest) Metric(id uint32, value int64) {
	if id >= maxMetrics {
		return
	}
	m := &g.user.commands.metrics[id]
	if m.Count == 0 || value < m.Min {
		m.Min = value
	}
	if m.Count == 0 || value > m.Max {
		m.Max = value
	}
	m.Count++
	m.Sum += value
}

// Now is Imports.
func (g *guest) Now() int64 { return int64(g.user.now) }

// Random is Imports. THREATS P16: what the draws of a call begin with depends on
// the key, the plugin and the ordinal of the call, so that a draw moves no other.
func (g *guest) Random() uint64 {
	c := &g.user.commands
	if !c.drawing {
		c.random, c.drawing = siphash.PRF(c.key, purposePlugin, c.id, c.ordinal), true
	}
	var n uint64
	c.random, n = nextRandom(c.random)
	return n
}

// nextRandom is one step of SplitMix64 (Steele, Lea and Flood, 2014): the state
// after it, and the number that it draws.
func nextRandom(state uint64) (next, number uint64) {
	next = state + 0x9e3779b97f4a7c15
	z := next
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return next, z ^ z>>31
}

// A store is a plugin's keys and values, in the order of the keys.
type store struct {
	entries [storeSize]struct{ key, value int64 }
	n       int
}

const storeSize = 64

func (s *store) find(key int64) (int, bool) {
	for i := range s.entries[:s.n] {
		if s.entries[i].key >= key {
			return i, s.entries[i].key == key
		}
	}
	return s.n, false
}

// Get is Imports.
func (g *guest) Get(key int64) int64 {
	s := &g.user.commands.store
	if i, ok := s.find(key); ok {
		return s.entries[i].value
	}
	return 0
}

// Set is Imports. A value of 0 is one that is not there.
func (g *guest) Set(key, value int64) bool {
	s := &g.user.commands.store
	i, ok := s.find(key)
	switch {
	case ok && value == 0:
		copy(s.entries[i:], s.entries[i+1:s.n])
		s.n--
	case ok:
		s.entries[i].value = value
	case value == 0:
	case s.n == storeSize:
		return false
	default:
		copy(s.entries[i+1:], s.entries[i:s.n])
		s.entries[i].key, s.entries[i].value = key, value
		s.n++
	}
	return true
}

// Arm is Imports.
func (g *guest) Arm(id uint32, after int64) { g.user.timers.arm(id, after, g.user.now) }

// Inject is Imports. The segment is looked at when the hook is over.
func (g *guest) Inject(record []byte) bool {
	c := &g.user.commands
	if len(c.injected) >= maxInjected || len(record) > int(g.user.size) {
		c.full++
		return false
	}
	from := len(c.octets)
	c.octets = append(c.octets, record...)
	c.injected = append(c.injected, injected{from, len(c.octets)})
	return true
}

// carryOut hands over the segments of the call that has ended. r is what it was
// about.
func (s *Set) carryOut(p *Plugin, r *tcp.Record) Why {
	c := &p.commands
	for _, i := range c.injected {
		record := c.octets[i.from:i.to]
		if !s.makeAside(p, record, r) {
			return WhyMutation
		}
		if wire.Le32(record[abi.OffsetSections:])&abi.SectionArgs != 0 {
			s.aside.After = clock.Duration(min(wire.Le64(record[abi.ArgsAt:]), uint64(longestDelay)))
		}
		s.inject(p, r)
	}
	return WhyVerdict
}

// Messages returns what the plugin has logged since it was last asked, and how
// many messages were lost since it was loaded.
func (p *Plugin) Messages() (messages []Message, lost uint64) {
	messages = slices.Clone(p.commands.messages)
	p.commands.messages = p.commands.messages[:0]
	return messages, p.commands.lost
}

// Metrics returns what the plugin has counted, by number.
func (p *Plugin) Metrics() [maxMetrics]Metric { return p.commands.metrics }

func appendUint(b []byte, n uint64) []byte { return strconv.AppendUint(b, n, 10) }
