package wire_test

import (
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/wire"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// header draws what AppendIP can write.
var header = rapid.Custom(func(t *rapid.T) wire.IP {
	src := addr.Draw(t, "src")
	family := src.Family()
	h := wire.IP{
		Src:      src,
		Dst:      addr.Filter(func(a wire.Addr) bool { return a.Family() == family }).Draw(t, "dst"),
		Protocol: rapid.SampledFrom([]uint8{wire.ProtocolTCP, wire.ProtocolICMP, wire.ProtocolICMPv6, 255}).Draw(t, "protocol"),
		TOS:      rapid.Uint8().Draw(t, "tos"),
		TTL:      rapid.Uint8().Draw(t, "ttl"),
	}
	if family == wire.IPv4 {
		h.DontFragment = rapid.Bool().Draw(t, "df")
		h.ID = rapid.Uint16().Draw(t, "id")
		h.HeaderLen = 20
	} else {
		h.FlowLabel = rapid.Uint32Max(0xfffff).Draw(t, "flow label")
		h.HeaderLen = 40
	}
	return h
})

// Proves: RFC 791 §3.1, RFC 8200 §3
func TestIPRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := header.Draw(t, "header")
		payload := rapid.IntRange(0, 3000).Draw(t, "payload")
		padding := rapid.IntRange(0, 20).Draw(t, "padding")
		h.TotalLen = h.HeaderLen + payload
		b := wire.AppendIP([]byte("front"), &h, payload)
		require.Equal(t, "front", string(b[:5]), "it appends")
		b = append(b[5:], make([]byte, payload+padding)...)
		got := poisonedIP
		require.Equal(t, rule.NotDropped, wire.ParseIP(b, &got))
		require.Equal(t, h, got, "every field is written, and what is beyond the total length is padding")
		require.Equal(t, rule.DropIPTruncated, wire.ParseIP(b[:len(b)-padding-1], &got), "one octet short")
	})
}

// poisonedIP is a header with no field that a packet could have left so.
var poisonedIP = wire.IP{
	Src: mustAddr("9.9.9.9"), Dst: mustAddr("9::9"), Protocol: 99, TOS: 99, TTL: 99, DontFragment: true, Fragment: true,
	SourceRouted: true, ID: 0x9999, FlowLabel: 0x99999999, HeaderLen: 9999, TotalLen: 9999,
}

func TestIPv4ChecksumOfAKnownPacket(t *testing.T) {
	b := append(unhex("45000073000040004011b861c0a80001c0a800c7"), make([]byte, 0x73-20)...)
	var h wire.IP
	require.Equal(t, rule.NotDropped, wire.ParseIP(b, &h))
	require.Equal(t, wire.IP{
		Src: mustAddr("192.168.0.1"), Dst: mustAddr("192.168.0.199"), Protocol: 17, TTL: 64, DontFragment: true,
		HeaderLen: 20, TotalLen: 0x73,
	}, h)
	require.Equal(t, b[:20], wire.AppendIP(nil, &h, 0x73-20), "written as it was read")
	for bit := range 160 {
		if bit == 5 {
			continue // version 6, which has no such checksum
		}
		b[bit/8] ^= 1 << (bit % 8)
		require.NotEqual(t, rule.NotDropped, wire.ParseIP(b, &h), "a flipped bit %d is found", bit)
		b[bit/8] ^= 1 << (bit % 8)
	}
}

// ipv4 returns a packet with its checksum right: the first octets as given, and
// options after the fixed header.
func ipv4(ihl int, total int, fragment uint16, options []byte, size int) []byte {
	b := make([]byte, max(size, 20+len(options)))
	b[0] = 0x40 | byte(ihl)
	wire.PutBe16(b[2:], uint16(total))
	wire.PutBe16(b[6:], fragment)
	b[8], b[9] = 64, wire.ProtocolTCP
	b[15], b[19] = 1, 2
	copy(b[20:], options)
	if n := min(4*ihl, len(b)); n >= 20 {
		wire.PutBe16(b[10:], ^wire.Fold(wire.Sum(b[:n], 0)))
	}
	return b[:size]
}

// Every header length against every total and captured length around it.
//
// Proves: RFC 791 §3.1, S23
func TestIPv4Lengths(t *testing.T) {
	for ihl := range 16 {
		for total := range 70 {
			for size := range 70 {
				var h wire.IP
				got := wire.ParseIP(ipv4(ihl, total, 0, nil, size), &h)
				want := rule.NotDropped
				switch {
				case size < 20:
					want = rule.DropIPTruncated
				case ihl < 5 || total < 4*ihl:
					want = rule.DropIPHeader
				case total > size:
					want = rule.DropIPTruncated
				}
				require.Equal(t, want, got, "ihl %d total %d size %d", ihl, total, size)
				if got == rule.NotDropped {
					require.True(t, 20 <= h.HeaderLen && h.HeaderLen <= h.TotalLen && h.TotalLen <= size)
				}
			}
		}
	}
}

