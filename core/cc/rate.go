package cc

import (
	"math/bits"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
)

// Rate is the estimation of the delivery rate, in the manner of
// draft-cheng-iccrg-delivery-rate-estimation and of Linux: what was delivered
// between the time that a segment went out and the time that its ACK came, over
// the longer of the two times in which this was sent and acknowledged.
//
//	         deliveredAt   at                      now
//	---------------|--------|-----------------------|---
//	 P: delivered           sent                    acknowledged
//
// The draft stamps every segment. What has one time of sending has one stamp, so
// they are kept by time, apart from the flight, for as long as something that was
// sent by then is in flight.
type Rate struct {
	total       uint64        // C.delivered, octets
	deliveredAt clock.Instant // C.delivered_time
	firstSentAt clock.Instant // C.first_send_time
	limitedTo   uint64        // C.app_limited: the total at which the bubble is gone; 0: there is none
	roundAt     uint64        // the total when the round trip began
	lost        uint64        // octets taken for lost since the last sample
	stamps      []stamp
	first       int // stamps[first:] is live
}

// stamp is the P.* of what was sent at one time.
type stamp struct {
	at          clock.Instant // P.sent_time
	deliveredAt clock.Instant // P.delivered_time
	firstSentAt clock.Instant // P.first_send_time
	delivered   uint64        // P.delivered
	end         seq.Value     // SND.NXT behind it
	limited     bool          // P.is_app_limited
}

// stampsMax bounds the memory of one connection. What the oldest was about then
// gives no sample.
const stampsMax = 4096

// Sent is SendPacket of the draft §3.2. end is behind all that was ever sent; idle
// is that nothing else is in flight.
func (r *Rate) Sent(now clock.Instant, end seq.Value, idle bool) {
	if idle {
		r.firstSentAt, r.deliveredAt = now, now
		r.stamps, r.first = r.stamps[:0], 0
	}
	if n := len(r.stamps); n > r.first && r.stamps[n-1].at == now {
		r.stamps[n-1].end = end
		return
	}
	if r.first > 64 && r.first > len(r.stamps)/2 {
		n := copy(r.stamps, r.stamps[r.first:])
		r.stamps, r.first = r.stamps[:n], 0
	}
	if len(r.stamps)-r.first >= stampsMax {
		r.first++
	}
	r.stamps = append(r.stamps, stamp{
		at: now, deliveredAt: r.deliveredAt, firstSentAt: r.firstSentAt,
		delivered: r.total, end: end, limited: r.limitedTo > 0,
	})
}

// Limited is that the application has nothing more to send, and inFlight octets are
// on their way: what is sent until they have arrived tells nothing about the path
// (§3.4).
func (r *Rate) Limited(inFlight uint32) { r.limitedTo = max(r.total+uint64(inFlight), 1) }

// Lost counts octets that are taken for lost.
func (r *Rate) Lost(octets uint32) { r.lost += uint64(octets) }

// Sample is GenerateRateSample (§3.3): it fills the sample of an ACK that has
// delivered so many octets. sentAt is when the latest of them was sent, if it is
// known, and all before una is acknowledged.
func (r *Rate) Sample(a *Ack, delivered uint32, sentAt clock.Instant, known bool, una seq.Value) {
	a.Losses, r.lost = uint32(min(r.lost, 1<<32-1)), 0
	if delivered > 0 {
		r.total += uint64(delivered)
		r.deliveredAt = a.Now
	}
	a.Total = r.total
	if r.limitedTo > 0 && r.total > r.limitedTo {
		r.limitedTo = 0
	}
	if p := r.stampOf(sentAt); known && p != nil {
		a.Delivered = r.total - p.delivered
		a.AppLimited = p.limited
		// The ACKs may have come in a bunch, or the segments have gone out in one.
		a.Interval = max(p.at.Sub(p.firstSentAt), a.Now.Sub(p.deliveredAt))
		r.firstSentAt = p.at
		if p.delivered >= r.roundAt {
			a.Round, r.roundAt = true, r.total
		}
		// What seems to have taken less than the shortest round trip is about another
		// transmission than the last.
		if a.Interval < a.MinRTT {
			a.Delivered, a.Interval = 0, 0
		}
	}
	for r.first < len(r.stamps) && r.stamps[r.first].end.AtOrBefore(una) {
		r.first++
	}
}

// stampOf finds the stamp of a time.
func (r *Rate) stampOf(at clock.Instant) *stamp {
	lo, hi := r.first, len(r.stamps)
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); r.stamps[mid].at < at {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == len(r.stamps) || r.stamps[lo].at != at {
		return nil
	}
	return &r.stamps[lo]
}

// faster reports whether a octets in s is a higher rate than b in t.
func faster(a uint64, s clock.Duration, b uint64, t clock.Duration) bool {
	hi, lo := bits.Mul64(a, uint64(t))
	otherHi, otherLo := bits.Mul64(b, uint64(s))
	return hi > otherHi || hi == otherHi && lo > otherLo
}

func (r *Rate) clone() Rate {
	c := *r
	c.stamps, c.first = append([]stamp(nil), r.stamps[r.first:]...), 0
	return c
}

func (r *Rate) fingerprint(h *siphash.Hash, iss seq.Value, now clock.Instant) {
	left := uint64(0)
	if r.limitedTo > r.total {
		left = r.limitedTo - r.total + 1
	}
	for _, w := range [...]uint64{r.total - r.roundAt, left, r.lost, uint64(now.Sub(r.deliveredAt)), uint64(now.Sub(r.firstSentAt))} {
		h.WriteUint64(w)
	}
	for _, p := range r.stamps[r.first:] {
		limited := uint64(0)
		if p.limited {
			limited = 1
		}
		for _, w := range [...]uint64{
			uint64(now.Sub(p.at)), uint64(now.Sub(p.deliveredAt)), uint64(now.Sub(p.firstSentAt)),
			r.total - p.delivered, uint64(p.end.From(iss))<<1 | limited,
		} {
			h.WriteUint64(w)
		}
	}
}
