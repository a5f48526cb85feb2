package wire_test

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tcpkit/tcpkit/core/wire"
)

// addr draws addresses of both families, many of them of a special kind.
var addr = rapid.OneOf(
	rapid.Map(rapid.Uint32(), func(v uint32) wire.Addr {
		var b [4]byte
		wire.PutBe32(b[:], v)
		return wire.AddrFrom4(b)
	}),
	rapid.Map(rapid.SliceOfN(rapid.Byte(), 16, 16), func(b []byte) wire.Addr { return wire.AddrFrom16([16]byte(b)) }),
	rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 0, 0, 1, 0xff}), 16, 16), func(b []byte) wire.Addr {
		return wire.AddrFrom16([16]byte(b))
	}),
	rapid.Map(rapid.SampledFrom([]string{
		"0.0.0.0", "127.0.0.1", "127.255.255.255", "224.0.0.1", "239.255.255.255", "255.255.255.255", "169.254.9.9",
		"::", "::1", "ff02::1", "fe80::1", "febf::1", "fec0::1", "::ffff:127.0.0.1", "::ffff:224.0.0.1",
		"::ffff:0.0.0.0", "::ffff:169.254.0.1", "::ffff:255.255.255.255", "2001:db8:0:1:1:1:1:1", "2001:0:0:1::1",
	}), mustAddr),
)

func mustAddr(s string) wire.Addr {
	a, err := wire.ParseAddr(s)
	if err != nil {
		panic(s)
	}
	return a
}

// std returns a as the standard library has it.
func std(a wire.Addr) netip.Addr {
	switch a.Family() {
	case wire.IPv4:
		return netip.AddrFrom4(a.As4())
	case wire.IPv6:
		return netip.AddrFrom16(a.As16())
	default:
		return netip.Addr{}
	}
}

func TestAddrAgreesWithNetip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := addr.Draw(t, "addr")
		n := std(a)
		require.Equal(t, n.String(), a.String())
		require.Equal(t, n.As16(), a.As16())
		require.Equal(t, n.Is4(), a.Is4())
		require.Equal(t, n.Is6(), a.Is6())
		require.Equal(t, n.Is4In6(), a.Is4In6())
		require.Equal(t, n.IsUnspecified(), a.IsUnspecified())
		require.Equal(t, n.IsLoopback(), a.IsLoopback())
		require.Equal(t, n.IsMulticast(), a.IsMulticast())
		require.Equal(t, n.IsLinkLocalUnicast(), a.IsLinkLocal())
		require.Equal(t, n.Unmap() == netip.MustParseAddr("255.255.255.255"), a.IsBroadcast())
		require.True(t, a.IsValid())
		back, err := wire.ParseAddr(a.String())
		require.NoError(t, err)
		require.Equal(t, a, back)
		text, err := a.AppendText([]byte("x"))
		require.NoError(t, err)
		require.Equal(t, "x"+a.String(), string(text))
		port := rapid.Uint16().Draw(t, "port")
		require.Equal(t, netip.AddrPortFrom(n, port).String(), wire.AddrPort{Addr: a, Port: port}.String())
	})
}

func TestNoAddr(t *testing.T) {
	var a wire.Addr
	require.False(t, a.IsValid() || a.Is4() || a.Is6() || a.Is4In6() || a.IsUnspecified() || a.IsLoopback() ||
		a.IsMulticast() || a.IsBroadcast() || a.IsLinkLocal())
	require.Equal(t, "no address", a.String())
	require.Equal(t, ":80", wire.AddrPort{Port: 80}.String())
	require.False(t, wire.Prefix{}.Contains(a), "nothing contains no address")
	require.False(t, wire.Prefix{}.Contains(mustAddr("::1")))
	require.Panics(t, func() { a.As4() })
	require.NotEqual(t, mustAddr("1.2.3.4"), mustAddr("::ffff:1.2.3.4"), "the families are kept apart")
}

// sameAsNetip checks that a text means to us what it means to net/netip.
func sameAsNetip(t require.TestingT, s string) {
	if strings.Contains(s, "%") {
		return // zones are refused here
	}
	n, stdErr := netip.ParseAddr(s)
	a, err := wire.ParseAddr(s)
	require.Equal(t, stdErr == nil, err == nil, "%q", s)
	if err == nil {
		require.Equal(t, n, std(a), "%q", s)
	}
	np, stdErr := netip.ParsePrefix(s)
	p, err := wire.ParsePrefix(s)
	require.Equal(t, stdErr == nil, err == nil, "%q", s)
	if err == nil {
		require.Equal(t, np.String(), p.String(), "%q", s)
	}
}