// Proves: MUST-50, MAY-10, MAY-11, RFC 791 §3.1
func TestIPv4Options(t *testing.T) {
	for name, c := range map[string]struct {
		options []byte
		want    rule.Drop
		routed  bool
	}{
		"end":                 {[]byte{0, 0xff, 0xff, 0xff}, rule.NotDropped, false},
		"nops":                {[]byte{1, 1, 1, 1}, rule.NotDropped, false},
		"router alert":        {[]byte{148, 4, 0, 0}, rule.NotDropped, false},
		"length zero":         {[]byte{7, 0, 0, 0}, rule.DropIPHeader, false},
		"length one":          {[]byte{7, 1, 0, 0}, rule.DropIPHeader, false},
		"length beyond":       {[]byte{7, 5, 0, 0}, rule.DropIPHeader, false},
		"no length":           {[]byte{1, 1, 1, 7}, rule.DropIPHeader, false},
		"loose route to go":   {[]byte{131, 7, 4, 9, 9, 9, 9, 0}, rule.DropSourceRoute, true},
		"loose route at end":  {[]byte{131, 7, 8, 9, 9, 9, 9, 0}, rule.NotDropped, true},
		"strict route to go":  {[]byte{137, 7, 4, 9, 9, 9, 9, 0}, rule.DropSourceRoute, true},
		"strict route at end": {[]byte{137, 7, 8, 9, 9, 9, 9, 0}, rule.NotDropped, true},
		"route of no octets":  {[]byte{131, 2, 1, 1}, rule.DropSourceRoute, true},
		"ten words":           {make([]byte, 40), rule.NotDropped, false},
	} {
		b := ipv4(5+len(c.options)/4, 20+len(c.options), 0, c.options, 20+len(c.options))
		var h wire.IP
		require.Equal(t, c.want, wire.ParseIP(b, &h), name)
		require.Equal(t, c.routed, h.SourceRouted, name)
	}
}

// RFC 791 §3.2: more fragments, an offset, or both.
//
// Proves: RFC 791 §3.2
func TestIPv4Fragments(t *testing.T) {
	for _, f := range []uint16{0x2000, 0x0001, 0x1fff, 0x3fff, 0x2001, 0x6000} {
		var h wire.IP
		require.Equal(t, rule.DropIPFragment, wire.ParseIP(ipv4(5, 40, f, nil, 40), &h), "%x", f)
		require.True(t, h.Fragment)
		require.Equal(t, mustAddr("0.0.0.2"), h.Dst, "the reason leaves the header readable")
	}
	var h wire.IP
	require.Equal(t, rule.NotDropped, wire.ParseIP(ipv4(5, 40, 0xc000, nil, 40), &h), "a reserved bit is no fragment")
}

func TestVersions(t *testing.T) {
	for v := range 16 {
		b := make([]byte, 60)
		b[0] = byte(v << 4)
		var h wire.IP
		got := wire.ParseIP(b, &h)
		require.Equal(t, v != 4 && v != 6, got == rule.DropIPVersion, "version %d", v)
	}
}

// ipv6 returns a packet whose first header is next, with the chain and 20
// octets of upper layer after it.
func ipv6(next uint8, chain []byte) []byte {
	ip := wire.IP{Src: mustAddr("2001:db8::1"), Dst: mustAddr("2001:db8::2"), Protocol: next, TTL: 64}
	b := wire.AppendIP(nil, &ip, len(chain)+20)
	return append(append(b, chain...), make([]byte, 20)...)
}

// pad returns an extension header of 8*(1+length) octets of padding.
func pad(next uint8, length int) []byte {
	b := make([]byte, 8*(1+length))
	b[0], b[1] = next, byte(length)
	for i := 2; i < len(b); { // PadN of at most 257 octets
		n := min(len(b)-i, 257)
		if n == 1 {
			break // Pad1
		}
		b[i], b[i+1] = 1, byte(n-2)
		i += n
	}
	return b
}

