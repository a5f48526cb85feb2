package wire_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tcpkit/tcpkit/core/wire"
)

// naiveSum is RFC 1071 §4.1 word for word: 16 bits at a time, carries folded at
// once, an odd octet padded with zero.
func naiveSum(b []byte, sum uint32) uint16 {
	for i := 0; i < len(b); i += 2 {
		word := uint32(b[i]) << 8
		if i+1 < len(b) {
			word |= uint32(b[i+1])
		}
		sum += word
		sum = sum&0xffff + sum>>16
	}
	return uint16(sum)
}

// content is bytes by seed: random ones, all ones, all zeros.
func content(n int, kind int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(uint64(n), 1))
	for i := range b {
		switch kind {
		case 0:
			b[i] = byte(r.Uint32())
		case 1:
			b[i] = 0xff
		}
	}
	return b
}

// Proves: RFC 1071 §3, RFC 1071 §4.1
func TestSumOfTheRFC(t *testing.T) {
	require.Equal(t, uint16(0xddf2), wire.Fold(wire.Sum([]byte{0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7}, 0)),
		"the example of RFC 1071 §3")
}

func TestSumAgreesWithNaive(t *testing.T) {
	for kind := range 3 {
		for n := range 400 {
			b := content(n, kind)
			for _, acc := range []uint64{0, 1, 0xffff, 0x1234} {
				require.Equal(t, naiveSum(b, uint32(acc)), wire.Fold(wire.Sum(b, acc)), "kind %d length %d acc %x", kind, n, acc)
			}
		}
		for _, n := range []int{1459, 1460, 1461, 65535} {
			b := content(n, kind)
			require.Equal(t, naiveSum(b, 0), wire.Fold(wire.Sum(b, 0)), "kind %d length %d", kind, n)
		}
	}
}

func FuzzSum(f *testing.F) {
	f.Add([]byte{}, uint16(0))
	f.Add([]byte{1}, uint16(0xffff))
	f.Add(content(64+32+8+7, 1), uint16(1))
	f.Fuzz(func(t *testing.T, b []byte, acc uint16) {
		require.Equal(t, naiveSum(b, uint32(acc)), wire.Fold(wire.Sum(b, uint64(acc))))
	})
}

// A sum may be made in parts that begin at even offsets, in any order.
func TestSumOfParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "octets")
		cut := 2 * rapid.IntRange(0, len(b)/2).Draw(t, "cut")
		acc := rapid.Uint64().Draw(t, "acc")
		whole := wire.Fold(wire.Sum(b, acc))
		require.Equal(t, whole, wire.Fold(wire.Sum(b[cut:], wire.Sum(b[:cut], acc))))
		require.Equal(t, whole, wire.Fold(wire.Sum(b[:cut], wire.Sum(b[cut:], acc))))
	})
}

func TestFold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		acc := rapid.Uint64().Draw(t, "acc")
		want := acc % 0xffff
		if want == 0 && acc != 0 {
			want = 0xffff // one's complement has two zeros; a sum of something is this one
		}
		require.Equal(t, uint16(want), wire.Fold(acc))
	})
	require.Equal(t, uint16(0), wire.Fold(0))
	require.Equal(t, uint16(0xffff), wire.Fold(1<<64-1))
}

func TestPseudoHeader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src, dst := addr.Draw(t, "src"), addr.Draw(t, "dst")
		if src.Family() != dst.Family() {
			t.Skip("one family")
		}
		length := rapid.IntRange(0, 65535).Draw(t, "length")
		var header []byte
		if src.Is4() {
			s, d := src.As4(), dst.As4()
			header = append(append(header, s[:]...), d[:]...)
			header = append(header, 0, 6, byte(length>>8), byte(length))
		} else {
			s, d := src.As16(), dst.As16()
			header = append(append(header, s[:]...), d[:]...)
			header = append(header, 0, 0, byte(length>>8), byte(length), 0, 0, 0, 6)
		}
		require.Equal(t, naiveSum(header, 0), wire.Fold(wire.PseudoHeader(src, dst, 6, length)))
	})
}

// RFC 1071 §1: a single bit that flips is always found.
//
// Proves: RFC 1071 §1, MUST-3
func TestEveryFlippedBitIsFound(t *testing.T) {
	for _, src := range []string{"10.0.0.1", "fe80::1"} {
		ip := wire.IP{Src: mustAddr(src), Dst: mustAddr(src), Protocol: wire.ProtocolTCP, TTL: 64}
		for _, data := range [][]byte{nil, content(1, 0), content(99, 0), content(64, 1)} {
			b := wire.AppendIP(nil, &ip, 20+len(data))
			off := len(b)
			b = wire.AppendTCP(b, &wire.TCP{SrcPort: 1, DstPort: 2, Flags: wire.ACK})
			b = append(b, data...)
			wire.FinishTCP(b, &ip, off, false)
			segment := b[off:]
			require.True(t, wire.VerifyTCP(segment, &ip))
			for bit := range 8 * len(segment) {
				segment[bit/8] ^= 1 << (bit % 8)
				require.False(t, wire.VerifyTCP(segment, &ip), "bit %d of %d octets", bit, len(segment))
				segment[bit/8] ^= 1 << (bit % 8)
			}
		}
	}
}

func TestPartialChecksumIsCompletedByTheLink(t *testing.T) {
	ip := wire.IP{Src: mustAddr("10.0.0.1"), Dst: mustAddr("10.0.0.2"), Protocol: wire.ProtocolTCP}
	tcp := wire.TCP{SrcPort: 1, DstPort: 2, Flags: wire.ACK}
	data := content(333, 0)
	build := func(partial bool) []byte {
		b := wire.AppendIP(nil, &ip, 20+len(data))
		b = append(wire.AppendTCP(b, &tcp), data...)
		wire.FinishTCP(b, &ip, 20, partial)
		return b
	}
	whole, partial := build(false), build(true)
	// What the link does: it sums from the TCP header to the end, over the field.
	wire.PutBe16(partial[36:], ^wire.Fold(wire.Sum(partial[20:], 0)))
	require.Equal(t, whole, partial)
}

var sumSink uint64

func benchmarkSum(b *testing.B, n int) {
	buf := content(n, 0)
	b.SetBytes(int64(n))
	for b.Loop() {
		sumSink = wire.Sum(buf, sumSink)
	}
}

func BenchmarkSum20(b *testing.B)    { benchmarkSum(b, 20) }
func BenchmarkSum52(b *testing.B)    { benchmarkSum(b, 52) }
func BenchmarkSum1460(b *testing.B)  { benchmarkSum(b, 1460) }
func BenchmarkSum65483(b *testing.B) { benchmarkSum(b, 65483) }