var addrSeeds = []string{
	"", ":", "::", ":::", "1::", "::1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::3:4:5:6:7:8",
	"1:2:3:4:5:6:7:8:9", "1:2:3:4::5:6:7:8", "1::2::3", "12345::", "g::", "::1.2.3.4", "1:2:3:4:5:6:1.2.3.4",
	"1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "::1.2.3.4:5", "1.2.3.4", "01.2.3.4", "1.2.3.256", "1.2.3.4.5", "1.2.3.",
	"1.2..4", "1.2.3.4 ", "ABCD::ef", "1.2.3.4/0", "1.2.3.4/32", "1.2.3.4/33", "::/128", "::/129", "::/01", "::/", "/8", "::/+1", "::1:", "1:", "::/99999999999999999999",
}

func TestParseAddrAgreesWithNetip(t *testing.T) {
	for _, s := range addrSeeds {
		sameAsNetip(t, s)
	}
	likely := rapid.StringOfN(rapid.RuneFrom([]rune("::::..01259afF/")), 0, 24, -1)
	rapid.Check(t, func(t *rapid.T) { sameAsNetip(t, likely.Draw(t, "text")) })
}

func FuzzParseAddr(f *testing.F) {
	for _, s := range addrSeeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { sameAsNetip(t, s) })
}

func TestPrefixAgreesWithNetip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := addr.Draw(t, "addr")
		p := wire.Prefix{Addr: a, Bits: uint8(rapid.IntRange(0, std(a).BitLen()).Draw(t, "bits"))}
		n := netip.PrefixFrom(std(a), int(p.Bits))
		require.Equal(t, n.String(), p.String())
		require.Equal(t, n.Masked().String(), p.Masked().String())
		require.True(t, p.Contains(a))
		other := rapid.OneOf(addr, rapid.Just(p.Broadcast())).Draw(t, "other")
		require.Equal(t, n.Contains(std(other)), p.Contains(other))
	})
}

func TestBroadcast(t *testing.T) {
	for text, want := range map[string]string{
		"10.1.2.3/8":       "10.255.255.255",
		"10.1.2.3/24":      "10.1.2.255",
		"10.1.2.3/30":      "10.1.2.3",
		"10.1.2.3/31":      "no address",
		"10.1.2.3/32":      "no address",
		"10.1.2.3/0":       "255.255.255.255",
		"fe80::1/64":       "no address",
		"::ffff:1.2.3.4/1": "no address",
	} {
		p, err := wire.ParsePrefix(text)
		require.NoError(t, err)
		require.Equal(t, want, p.Broadcast().String(), text)
	}
}

func TestAddrAllocatesNothing(t *testing.T) {
	a := mustAddr("2001:db8::1")
	b := make([]byte, 0, 64)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		b = a.AppendTo(b[:0])
		parsed, err := wire.ParseAddr("::ffff:10.0.0.1")
		if err != nil || parsed == a {
			panic("parse")
		}
	}))
}

func TestWords(t *testing.T) {
	hi, lo := mustAddr("1:2:3:4:5:6:7:8").Words()
	require.Equal(t, []uint64{0x1000200030004, 0x5000600070008}, []uint64{hi, lo})
	hi, lo = mustAddr("1.2.3.4").Words()
	require.Equal(t, []uint64{0, 0xffff01020304}, []uint64{hi, lo})
	require.Less(t, lo, uint64(math.MaxUint64))
}

func ExampleParseAddr() {
	a, err := wire.ParseAddr("2001:DB8:0:0:1:0:0:1")
	fmt.Println(a, a.Family(), err)
	_, err = wire.ParseAddr("10.0.0.256")
	fmt.Println(err)
	// Output:
	// 2001:db8::1:0:0:1 IPv6 <nil>
	// not an IP address
}

func ExamplePrefix() {
	p, _ := wire.ParsePrefix("10.0.0.1/24")
	inside, _ := wire.ParseAddr("10.0.0.7")
	fmt.Println(p.Contains(inside), p.Broadcast(), p.Masked())
	// Output: true 10.0.0.255 10.0.0.0/24
}
