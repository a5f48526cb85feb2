package event

import "github.com/tcpkit/tcpkit/core/siphash"

// A Mask is a set of kinds.
type Mask uint32

// All has every kind.
const All Mask = 1<<kinds - 1

// Of gives the set of the kinds.
func Of(kinds ...Kind) Mask {
	var m Mask
	for _, k := range kinds {
		m |= 1 << k
	}
	return m
}

// Limit is how many undrained events a log holds unless SetLimit says otherwise.
const Limit = 1 << 16

// A Log collects events. The zero Log collects none. It holds at most a fixed
// number that nobody has taken yet: beyond it events are hashed and counted
// as lost, but not kept. It is plain data: a copy made by Clone goes on by
// itself.
type Log struct {
	mask   Mask
	limit  int
	events []Event
	hash   siphash.Hash
	count  uint64
	lost   uint64
}

// SetMask chooses the kinds that are logged from now on, and begins the hash
// anew when the log was empty before.
func (l *Log) SetMask(m Mask) {
	if l.count == 0 {
		l.hash = siphash.New(siphash.Key{})
	}
	l.mask = m & All
}

// SetLimit says how many events may wait to be taken; 0 keeps none (hash only).
func (l *Log) SetLimit(n int) { l.limit = n + 1 }

// Mask returns the kinds that are logged.
func (l *Log) Mask() Mask { return l.mask }

// On reports whether events of a kind are logged; ask it before building one.
func (l *Log) On(k Kind) bool { return l.mask>>k&1 != 0 }

// Add logs e if its kind is wanted.
func (l *Log) Add(e Event) {
	if !l.On(e.Kind) {
		return
	}
	for _, w := range e.Words() {
		l.hash.WriteUint64(w)
	}
	l.count++
	limit := Limit
	if l.limit > 0 {
		limit = l.limit - 1
	}
	if len(l.events) >= limit {
		l.lost++
		return
	}
	l.events = append(l.events, e)
}

// Take appends the events that have come since the last Take to b.
func (l *Log) Take(b []Event) []Event {
	b = append(b, l.events...)
	l.events = l.events[:0]
	return b
}

// Count is the number of events logged so far, and Lost how many of them were
// not kept because nobody took them in time.
func (l *Log) Count() uint64 { return l.count }

// Lost is the number of events that were hashed but not kept.
func (l *Log) Lost() uint64 { return l.lost }

// Hash is the hash of all events logged so far.
func (l *Log) Hash() uint64 { return l.hash.Sum64() }

// Clone is a log with the same past and a future of its own.
func (l *Log) Clone() Log {
	c := *l
	c.events = append([]Event(nil), l.events...)
	return c
}
