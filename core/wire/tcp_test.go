package wire_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// visible returns o without what its bits say does not count.
func visible(o wire.Options) wire.Options {
	v := wire.Options{Has: o.Has}
	if o.Has.Has(wire.HasMSS) {
		v.MSS = o.MSS
	}
	if o.Has.Has(wire.HasWindowScale) {
		v.WindowScale = o.WindowScale
	}
	if o.Has.Has(wire.HasTimestamps) {
		v.TSVal, v.TSEcr = o.TSVal, o.TSEcr
	}
	if o.Has.Has(wire.HasUserTimeout) {
		v.UserTimeout = o.UserTimeout
	}
	if o.Has.Has(wire.HasSACK) {
		v.SACKCount = o.SACKCount
		copy(v.SACK[:o.SACKCount], o.SACK[:])
	}
	if o.Has.Has(wire.HasFastOpen) {
		v.FastOpenLen, v.FastOpenExp = o.FastOpenLen, o.FastOpenExp
		copy(v.FastOpen[:o.FastOpenLen], o.FastOpen[:])
	}
	return v
}

var poisonedOptions = wire.Options{
	Has: 0xffff, MSS: 0xa5a5, UserTimeout: 0xa5a5, WindowScale: 0xa5, SACKCount: 0xa5, TSVal: 0xa5a5a5a5, TSEcr: 0xa5a5a5a5,
	SACK:        [4]wire.SACKBlock{{Left: 0xa5, Right: 0xa5}, {Left: 0xa5, Right: 0xa5}, {Left: 0xa5, Right: 0xa5}, {Left: 0xa5, Right: 0xa5}},
	FastOpenLen: 0xa5, FastOpen: [16]byte{0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5},
}

// optionLengths are those that each kind that is known can have.
var optionLengths = [256][]int{
	2: {4}, 3: {3}, 4: {2}, 5: {10, 18, 26, 34}, 8: {10}, 28: {4},
}

// naiveOptions is a second parser, written from the RFCs by index and table and
// not from the first one. It says how many options it looked at.
func naiveOptions(b []byte) (o wire.Options, steps int) {
	number := func(i, n int) (v uint32) {
		for _, c := range b[i : i+n] {
			v = v*256 + uint32(c)
		}
		return v
	}
	for i := 0; i < len(b); steps++ {
		if b[i] == 0 {
			return o, steps + 1
		}
		if b[i] == 1 {
			i++
			continue
		}
		n := 0
		if i+1 < len(b) {
			n = int(b[i+1])
		}
		legal := optionLengths[b[i]]
		if n < 2 || i+n > len(b) || (legal != nil && !slices.Contains(legal, n)) {
			o.Has |= wire.HasMalformed
			return o, steps + 1
		}
		switch b[i] {
		case 2:
			o.Has |= wire.HasMSS
			o.MSS = uint16(number(i+2, 2))
		case 3:
			o.Has |= wire.HasWindowScale
			o.WindowScale = b[i+2]
		case 4:
			o.Has |= wire.HasSACKPermitted
		case 5:
			o.Has |= wire.HasSACK
			o.SACK, o.SACKCount = [4]wire.SACKBlock{}, 0
			for j := i + 2; j < i+n; j += 8 {
				o.SACK[o.SACKCount] = wire.SACKBlock{Left: seq.Value(number(j, 4)), Right: seq.Value(number(j+4, 4))}
				o.SACKCount++
			}
		case 8:
			o.Has |= wire.HasTimestamps
			o.TSVal, o.TSEcr = number(i+2, 4), number(i+6, 4)
		case 28:
			o.Has |= wire.HasUserTimeout
			o.UserTimeout = uint16(number(i+2, 2))
		case 34, 254:
			front := 2
			if b[i] == 254 {
				front = 4
			}
			if !slices.Contains([]int{0, 4, 6, 8, 10, 12, 14, 16}, n-front) || front == 4 && number(i+2, 2) != 0xf989 {
				o.Has |= wire.HasUnknown
				break
			}
			o.Has |= wire.HasFastOpen
			o.FastOpen, o.FastOpenLen, o.FastOpenExp = [16]byte{}, byte(n-front), front == 4
			copy(o.FastOpen[:], b[i+front:i+n])
		default:
			o.Has |= wire.HasUnknown
		}
		i += n
	}
	return o, steps
}

