package tcp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// RFC 7323 §5.5: after 24 days TS.Recent is forgotten, and set anew from what
// comes next, however old that seems.
//
// Proves: RFC 7323 §5.5
func TestOutdatedTimestampIsSetAnew(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.Linux()).passive(65535, stamp(1000, 0))
		e.pass(25 * 24 * clock.Hour)
		e.in("P. 1(10) ack 1 win 65535", stamp(5, 0))
		e.pass(second)
		e.out("taken", ". 1(0) ack 11")
		require.Equal(t, uint32(5), e.last.Options.TSEcr)
		e.in("P. 11(10) ack 1 win 65535", stamp(3, 0))
		e.out("and PAWS works again", ". 1(0) ack 11")
	})
}

// RFC 7323 §4.3: TS.Recent follows the segment that covers Last.ACK.sent, by its
// sequence number as it came, not as what was old of it has been cut off.
//
// Proves: RFC 7323 §4.3
func TestTimestampOfAnOverlap(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		cfg := tcp.Linux()
		cfg.QuickAcks = 0
		e := newEnd(t, v, cfg).passive(65535, stamp(100, 0))
		e.in(". 1(100) ack 1 win 65535", stamp(101, 0)) // its ACK waits
		e.in(". 1(200) ack 1 win 65535", stamp(105, 0))
		e.pass(second)
		e.out("both", ". 1(0) ack 201")
		require.Equal(t, uint32(105), e.last.Options.TSEcr)
	})
}

// RFC 7323 §3.2: once timestamps were agreed on, a segment without is dropped in
// silence, but for a reset. Linux takes it.
//
// Proves: RFC 7323 §3.2
func TestSegmentWithoutItsTimestamp(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.RFC9293()).passive(65535, stamp(100, 0))
		e.in("P. 1(10) ack 1 win 65535")
		e.pass(second)
		e.out("dropped")
		require.Zero(t, e.c.Readable())
		e.in("R. 1(0) ack 1")
		require.Equal(t, tcp.Closed, e.c.State())

		e = newEnd(t, v, tcp.Linux()).passive(65535, stamp(100, 0))
		e.in("P. 1(10) ack 1 win 65535")
		require.Equal(t, 10, e.c.Readable())
	})
}

// RFC 7323 §4.3: a SYN that comes again brings a newer timestamp, and the SYN-ACK
// that answers it echoes that one: else the peer would measure from its first SYN.
//
// Proves: RFC 7323 §4.3
func TestTimestampOfASynThatComesAgain(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.Linux())
		e.synReceived(stamp(100, 0))
		e.pass(700 * ms)
		e.in("S 0(0) win 65535", mss(1460), stamp(800, 0))
		e.out("again", "S. 0(0) ack 1")
		require.Equal(t, uint32(800), e.last.Options.TSEcr)
		e.in("S 0(0) win 65535", mss(1460), stamp(500, 0))
		e.pass(second)
		require.Equal(t, uint32(800), e.last.Options.TSEcr, "an older one changes nothing")
	})
}
