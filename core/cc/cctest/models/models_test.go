package models_test

import (
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/cc/cctest"
	"github.com/tcpkit/tcpkit/core/cc/cctest/models"
	"github.com/tcpkit/tcpkit/core/siphash"
)

func TestConformance(t *testing.T) {
	t.Run("aimd", func(t *testing.T) { cctest.Run(t, models.AIMD{}, cctest.Traits{Keep: 500}) })
	t.Run("aimd, keep=80", func(t *testing.T) { cctest.Run(t, models.AIMD{Keep: 80}, cctest.Traits{Keep: 800}) })
	t.Run("bbr-lite", func(t *testing.T) { cctest.Run(t, models.BBR{}, cctest.Traits{}) })
}

// The same calls lead to the same State on every machine, and in a plugin.
func TestGolden(t *testing.T) {
	for want, c := range map[uint64]cc.Controller{0x4bb1f135c348bd3d: models.AIMD{}, 0x631d77489a5f45d: models.BBR{}} {
		calls := make([]byte, 1<<16)
		rand.New(rand.NewSource(9438)).Read(calls)
		s, err := cctest.Drive(c, calls)
		require.NoError(t, err)
		h := siphash.New(siphash.Key{})
		s.Fingerprint(&h, 0, 0)
		require.Equal(t, want, h.Sum64(), c.Name())
	}
}