// sameOptions checks the parser against the second one, without the cost of
// require where all is well.
func sameOptions(t require.TestingT, b []byte) {
	got := poisonedOptions
	wire.ParseOptions(b, &got)
	want, steps := naiveOptions(b)
	if steps > 40 || visible(got) != want {
		require.LessOrEqual(t, steps, 40, "% x", b)
		require.Equal(t, want, visible(got), "% x", b)
	}
}

// Zero lengths, lengths of one, lengths beyond the end: all there are.
//
// Proves: S22, MUST-7
func TestEveryOptionStringOfThreeOctets(t *testing.T) {
	sameOptions(t, nil)
	for a := range 256 {
		sameOptions(t, []byte{byte(a)})
		for b := range 256 {
			sameOptions(t, []byte{byte(a), byte(b)})
		}
	}
	edge := []byte{0, 1, 2, 3, 4, 5, 8, 10, 28, 34, 255}
	for v := range 1 << 24 {
		b := [3]byte{byte(v), byte(v >> 8), byte(v >> 16)}
		if testing.Short() && !(slices.Contains(edge, b[0]) && slices.Contains(edge, b[1])) {
			continue
		}
		sameOptions(t, b[:])
	}
}

// likelyOptions draws strings of whole options and of scraps, up to 40 octets.
var likelyOptions = rapid.Custom(func(t *rapid.T) []byte {
	var b []byte
	for range rapid.IntRange(0, 12).Draw(t, "options") {
		kind := rapid.SampledFrom([]byte{0, 1, 1, 1, 2, 3, 4, 5, 5, 8, 8, 28, 34, 34, 253, 254, 254}).Draw(t, "kind")
		n := rapid.SampledFrom([]int{0, 1, 2, 3, 4, 10, 10, 18, 26, 34, 6, 40}).Draw(t, "length")
		switch {
		case kind < 2:
			b = append(b, kind)
		default:
			b = append(b, kind, byte(n))
			content := rapid.SliceOfN(rapid.Byte(), max(n-2, 0), max(n-2, 0)).Draw(t, "content")
			if kind == 254 && n >= 4 {
				content[0], content[1] = 0xf9, 0x89
			}
			b = append(b, content...)
		}
	}
	return b[:min(len(b), 40)]
})

func TestLikelyOptionStrings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { sameOptions(t, likelyOptions.Draw(t, "options")) })
}

func FuzzOptions(f *testing.F) {
	f.Add(unhex("020405b40402080a000000010000000001030307"))
	f.Add(unhex("0101080a0000000100000002"))
	f.Add(unhex("0101080a00000001000000020101051a000000010000000200000003000000040000000500000006"))
	f.Add(unhex("2202"))
	f.Add(unhex("1c048001"))
	f.Add([]byte{3, 0})
	f.Fuzz(func(t *testing.T, b []byte) { sameOptions(t, b[:min(len(b), 40)]) })
}

// options draws what AppendTCP writes in full.
var options = rapid.Custom(func(t *rapid.T) wire.Options {
	var o wire.Options
	room := 40
	flip := func(name string, bit wire.OptionSet, n int) bool {
		if n > room || !rapid.Bool().Draw(t, name) {
			return false
		}
		room -= n
		o.Has |= bit
		return true
	}
	if flip("mss", wire.HasMSS, 4) {
		o.MSS = rapid.Uint16().Draw(t, "mss value")
	}
	if flip("ts", wire.HasTimestamps, 12) {
		o.TSVal = rapid.Uint32().Draw(t, "tsval")
		o.TSEcr = rapid.Uint32().Draw(t, "tsecr")
		flip("sackOK", wire.HasSACKPermitted, 0)
	} else {
		flip("sackOK", wire.HasSACKPermitted, 4)
	}
	if flip("wscale", wire.HasWindowScale, 4) {
		o.WindowScale = rapid.Uint8().Draw(t, "shift")
	}
	n := rapid.IntRange(1, 4).Draw(t, "blocks")
	if flip("sack", wire.HasSACK, 4+8*n) {
		o.SACKCount = uint8(n)
		for i := range n {
			o.SACK[i] = wire.SACKBlock{Left: seq.Value(rapid.Uint32().Draw(t, "left")), Right: seq.Value(rapid.Uint32().Draw(t, "right"))}
		}
	}
	n = 2 * rapid.SampledFrom([]int{0, 2, 3, 4, 5, 6, 7, 8}).Draw(t, "cookie")
	front, exp := 2, rapid.Bool().Draw(t, "experiment")
	if exp {
		front = 4
	}
	if flip("tfo", wire.HasFastOpen, (front+n+3)/4*4) {
		o.FastOpenLen, o.FastOpenExp = uint8(n), exp
		copy(o.FastOpen[:], rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "cookie"))
	}
	if flip("uto", wire.HasUserTimeout, 4) {
		o.UserTimeout = rapid.Uint16().Draw(t, "user timeout")
	}
	return o
})

