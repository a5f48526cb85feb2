package examples_test

import (
	"encoding/binary"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/cc/cctest"
	"github.com/tcpkit/tcpkit/core/cc/cctest/models"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/sim"
)

// model is a model in Go that is called as a plugin is.
type model struct{ cc.Controller }

func (m model) Wants() cc.Wants { return m.Controller.Wants() | cc.WantsMore }

// private is the octets that a model keeps of a connection.
func private(s *cc.State) (b []byte) {
	for _, w := range s.Priv {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	for _, w := range s.More.Priv {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return b
}

// The controllers are their models in Go, octet for octet, whatever they are told.
func TestControllersAreModels(t *testing.T) {
	for spec, m := range map[string]cc.Controller{
		"aimd":         models.AIMD{},
		"aimd,keep=80": models.AIMD{Keep: 80},
		"bbr-lite":     models.BBR{},
	} {
		t.Run(spec, func(t *testing.T) {
			set := load(t, spec)
			const calls = 8 * 256
			for seed := range int64(20) {
				b := make([]byte, calls)
				rand.New(rand.NewSource(seed)).Read(b)
				want, err := cctest.Drive(model{m}, b)
				require.NoError(t, err)
				got, err := cctest.Drive(set.Controller(), b)
				require.NoError(t, err)
				require.NoError(t, set.Plugins()[0].Err())
				require.Equal(t, []uint64{uint64(want.Cwnd), uint64(want.Ssthresh), want.PacingRate, uint64(want.More.Quantum)},
					[]uint64{uint64(got.Cwnd), uint64(got.Ssthresh), got.PacingRate, uint64(got.More.Quantum)}, "seed %d", seed)
				kept := private(&got)[64:] // a plugin has More.Priv
				model := private(&want)
				if want.Priv != [8]uint64{} {
					require.Equal(t, model[:64], kept[:64], "seed %d", seed)
				} else {
					require.Equal(t, model[64:], kept, "seed %d", seed)
				}
			}
		})
	}
}

// They pass what every congestion controller has to pass.
func TestControllersConform(t *testing.T) {
	t.Run("aimd", func(t *testing.T) { cctest.Run(t, load(t, "aimd").Controller(), cctest.Traits{Keep: 500}) })
	if testing.Short() {
		return // that of bbr-lite takes long, and its model does it too
	}
	t.Run("bbr-lite", func(t *testing.T) { cctest.Run(t, load(t, "bbr-lite").Controller(), cctest.Traits{}) })
}

// A transfer with the plugin is the one with its model.
func TestControllersTransfer(t *testing.T) {
	c, err := core.Profile("linux")
	require.NoError(t, err)
	way := &sim.Comparison{
		Seed: 9, Core: c, Octets: 8 << 20,
		Way:  sim.Channel{Delay: 10 * clock.Millisecond, Rate: 12_500_000, Queue: 250_000, Loss: 1000},
		Back: sim.Channel{Delay: 10 * clock.Millisecond},
	}
	for spec, m := range map[string]cc.Controller{"aimd": models.AIMD{}, "bbr-lite": models.BBR{}} {
		set := load(t, spec)
		got, err := sim.Compare(way, set.Controller(), model{m})
		require.NoError(t, err)
		require.Equal(t, got[1], got[0])
		require.Zero(t, got[0].Fallbacks)
		t.Logf("%s: %d octets a second", spec, got[0].Goodput)
	}
}