// Chains of 0 to 64 headers, each of the least or the greatest length: eight are
// walked, and the upper layer is where they end.
//
// Proves: RFC 8200 §4, S23
func TestIPv6ChainDepth(t *testing.T) {
	for _, length := range []int{0, 255} {
		for depth := 0; depth <= 64; depth++ {
			var chain []byte
			for i := range depth {
				next := uint8(wire.ProtocolDestinationOptions)
				if i == depth-1 {
					next = wire.ProtocolTCP
				}
				chain = append(chain, pad(next, length)...)
			}
			if len(chain)+20 > 0xffff {
				break
			}
			first := uint8(wire.ProtocolTCP)
			if depth > 0 {
				first = wire.ProtocolDestinationOptions
			}
			b := ipv6(first, chain)
			var h wire.IP
			got := wire.ParseIP(b, &h)
			if depth > 8 {
				require.Equal(t, rule.DropIPExtension, got, "depth %d", depth)
				continue
			}
			require.Equal(t, rule.NotDropped, got, "depth %d length %d", depth, length)
			require.Equal(t, uint8(wire.ProtocolTCP), h.Protocol)
			require.Equal(t, 40+len(chain), h.HeaderLen)
			require.Equal(t, len(b), h.TotalLen)
		}
	}
}

// A header of length 255 that is not there: each kind, at each depth.
//
// Proves: RFC 8200 §4, S23
func TestIPv6ChainBeyondThePacket(t *testing.T) {
	for _, kind := range []uint8{wire.ProtocolHopByHop, wire.ProtocolRouting, wire.ProtocolDestinationOptions} {
		for depth := range 64 {
			var chain []byte
			for range depth {
				chain = append(chain, kind, 0, 0, 0, 0, 0, 0, 0)
			}
			liar := []byte{kind, 255, 0, 0, 0, 0, 0, 0}
			var h wire.IP
			require.Equal(t, rule.DropIPExtension, wire.ParseIP(ipv6(kind, append(chain, liar...)), &h), "kind %d depth %d", kind, depth)
		}
	}
	b := ipv6(wire.ProtocolDestinationOptions, nil)
	wire.PutBe16(b[4:], 7)
	var h wire.IP
	require.Equal(t, rule.DropIPExtension, wire.ParseIP(b, &h), "an extension header has 8 octets within the packet, not in its padding")
}

func TestIPv6Extensions(t *testing.T) {
	const tcp = wire.ProtocolTCP
	for name, c := range map[string]struct {
		first uint8
		chain []byte
		want  rule.Drop
	}{
		"hop-by-hop first":             {wire.ProtocolHopByHop, pad(tcp, 0), rule.NotDropped},
		"hop-by-hop second":            {wire.ProtocolDestinationOptions, append(pad(wire.ProtocolHopByHop, 0), pad(tcp, 0)...), rule.DropIPExtension},
		"pad1 throughout":              {wire.ProtocolHopByHop, []byte{tcp, 0, 0, 0, 0, 0, 0, 0}, rule.NotDropped},
		"router alert":                 {wire.ProtocolHopByHop, []byte{tcp, 0, 5, 2, 0, 0, 1, 0}, rule.NotDropped},
		"unknown, skip":                {wire.ProtocolHopByHop, []byte{tcp, 0, 0x3e, 4, 1, 2, 3, 4}, rule.NotDropped},
		"unknown, discard":             {wire.ProtocolHopByHop, []byte{tcp, 0, 0x7e, 4, 1, 2, 3, 4}, rule.DropIPExtension},
		"unknown, discard and say":     {wire.ProtocolDestinationOptions, []byte{tcp, 0, 0xbe, 4, 1, 2, 3, 4}, rule.DropIPExtension},
		"jumbo payload":                {wire.ProtocolHopByHop, []byte{tcp, 0, 0xc2, 4, 0, 1, 0, 0}, rule.DropIPExtension},
		"option beyond its header":     {wire.ProtocolHopByHop, []byte{tcp, 0, 1, 5, 0, 0, 0, 0}, rule.DropIPExtension},
		"option without length":        {wire.ProtocolHopByHop, []byte{tcp, 0, 1, 3, 0, 0, 0, 1}, rule.DropIPExtension},
		"routing, done":                {wire.ProtocolRouting, []byte{tcp, 0, 4, 0, 0, 0, 0, 0}, rule.NotDropped},
		"routing type 0, to go":        {wire.ProtocolRouting, []byte{tcp, 0, 0, 1, 0, 0, 0, 0}, rule.DropSourceRoute},
		"fragment that is the whole":   {wire.ProtocolFragment, []byte{tcp, 0, 0, 0, 1, 2, 3, 4}, rule.NotDropped},
		"fragment, reserved bits":      {wire.ProtocolFragment, []byte{tcp, 0xff, 0, 6, 1, 2, 3, 4}, rule.NotDropped},
		"fragment, more":               {wire.ProtocolFragment, []byte{tcp, 0, 0, 1, 1, 2, 3, 4}, rule.DropIPFragment},
		"fragment, offset":             {wire.ProtocolFragment, []byte{tcp, 0, 0, 8, 1, 2, 3, 4}, rule.DropIPFragment},
		"fragment, greatest offset":    {wire.ProtocolFragment, []byte{tcp, 0, 0xff, 0xf8, 1, 2, 3, 4}, rule.DropIPFragment},
		"authentication is not walked": {51, pad(tcp, 0), rule.NotDropped},
		"no next header":               {wire.ProtocolNone, nil, rule.NotDropped},
	} {
		var h wire.IP
		require.Equal(t, c.want, wire.ParseIP(ipv6(c.first, c.chain), &h), name)
		require.Equal(t, c.want == rule.DropIPFragment, h.Fragment, name)
		require.Equal(t, c.first == wire.ProtocolRouting, h.SourceRouted, name)
	}
}