var tcpHeader = rapid.Custom(func(t *rapid.T) wire.TCP {
	return wire.TCP{
		SrcPort: rapid.Uint16().Draw(t, "src"),
		DstPort: rapid.Uint16().Draw(t, "dst"),
		Seq:     seq.Value(rapid.Uint32().Draw(t, "seq")),
		Ack:     seq.Value(rapid.Uint32().Draw(t, "ack")),
		Flags:   wire.Flags(rapid.Uint16Max(0x1ff).Draw(t, "flags")),
		Window:  rapid.Uint16().Draw(t, "window"),
		Urgent:  rapid.Uint16().Draw(t, "urgent"),
		Options: options.Draw(t, "options"),
	}
})

func TestTCPRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := tcpHeader.Draw(t, "header")
		ip := header.Draw(t, "ip")
		data := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "data")
		b := wire.AppendTCP([]byte("front"), &want)
		require.Equal(t, "front", string(b[:5]), "it appends")
		b = b[5:]
		want.HeaderLen = len(b)
		require.LessOrEqual(t, len(b), 60)
		require.Zero(t, len(b)%4)
		b = append(b, data...)
		wire.FinishTCP(b, &ip, 0, false)
		want.Checksum = wire.Be16(b[16:])
		require.True(t, wire.VerifyTCP(b, &ip))

		got := wire.TCP{Options: poisonedOptions}
		require.Equal(t, rule.NotDropped, wire.ParseTCP(b, &got))
		got.Options = visible(got.Options)
		require.Equal(t, want, got)
	})
}

// Every data offset against every length of the upper layer up to 64.
//
// Proves: S23
func TestDataOffset(t *testing.T) {
	for offset := range 16 {
		for size := range 65 {
			b := make([]byte, size)
			if size > 12 {
				b[12] = byte(offset << 4)
			}
			h := wire.TCP{Options: poisonedOptions}
			got := wire.ParseTCP(b, &h)
			want := rule.NotDropped
			switch {
			case size < 20:
				want = rule.DropTCPTruncated
			case offset < 5 || 4*offset > size:
				want = rule.DropTCPOffset
			}
			require.Equal(t, want, got, "offset %d size %d", offset, size)
			if got == rule.NotDropped {
				require.Equal(t, 4*offset, h.HeaderLen)
				require.Zero(t, h.Options.Has, "only end of options")
			}
		}
	}
}

