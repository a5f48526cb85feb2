package siphash_test

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tcpkit/tcpkit/core/siphash"
)

// octets returns 0, 1, 2 and so on, n of them: key and messages of the vectors.
func octets(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// The vectors of the reference implementation by length: every length of a last
// part, with a whole word before it and without; 15 is the example of the
// paper's appendix A, 63 the longest there is.
func TestReferenceVectors(t *testing.T) {
	key := siphash.KeyFrom([16]byte(octets(16)))
	require.Equal(t, siphash.Key{K0: 0x0706050403020100, K1: 0x0f0e0d0c0b0a0908}, key)
	for n, want := range map[int]uint64{
		0:  0x726fdb47dd0e0e31,
		1:  0x74f839c593dc67fd,
		2:  0x0d6c8009d9a94f5a,
		3:  0x85676696d7fb7e2d,
		4:  0xcf2794e0277187b7,
		5:  0x18765564cd99a68d,
		6:  0xcbc9466e58fee3ce,
		7:  0xab0200f58b01d137,
		8:  0x93f5f5799a932462,
		9:  0x9e0082df0ba9e4b0,
		10: 0x7a5dbbc594ddb9f3,
		11: 0xf4b32f46226bada7,
		12: 0x751e8fbc860ee5fb,
		13: 0x14ea5627c0843d90,
		14: 0xf723ca908e7af2ee,
		15: 0xa129ca6149be45e5,
		16: 0x3f2acc7f57c29bdb,
		40: 0x0e3ea96b5304a7d0,
		63: 0x958a324ceb064572,
	} {
		require.Equal(t, want, siphash.Sum64(key, octets(n)), "%d octets", n)
	}
}

// Every way in agrees with Sum64 of the little-endian octets.
func TestWordsAreOctets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := siphash.Key{K0: rapid.Uint64().Draw(t, "k0"), K1: rapid.Uint64().Draw(t, "k1")}
		w := rapid.SliceOfN(rapid.Uint64(), 5, 40).Draw(t, "words")
		var b []byte
		h := siphash.New(k)
		for i, v := range w {
			require.Equal(t, siphash.Sum64(k, b), h.Sum64(), "after %d words", i)
			b = binary.LittleEndian.AppendUint64(b, v)
			h.WriteUint64(v)
		}
		require.Equal(t, siphash.Sum64(k, b), h.Sum64())
		require.Equal(t, siphash.Sum64(k, b[:16]), siphash.Words2(k, w[0], w[1]))
		require.Equal(t, siphash.Sum64(k, b[:24]), siphash.PRF(k, siphash.Purpose(w[0]), w[1], w[2]))
		require.Equal(t, siphash.Sum64(k, b[:40]), siphash.Words(k, w[0], w[1], w[2], w[3], w[4]))
	})
}

func TestHashIsPlainData(t *testing.T) {
	h := siphash.New(siphash.Key{})
	h.WriteUint64(1)
	fork := h
	fork.WriteUint64(2)
	require.Equal(t, h.Sum64(), h.Sum64(), "reading a sum changes nothing")
	require.Equal(t, siphash.Words2(siphash.Key{}, 1, 2), fork.Sum64())
	require.NotEqual(t, h.Sum64(), fork.Sum64(), "a copy goes its own way")
}

// A change of one bit anywhere changes about half of the bits.
func TestAvalanche(t *testing.T) {
	base := siphash.Words(siphash.Key{}, 0, 0, 0, 0, 0)
	changed := 0
	for bit := range 320 {
		var w [5]uint64
		w[bit/64] = 1 << (bit % 64)
		changed += bits.OnesCount64(base ^ siphash.Words(siphash.Key{}, w[0], w[1], w[2], w[3], w[4]))
	}
	require.InDelta(t, 320*32, changed, 320)
}

func TestAllocatesNothing(t *testing.T) {
	b := octets(63)
	var sum uint64
	require.Zero(t, testing.AllocsPerRun(100, func() {
		sum += siphash.Sum64(siphash.Key{}, b) + siphash.PRF(siphash.Key{}, 1, 2, sum) + siphash.Words(siphash.Key{}, 1, 2, 3, 4, sum)
	}))
}

func ExamplePRF() {
	const purposePort siphash.Purpose = 1
	key := siphash.KeyFrom([16]byte{})
	first := siphash.PRF(key, purposePort, 7, 0)
	again := siphash.PRF(key, purposePort, 7, 0)
	next := siphash.PRF(key, purposePort, 7, 1)
	fmt.Println(first == again, first == next)
	// Output: true false
}

var sink uint64

func BenchmarkWords(b *testing.B) {
	for b.Loop() {
		sink = siphash.Words(siphash.Key{}, 1, 2, 3, 4, sink)
	}
}

func BenchmarkPRF(b *testing.B) {
	for b.Loop() {
		sink = siphash.PRF(siphash.Key{}, 1, 2, sink)
	}
}
