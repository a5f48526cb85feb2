package cc_test

import (
	"fmt"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
)

// A connection grows its window by ACKs, loses a segment, and grows again.
func ExampleController() {
	const mss = 1000
	control, _ := cc.ByName("newreno")
	s := cc.State{MSS: mss, Cwnd: 10 * mss}
	control.Init(&s, 0)

	ack := cc.Ack{Acked: 2 * mss, SRTT: 20 * clock.Millisecond, CwndLimited: true}
	for range 5 {
		control.OnAck(&s, &ack)
	}
	fmt.Println("slow start:", s.Cwnd)

	control.OnLoss(&s, 0, s.Cwnd)
	s.Cwnd = s.Ssthresh
	control.OnRecoveryExit(&s, 0)
	fmt.Println("after a loss:", s.Cwnd)

	for range 5 {
		control.OnAck(&s, &ack)
	}
	fmt.Println("one round trip later:", s.Cwnd)
	// Output:
	// slow start: 20000
	// after a loss: 10000
	// one round trip later: 11000
}