// Linux's order and alignment, to the octet.
//
// Proves: MUST-69, MUST-14
func TestOptionLayouts(t *testing.T) {
	const syn = wire.HasMSS | wire.HasSACKPermitted | wire.HasTimestamps | wire.HasWindowScale
	o := wire.Options{
		MSS: 1460, WindowScale: 7, TSVal: 1, TSEcr: 2, SACKCount: 4, UserTimeout: 0x8005,
		SACK:        [4]wire.SACKBlock{{Left: 1, Right: 2}, {Left: 3, Right: 4}, {Left: 5, Right: 6}, {Left: 7, Right: 8}},
		FastOpenLen: 8, FastOpen: [16]byte{0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7},
	}
	const (
		ts     = "080a0000000100000002"
		blocks = "0000000100000002" + "0000000300000004" + "0000000500000006" + "0000000700000008"
		cookie = "220ac0c1c2c3c4c5c6c70101"
	)
	for _, c := range []struct {
		name string
		has  wire.OptionSet
		want string
	}{
		{"none", 0, ""},
		{"SYN with all", syn, "020405b4" + "0402" + ts + "01030307"},
		{"SYN without timestamps", syn &^ wire.HasTimestamps, "020405b4" + "01010402" + "01030307"},
		{"SYN without SACK", syn &^ wire.HasSACKPermitted, "020405b4" + "0101" + ts + "01030307"},
		{"SYN with MSS", wire.HasMSS, "020405b4"},
		{"timestamps", wire.HasTimestamps, "0101" + ts},
		{"SACK", wire.HasSACK, "01010522" + blocks},
		{"timestamps, and the SACK blocks that fit", wire.HasTimestamps | wire.HasSACK, "0101" + ts + "0101051a" + blocks[:48]},
		{"cookie", syn | wire.HasFastOpen, "020405b4" + "0402" + ts + "01030307" + cookie},
		{"cookie as an experiment", syn | wire.HasFastOpen, "020405b4" + "0402" + ts + "01030307" + "fe0cf989c0c1c2c3c4c5c6c7"},
		{"user timeout", syn | wire.HasUserTimeout, "020405b4" + "0402" + ts + "01030307" + "1c048005"},
		{"no room for a cookie", wire.HasTimestamps | wire.HasSACK | wire.HasFastOpen, "0101" + ts + "0101051a" + blocks[:48]},
	} {
		o.Has, o.FastOpenExp = c.has, strings.HasSuffix(c.name, "experiment")
		b := wire.AppendTCP(nil, &wire.TCP{Options: o})
		require.Equal(t, c.want, fmt.Sprintf("%x", b[20:]), c.name)
		require.Equal(t, byte(len(b)/4<<4), b[12], c.name)
	}
	o.Has, o.SACKCount = wire.HasSACK, 0
	require.Len(t, wire.AppendTCP(nil, &wire.TCP{Options: o}), 20, "no blocks, no option")
}

func TestFlags(t *testing.T) {
	require.Equal(t, "S.", (wire.SYN | wire.ACK).String())
	require.Equal(t, "FSRP.UEWA", wire.Flags(0x1ff).String())
	require.Equal(t, "-", wire.Flags(0).String())
	require.True(t, (wire.SYN | wire.ACK).Has(wire.SYN))
	require.False(t, wire.SYN.Has(wire.SYN|wire.ACK))
	b := wire.AppendTCP(nil, &wire.TCP{Flags: wire.AE | wire.FIN})
	require.Equal(t, []byte{0x51, 0x01}, b[12:14])
}

// FuzzTCP: no bytes get the parser out of bounds, and a header that was read,
// once written, reads the same.
func FuzzTCP(f *testing.F) {
	f.Add(wire.AppendTCP(nil, &wire.TCP{SrcPort: 1, DstPort: 2, Flags: wire.SYN, Options: wire.Options{
		Has: wire.HasMSS | wire.HasSACKPermitted | wire.HasTimestamps | wire.HasWindowScale, MSS: 1460, WindowScale: 7,
	}}))
	f.Add(append(wire.AppendTCP(nil, &wire.TCP{Flags: wire.ACK, Options: wire.Options{Has: wire.HasTimestamps}}), "data"...))
	f.Add(wire.AppendTCP(nil, &wire.TCP{Flags: wire.ACK, Options: wire.Options{Has: wire.HasSACK, SACKCount: 3}}))
	f.Add(unhex("000100020000000000000000f000000000000000" + "0300"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h wire.TCP
		if wire.ParseTCP(b, &h) != rule.NotDropped {
			return
		}
		require.True(t, 20 <= h.HeaderLen && h.HeaderLen <= min(len(b), 60))
		again := wire.AppendTCP(nil, &h)
		require.Equal(t, b[:12], again[:12])
		require.Equal(t, b[14:16], again[14:16])
		if h.HeaderLen == 20 {
			require.Equal(t, b[12]&0xf1, again[12], "the reserved bits are not kept")
			require.Equal(t, b[13], again[13])
		}
		var second wire.TCP
		require.Equal(t, rule.NotDropped, wire.ParseTCP(again, &second))
		h.Options.Has &^= wire.HasUnknown | wire.HasMalformed
		if h.HeaderLen >= second.HeaderLen { // all that was read fits when it is aligned
			require.Equal(t, visible(h.Options), visible(second.Options))
		}
	})
}
