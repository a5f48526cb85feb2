package cc

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCubeRoot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hi := rapid.Uint64Range(0, 1<<32-1).Draw(t, "hi")
		lo := rapid.Uint64().Draw(t, "lo")
		n := new(big.Int).SetUint64(hi)
		n.Lsh(n, 64).Add(n, new(big.Int).SetUint64(lo))
		cube := func(r uint64) *big.Int {
			b := new(big.Int).SetUint64(r)
			return new(big.Int).Exp(b, big.NewInt(3), nil)
		}
		root := uint64(cubeRoot(hi, lo))
		require.LessOrEqual(t, cube(root).Cmp(n), 0)
		if root < 1<<32-1 {
			require.Positive(t, cube(root+1).Cmp(n))
		}
	})
}
