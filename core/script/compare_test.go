package script

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
)

// Two systems are told apart by what they send: here by their profiles.
func TestCompare(t *testing.T) {
	rfc, err := core.Profile("rfc9293")
	require.NoError(t, err)
	compare := func(src string) []string {
		a := runText(t, src, Config{Trace: true, Lenient: true})
		b := runText(t, src, Config{Trace: true, Lenient: true, Core: rfc})
		return Compare(Named{"one", &a}, Named{"two", &b}, clock.Millisecond, 0)
	}
	require.Empty(t, compare(open+"+0 close(4) = 0\n+0 > F. 1:1(0) ack 1"))
	require.Equal(t, []string{
		"one       > P. 1:1001(1000) ack 1 win 65535  at 0.400000\n" +
			"two       > P. 1:1001(1000) ack 1 win 65535  at 1.100000\n" +
			"differs   the time since the packet before: one 0.300000, two 1.000000",
	}, compare(open+"+0 write(4, ..., 1000) = 1000\n* > P. 1:1001(1000) ack 1\n* > P. 1:1001(1000) ack 1"), "the RTO is at least a second, or 200 ms")
	require.Equal(t, []string{
		"one       > . 1:1(0) ack 11 win 65525  at 0.200000\ntwo       nothing",
	}, compare(open+"+.1 < P. 1:11(10) ack 1 win 65535\n+0 < P. 11:21(10) ack 1 win 65535\n+1 write(4, ..., 1) = 1"), "the first ACKs are quick, or every second segment has one")
	require.Empty(t, Compare(Named{"one", &Result{}}, Named{"two", &Result{}}, 0, 0))
}
