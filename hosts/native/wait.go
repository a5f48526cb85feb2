package native

import (
	"sync"
	"time"
)

// A waiter is where one goroutine waits for what the shard's lock guards. It
// prepares under the lock, gives the lock back, and receives from ch; who changes
// something wakes it under the lock. One wake answers one prepare. A waiter that gave
// up for another reason, a context that ended, is not used again.
type waiter struct {
	ch      chan struct{} // room for one; made when first used
	next    *waiter       // in shard.woken
	waiting bool
}

// prepare says that somebody is about to wait. It is called under the lock.
func (w *waiter) prepare() {
	if w.ch == nil {
		w.ch = make(chan struct{}, 1)
	}
	w.waiting = true
}

// wake lets w go on once the lock is given back.
func (s *shard) wake(w *waiter) {
	if w.waiting {
		w.waiting = false
		w.next = s.woken
		s.woken = w
	}
}

// A side is what calls in one direction of a connection, or to accept, have in
// common: they go one after the other, and they have a deadline.
type side struct {
	waiter
	turn     sync.Mutex // held for a whole call, so that writes are not mixed
	expired  bool       // the deadline has passed
	deadline time.Time
	timer    *time.Timer // made with the first deadline
}

// setDeadline is called under the lock of s.
func (d *side) setDeadline(s *shard, t time.Time) {
	d.deadline, d.expired = t, false
	left := time.Until(t)
	switch {
	case t.IsZero():
		if d.timer != nil {
			d.timer.Stop()
		}
	case left <= 0:
		d.expired = true
		if d.timer != nil {
			d.timer.Stop()
		}
		s.wake(&d.waiter)
	case d.timer == nil:
		d.timer = time.AfterFunc(left, func() { d.expire(s) })
	default:
		d.timer.Reset(left)
	}
}

// expire runs when the timer does. The deadline may have been moved meanwhile.
func (d *side) expire(s *shard) {
	s.mu.Lock()
	if !d.deadline.IsZero() && !time.Now().Before(d.deadline) {
		d.expired = true
		s.wake(&d.waiter)
	}
	s.unlock()
}

// stop is called under the lock when there will be no more calls.
func (d *side) stop(s *shard) {
	if d.timer != nil {
		d.timer.Stop()
	}
	s.wake(&d.waiter)
}