func TestAppendIPRefusesWhatNoPacketHolds(t *testing.T) {
	v4 := wire.IP{Src: mustAddr("10.0.0.1"), Dst: mustAddr("10.0.0.2")}
	v6 := wire.IP{Src: mustAddr("::1"), Dst: mustAddr("::1")}
	require.NotPanics(t, func() { wire.AppendIP(nil, &v4, 65515) })
	require.Panics(t, func() { wire.AppendIP(nil, &v4, 65516) })
	require.NotPanics(t, func() { wire.AppendIP(nil, &v6, 65535) })
	require.Panics(t, func() { wire.AppendIP(nil, &v6, 65536) })
	require.Panics(t, func() { wire.AppendIP(nil, &v4, -21) })
	require.Panics(t, func() { wire.AppendIP(nil, &wire.IP{}, 0) })
}

// FuzzIP: no bytes get a parser out of bounds, and a header without options
// that was read is written with the same octets.
func FuzzIP(f *testing.F) {
	f.Add(ipv4(5, 40, 0x4000, nil, 40))
	f.Add(ipv4(6, 44, 0, []byte{148, 4, 0, 0}, 60))
	f.Add(ipv6(wire.ProtocolTCP, nil))
	f.Add(ipv6(wire.ProtocolHopByHop, append(pad(wire.ProtocolDestinationOptions, 1), pad(wire.ProtocolTCP, 0)...)))
	f.Add(ipv6(wire.ProtocolFragment, []byte{6, 0, 0, 1, 1, 2, 3, 4}))
	f.Fuzz(func(t *testing.T, b []byte) {
		fresh, stale := wire.IP{}, poisonedIP
		why := wire.ParseIP(b, &fresh)
		require.Equal(t, why, wire.ParseIP(b, &stale))
		if why != rule.NotDropped {
			return
		}
		require.Equal(t, fresh, stale, "what h held before does not show")
		require.True(t, 20 <= fresh.HeaderLen && fresh.HeaderLen <= fresh.TotalLen && fresh.TotalLen <= len(b))
		require.Equal(t, fresh.Src.Family(), fresh.Dst.Family())
		again := wire.AppendIP(nil, &fresh, fresh.TotalLen-fresh.HeaderLen)
		if fresh.HeaderLen != len(again) {
			return // options or extension headers, which are not written
		}
		if fresh.Src.Is4() {
			again[6] |= b[6] & 0x80 // the reserved bit
			wire.PutBe16(again[10:], 0)
			wire.PutBe16(again[10:], ^wire.Fold(wire.Sum(again, 0)))
			if b[10] == 0xff && b[11] == 0xff {
				return // the other zero of the sum
			}
		}
		require.Equal(t, b[:fresh.HeaderLen], again)
	})
}

func ExampleParseIP() {
	ip := wire.IP{Src: mustAddr("10.0.0.1"), Dst: mustAddr("10.0.0.2"), Protocol: wire.ProtocolTCP, TTL: 64}
	b := wire.AppendIP(nil, &ip, 20)
	b = wire.AppendTCP(b, &wire.TCP{SrcPort: 1025, DstPort: 80, Seq: 100, Flags: wire.SYN})
	wire.FinishTCP(b, &ip, 20, false)

	var h wire.IP
	var t wire.TCP
	if why := wire.ParseIP(b, &h); why != rule.NotDropped {
		fmt.Println(why)
	}
	segment := b[h.HeaderLen:h.TotalLen]
	if why := wire.ParseTCP(segment, &t); why != rule.NotDropped {
		fmt.Println(why)
	}
	fmt.Println(h.Src, t.SrcPort, h.Dst, t.DstPort, t.Flags, t.Seq, wire.VerifyTCP(segment, &h))
	b[30]++
	fmt.Println(wire.VerifyTCP(segment, &h))
	// Output:
	// 10.0.0.1 1025 10.0.0.2 80 S 100 true
	// false
}
