package cc_test

import (
	"hash/fnv"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/cc/cctest"
	"github.com/tcpkit/tcpkit/core/clock"
)

const mss = cctest.MSS

func TestConformance(t *testing.T) {
	keep := map[string]uint32{"newreno": 500, "cubic": 700}
	require.Len(t, keep, len(cc.Names()))
	for _, name := range cc.Names() {
		c, ok := cc.ByName(name)
		require.True(t, ok)
		require.Equal(t, name, c.Name())
		t.Run(name, func(t *testing.T) { cctest.Run(t, c, cctest.Traits{Keep: keep[name]}) })
	}
	_, ok := cc.ByName("vegas")
	require.False(t, ok)
}

// The same calls lead to the same State on every machine: run this with GOARCH
// amd64, 386 and wasm.
func TestGolden(t *testing.T) {
	for name, want := range map[string]uint64{"newreno": 0xa12c306770ce8cb3, "cubic": 0x52a6961bea095bdc} {
		c, _ := cc.ByName(name)
		calls := make([]byte, 1<<16)
		rand.New(rand.NewSource(9438)).Read(calls)
		s, err := cctest.Drive(c, calls)
		require.NoError(t, err)
		h := fnv.New64a()
		for _, w := range append([]uint64{uint64(s.Cwnd), uint64(s.Ssthresh)}, s.Priv[:]...) {
			for i := range 8 {
				h.Write([]byte{byte(w >> (8 * i))})
			}
		}
		require.Equal(t, want, h.Sum64(), name)
	}
}

// A configured floor holds for both; Bound mends any State.
func TestBounds(t *testing.T) {
	for _, name := range cc.Names() {
		c, _ := cc.ByName(name)
		s := cc.State{MSS: mss, Cwnd: mss, MinCwnd: 4 * mss}
		c.Init(&s, 0)
		require.Equal(t, uint32(4*mss), s.Cwnd)
		c.OnECN(&s, 0, 0)
		require.Equal(t, uint32(4*mss), s.Cwnd)
		require.Equal(t, uint32(4*mss), s.Ssthresh)
		s.Cwnd = cc.MaxWindow - 1
		s.Ssthresh = 0
		for range 3 {
			c.OnAck(&s, &cc.Ack{Acked: 1 << 31, CwndLimited: true, SRTT: clock.Second})
		}
		require.Equal(t, uint32(cc.MaxWindow), s.Cwnd)

		var zero cc.State
		c.OnAck(&zero, &cc.Ack{Acked: 10, CwndLimited: true})
		require.NotZero(t, zero.Cwnd, "an MSS that nobody set divides nothing by zero")
	}
	wild := cc.State{Cwnd: 1 << 31, Ssthresh: 1, MSS: 1 << 31, MinCwnd: 1 << 31}
	wild.Bound()
	require.Equal(t, uint32(cc.MaxWindow), wild.Cwnd)
	require.Equal(t, uint32(cc.MaxWindow), wild.Ssthresh)
}

func FuzzController(f *testing.F) {
	f.Add([]byte{0, 0xb4, 5, 0, 100, 10, 100, 10, 10, 0, 50, 0, 1, 1, 1, 1, 15, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, calls []byte) {
		for _, name := range cc.Names() {
			c, _ := cc.ByName(name)
			_, err := cctest.Drive(c, calls)
			require.NoError(t, err, name)
		}
	})
}

func BenchmarkOnAck(b *testing.B) {
	for _, name := range cc.Names() {
		b.Run(name, func(b *testing.B) {
			c, _ := cc.ByName(name)
			f := cctest.NewFlow(c)
			f.Cwnd = 100 * mss
			f.Lose()
			ack := f.Ack(2 * mss)
			b.ReportAllocs()
			for b.Loop() {
				ack.Now = ack.Now.Add(clock.Microsecond)
				c.OnAck(&f.State, &ack)
			}
		})
	}
}
