package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/release"
)

func (s *Stack) nextPort(t testing.TB, remote wire.AddrPort) uint16 {
	tuple := tcp.Tuple{Local: wire.AddrPort{Addr: addr("10.0.0.1")}, Remote: remote}
	require.NoError(t, s.freePort(&tuple))
	return tuple.Local.Port
}

// THREATS S10: ports stay in their range, come in no order and with no period.
//
// Proves: S10, RFC 6056 §3.3.4
func TestPortsAreUnpredictable(t *testing.T) {
	n := release.Count(30_000, 100_000)
	s := newStack(t, config("linux"), ethernet, "10.0.0.1/24")
	size := int(s.cfg.PortHigh-s.cfg.PortLow) + 1
	var bins, steps [64]int
	last, rises := uint16(0), 0
	first := make([]uint16, 0, size)
	for i := range n {
		p := s.nextPort(t, at("10.0.0.2", 80))
		require.GreaterOrEqual(t, p, s.cfg.PortLow)
		require.LessOrEqual(t, p, s.cfg.PortHigh)
		bins[int(p-s.cfg.PortLow)*64/size]++
		steps[uint16(p-last)>>10]++
		if p > last {
			rises++
		}
		if i < size {
			first = append(first, p)
		}
		last = p
	}
	require.InDelta(t, n/2, rises, float64(n)/50, "half of the steps go up")
	for i, k := range bins {
		require.InDelta(t, n/64, k, float64(n)/64/4, "part %d of the range", i)
	}
	common := 0
	for _, k := range steps {
		common = max(common, k)
	}
	require.Less(t, common, n/16, "no step stands out")
	seen := map[uint16]bool{}
	for _, p := range first {
		require.False(t, seen[p], "no port comes again before all others have")
		seen[p] = true
	}

	// Another destination, and another secret, have another order.
	same := 0
	other := config("linux")
	other.Secret[3] = 9
	o := newStack(t, other, ethernet, "10.0.0.1/24")
	for i := range 1000 {
		if p := s.nextPort(t, at("10.0.0.3", 80)); p == first[i] {
			same++
		}
		if p := o.nextPort(t, at("10.0.0.2", 80)); p == first[i] {
			same++
		}
	}
	require.Less(t, same, 10)
}

// What one destination is sent does not show in the ports of another, unless by
// chance both share a counter; and even then not the order.
func TestPortsOfDestinationsAreApart(t *testing.T) {
	a := newStack(t, config("linux"), ethernet, "10.0.0.1/24")
	b := newStack(t, config("linux"), ethernet, "10.0.0.1/24")
	for i := range 100 {
		_ = a.nextPort(t, at("10.0.0.77", 443))
		require.Equal(t, a.nextPort(t, at("10.0.0.2", 80)), b.nextPort(t, at("10.0.0.2", 80)), "open %d", i)
	}
}

// THREATS S10: when all ports of a destination are taken, that is told, and counted.
//
// Proves: S10
func TestPortsRunOut(t *testing.T) {
	cfg := config("linux")
	cfg.PortLow, cfg.PortHigh = 40000, 40099
	s := newStack(t, cfg, ethernet, "10.0.0.1/24")
	l, err := s.Listen(0, wire.AddrPort{Port: 40050}, ListenOptions{})
	require.NoError(t, err)
	used := map[uint16]bool{}
	for range 99 {
		c, err := s.Dial(0, wire.AddrPort{}, at("10.0.0.2", 80), nil)
		require.NoError(t, err)
		require.False(t, used[c.Local().Port])
		used[c.Local().Port] = true
	}
	require.False(t, used[40050], "the listener's port is not taken")
	_, err = s.Dial(0, wire.AddrPort{}, at("10.0.0.2", 80), nil)
	require.Equal(t, tcp.ErrAddrNotAvail, err)
	require.Equal(t, uint64(1), s.Stats().PortsExhausted)
	_, err = s.Dial(0, wire.AddrPort{}, at("10.0.0.2", 81), nil)
	require.NoError(t, err, "another destination has all ports")
	l.Close(0)
	_, err = s.Dial(0, wire.AddrPort{}, at("10.0.0.2", 80), nil)
	require.NoError(t, err)
}
