package plugins

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// batch is what an observer will be told of, many records in one call. They keep
// their order.
type batch struct {
	image []byte
	n     uint32
	since clock.Instant // when the first of them came
}

// longestBatch is how long a record waits.
const longestBatch = 100 * clock.Millisecond

func (b *batch) room(set *hookSet, n uint32) {
	if *set != 0 {
		b.image = make([]byte, n*abi.BatchSize)
	}
}

func (b *batch) deadline() clock.Instant {
	if b.n == 0 {
		return clock.Never
	}
	return b.since.Add(longestBatch)
}

func (b *batch) clone() batch {
	c := *b
	c.image = slices.Clone(b.image)
	return c
}

// note adds a record to a plugin's batch, and delivers that if it is full. Who
// cannot be called misses what happens.
func (s *Set) note(p *Plugin, r *tcp.Record) {
	b := &p.batch
	if p.guest == nil {
		return
	}
	if b.n == 0 {
		b.since = r.Now
	}
	image := b.image[b.n*abi.BatchSize:][:abi.BatchSize]
	putRecord(image, hookAt(r.Step).hook, r, p.grants.Has(GrantObserve))
	clear(image[abi.ArgsAt:abi.ArgsEnd])
	if withArgs.Has(r.Step) {
		for k, v := range r.Args {
			putArg(image, k, v)
		}
		wire.PutLe32(image[abi.OffsetSections:], wire.Le32(image[abi.OffsetSections:])|abi.SectionArgs)
	}
	b.n++
	if b.n == p.manifest.Batch {
		s.deliver(p, r.Now, r.Log)
	}
}

// deliver gives a plugin its batch.
func (s *Set) deliver(p *Plugin, now clock.Instant, log *event.Log) {
	b := &p.batch
	if b.n == 0 {
		return
	}
	n := b.n
	b.n = 0
	if why, ok := p.here(now); !ok {
		p.tell(log, now, noRecord, abi.Pass, uint64(n), why)
		return
	}
	s.parts[0] = Part{0, n * abi.BatchSize}
	used := p.stats.Fuel
	result, why := p.call(now, abi.HookBatch, n, b.image, s.parts[:1])
	s.acted(p, &tcp.Act{Step: noStep}, used)
	switch {
	case why != WhyVerdict:
	case result == int64(abi.Pass):
		return
	case result == int64(abi.Detach):
		p.tell(log, now, noRecord, abi.Detach, 0, WhyDetached)
		p.leave(OutDetached)
		return
	default:
		why = WhyBad
	}
	p.blame(log, now, noRecord, abi.HookBatch, result, why)
}
