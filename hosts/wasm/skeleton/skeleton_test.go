package skeleton_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/hosts/wasm/skeleton"
)

func run(t *testing.T, o skeleton.Options) skeleton.Result {
	t.Helper()
	w, err := skeleton.New(o)
	require.NoError(t, err)
	return w.Run()
}

func TestTransferUnderLoss(t *testing.T) {
	for _, family := range []wire.Family{wire.IPv4, wire.IPv6} {
		lost := uint64(0)
		for seed := range uint64(20) {
			o := skeleton.Options{Seed: seed, Octets: 100_000, Loss: 50, Delay: 10 * clock.Millisecond, Family: family}
			r := run(t, o)
			require.True(t, r.Finished, "%v seed %d: %+v", family, seed, r)
			require.Equal(t, uint64(o.Octets), r.Received)
			lost += r.Lost
			require.Equal(t, r, run(t, o), "the same options are the same run")
		}
		require.Greater(t, lost, uint64(20), "about one packet in twenty is lost")
	}
}

func TestWithoutLoss(t *testing.T) {
	r := run(t, skeleton.Options{Octets: 100_000, Delay: clock.Millisecond})
	require.True(t, r.Finished)
	require.Zero(t, r.Lost)
	require.Zero(t, r.Retransmits, "nothing was lost")
	// The client's SYN-SENT, ESTABLISHED, FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT and
	// CLOSED; the server's SYN-RECEIVED, ESTABLISHED, CLOSE-WAIT, LAST-ACK, CLOSED.
	require.Equal(t, uint64(11), r.Transitions)
	require.NotEqual(t, r.Trace, run(t, skeleton.Options{Seed: 1, Octets: 100_000, Delay: clock.Millisecond}).Trace)
}

func TestNothingArrives(t *testing.T) {
	r := run(t, skeleton.Options{Octets: 1, Loss: 1000})
	require.False(t, r.Finished, "the client gives up")
	require.Equal(t, r.Packets, r.Lost)
	require.Zero(t, r.Received)
}

func TestRecords(t *testing.T) {
	o := skeleton.Options{Seed: 1 << 63, Octets: 1<<32 - 1, Loss: 7, Delay: 3, Family: wire.IPv6}
	b := o.Append(nil)
	require.Len(t, b, skeleton.OptionsSize)
	back, ok := skeleton.ParseOptions(b)
	require.True(t, ok)
	require.Equal(t, o, back)
	_, ok = skeleton.ParseOptions(b[:len(b)-1])
	require.False(t, ok, "cut off")

	r := skeleton.Result{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, true}
	b = r.Append(nil)
	require.Len(t, b, skeleton.ResultSize)
	again, ok := skeleton.ParseResult(b)
	require.True(t, ok)
	require.Equal(t, r, again)
	_, ok = skeleton.ParseResult(b[:len(b)-1])
	require.False(t, ok, "cut off")
}
