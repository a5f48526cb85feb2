package wire

import "strconv"

// Family is the version of IP.
type Family uint8

// The families. None is that of the zero Addr.
const (
	None Family = 0
	IPv4 Family = 4
	IPv6 Family = 6
)

func (f Family) String() string {
	switch f {
	case IPv4:
		return "IPv4"
	case IPv6:
		return "IPv6"
	default:
		return "no family"
	}
}

// mapped is the upper half of the lower word of an IPv4-mapped address,
// RFC 4291 §2.5.5.2. An IPv4 Addr is held like that too, and the family tells.
const mapped = 0xffff << 32

// Addr is an IP address. The zero value is no address, and addresses compare
// with ==.
type Addr struct {
	hi, lo uint64
	family Family
}

// AddrFrom4 returns the IPv4 address of the octets b.
func AddrFrom4(b [4]byte) Addr { return addr4(Be32(b[:])) }

// AddrFrom16 returns the IPv6 address of the octets b, which stays one if it is
// an IPv4-mapped address.
func AddrFrom16(b [16]byte) Addr {
	return Addr{Be64(b[:8]), Be64(b[8:]), IPv6}
}

func addr4(v uint32) Addr { return Addr{0, mapped | uint64(v), IPv4} }

// As4 returns the octets of an IPv4 address. It panics if a is not one.
func (a Addr) As4() (b [4]byte) {
	if a.family != IPv4 {
		panic("wire: As4 needs an IPv4 address")
	}
	PutBe32(b[:], uint32(a.lo))
	return b
}

// As16 returns the octets of an IPv6 address, and of an IPv4 address in its
// mapped form.
func (a Addr) As16() (b [16]byte) {
	PutBe64(b[:8], a.hi)
	PutBe64(b[8:], a.lo)
	return b
}

// Words returns a as two numbers, for hashing. They differ for addresses of one
// family; an IPv4 address has those of its mapped form.
func (a Addr) Words() (hi, lo uint64) { return a.hi, a.lo }

// AddrFromWords is the reverse of Words for an address of family f.
func AddrFromWords(f Family, hi, lo uint64) Addr { return Addr{hi, lo, f} }

// Family returns the version of IP that a belongs to.
func (a Addr) Family() Family { return a.family }

// Is4 reports whether a is an IPv4 address.
func (a Addr) Is4() bool { return a.family == IPv4 }

// Is6 reports whether a is an IPv6 address, IPv4-mapped ones among them.
func (a Addr) Is6() bool { return a.family == IPv6 }

// Is4In6 reports whether a is an IPv4-mapped IPv6 address.
func (a Addr) Is4In6() bool { return a.family == IPv6 && a.embeds4() }

// embeds4 reports whether a is an IPv4 address or a mapped one. What kind of
// address it is does not depend on which: a mapped one must not slip by.
func (a Addr) embeds4() bool { return a.hi == 0 && a.lo>>32 == 0xffff }

// IsValid reports whether a is an address at all.
func (a Addr) IsValid() bool { return a.family != None }

// IsUnspecified reports whether a is 0.0.0.0 or ::.
func (a Addr) IsUnspecified() bool {
	return a == Addr{0, mapped, IPv4} || a == Addr{0, 0, IPv6}
}

// IsLoopback reports whether a is in 127.0.0.0/8 or is ::1.
func (a Addr) IsLoopback() bool {
	if a.embeds4() {
		return uint8(a.lo>>24) == 127
	}
	return a.hi == 0 && a.lo == 1
}

// IsMulticast reports whether a is in 224.0.0.0/4 or ff00::/8.
func (a Addr) IsMulticast() bool {
	if a.embeds4() {
		return uint32(a.lo)>>28 == 0xe
	}
	return a.hi>>56 == 0xff
}

// IsBroadcast reports whether a is 255.255.255.255, the limited broadcast. That
// of a link is Prefix.Broadcast.
func (a Addr) IsBroadcast() bool { return a.embeds4() && uint32(a.lo) == 0xffffffff }

// IsLinkLocal reports whether a is in 169.254.0.0/16 or fe80::/10.
func (a Addr) IsLinkLocal() bool {
	if a.embeds4() {
		return uint16(a.lo>>16) == 0xa9fe
	}
	return a.hi>>54 == 0xfe80>>6
}

// String returns a in the form of RFC 5952, "10.0.0.1" or "fe80::1".
func (a Addr) String() string {
	if a.family == None {
		return "no address"
	}
	return string(a.AppendTo(make([]byte, 0, len("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"))))
}

// AppendText is AppendTo in the shape of encoding.TextAppender.
func (a Addr) AppendText(b []byte) ([]byte, error) { return a.AppendTo(b), nil }

// AppendTo appends a in the form of RFC 5952 to b, nothing for no address.
func (a Addr) AppendTo(b []byte) []byte {
	switch {
	case a.family == IPv4:
		return appendDotted(b, uint32(a.lo))
	case a.family == None:
		return b
	case a.Is4In6():
		return appendDotted(append(b, "::ffff:"...), uint32(a.lo))
	}
	start, end := a.longestZeros()
	for i := 0; i < 8; i++ {
		if i == start {
			b = append(b, "::"...)
			if i = end; i == 8 {
				break
			}
		} else if i > 0 {
			b = append(b, ':')
		}
		b = strconv.AppendUint(b, uint64(a.group(i)), 16)
	}
	return b
}

func appendDotted(b []byte, v uint32) []byte {
	for shift := 24; shift >= 0; shift -= 8 {
		b = strconv.AppendUint(b, uint64(uint8(v>>shift)), 10)
		if shift > 0 {
			b = append(b, '.')
		}
	}
	return b
}

// group returns the i-th of the eight groups of 16 bits.
func (a Addr) group(i int) uint16 {
	if i < 4 {
		return uint16(a.hi >> (48 - 16*i))
	}
	return uint16(a.lo >> (112 - 16*i))
}

// longestZeros returns the first of the longest runs of zero groups.
// RFC 5952 §4.2.2, §4.2.3: a run of one group is not shortened.
func (a Addr) longestZeros() (start, end int) {
	start, end = -1, 0
	for i := 0; i < 8; i++ {
		j := i
		for j < 8 && a.group(j) == 0 {
			j++
		}
		if j-i >= 2 && j-i > end-start {
			start, end = i, j
		}
		i = j
	}
	return start, end
}

// ParseAddr reads an address in the usual notations. IPv6 zones are refused.
func ParseAddr(s string) (Addr, error) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '.':
			v, ok := parseDotted(s)
			if !ok {
				return Addr{}, ErrAddr
			}
			return addr4(v), nil
		case ':':
			return parse6(s)
		}
	}
	return Addr{}, ErrAddr
}

// parseDotted reads four decimal numbers. Leading zeros are refused, since some
// take them for octal.
func parseDotted(s string) (v uint32, ok bool) {
	for i := range 4 {
		if i > 0 {
			if s == "" || s[0] != '.' {
				return 0, false
			}
			s = s[1:]
		}
		n, digits := 0, 0
		for digits < len(s) && digits < 3 && s[digits] >= '0' && s[digits] <= '9' {
			n = 10*n + int(s[digits]-'0')
			digits++
		}
		if digits == 0 || n > 255 || (digits > 1 && s[0] == '0') {
			return 0, false
		}
		v = v<<8 | uint32(n)
		s = s[digits:]
	}
	return v, s == ""
}

func parse6(s string) (Addr, error) {
	var groups [8]uint16
	n, gap := 0, -1 // groups read, and where "::" stood among them
	if len(s) >= 2 && s[:2] == "::" {
		gap, s = 0, s[2:]
	}
	for s != "" {
		if n == 8 {
			return Addr{}, ErrAddr
		}
		v, digits := uint32(0), 0
		for digits < len(s) && digits < 4 && hexDigit(s[digits]) < 16 {
			v = v<<4 | uint32(hexDigit(s[digits]))
			digits++
		}
		if digits == 0 {
			return Addr{}, ErrAddr
		}
		if digits < len(s) && s[digits] == '.' {
			dotted, ok := parseDotted(s)
			if !ok || n > 6 {
				return Addr{}, ErrAddr
			}
			groups[n], groups[n+1] = uint16(dotted>>16), uint16(dotted)
			n += 2
			break
		}
		groups[n] = uint16(v)
		n++
		s = s[digits:]
		if s == "" {
			break
		}
		switch {
		case s[0] != ':' || len(s) == 1:
			return Addr{}, ErrAddr
		case s[1] == ':':
			if gap >= 0 {
				return Addr{}, ErrAddr
			}
			gap, s = n, s[2:]
		default:
			s = s[1:]
		}
	}
	if (gap < 0 && n < 8) || (gap >= 0 && n == 8) {
		return Addr{}, ErrAddr
	}
	a := Addr{family: IPv6}
	for i := range 8 {
		g := uint16(0)
		switch {
		case gap < 0 || i < gap:
			g = groups[i]
		case i >= 8-(n-gap):
			g = groups[i-(8-n)]
		}
		a.hi = a.hi<<16 | a.lo>>48
		a.lo = a.lo<<16 | uint64(g)
	}
	return a, nil
}

func hexDigit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	default:
		return 16
	}
}

// Prefix is the addresses whose first Bits bits are those of Addr. As the
// prefix of a link it carries the host's own address.
type Prefix struct {
	Addr Addr
	Bits uint8
}

// masks returns the bits that count, of both words of an Addr.
func (p Prefix) masks() (hi, lo uint64) {
	n := uint(p.Bits)
	if p.Addr.family == IPv4 {
		n += 96
	}
	return ^(^uint64(0) >> min(n, 64)), ^(^uint64(0) >> (max(n, 64) - 64))
}

// Contains reports whether a is in p.
func (p Prefix) Contains(a Addr) bool {
	hi, lo := p.masks()
	return a.family == p.Addr.family && a.family != None &&
		(a.hi^p.Addr.hi)&hi == 0 && (a.lo^p.Addr.lo)&lo == 0
}

// Masked returns p with the bits that do not count cleared.
func (p Prefix) Masked() Prefix {
	hi, lo := p.masks()
	p.Addr.hi &= hi
	p.Addr.lo &= lo
	return p
}

// Broadcast returns the directed broadcast address of an IPv4 link, RFC 919 §4,
// and no address for IPv6 or a link of two addresses or one (RFC 3021 §2.1).
func (p Prefix) Broadcast() Addr {
	if p.Addr.family != IPv4 || p.Bits > 30 {
		return Addr{}
	}
	_, lo := p.masks()
	return addr4(uint32(p.Addr.lo | ^lo))
}

// String returns p in the form "10.0.0.1/24".
func (p Prefix) String() string {
	return p.Addr.String() + "/" + strconv.Itoa(int(p.Bits))
}

// ParsePrefix reads an address, a slash and the number of bits.
func ParsePrefix(s string) (Prefix, error) {
	for i := 0; i < len(s); i++ {
		if s[i] != '/' {
			continue
		}
		a, err := ParseAddr(s[:i])
		n, ok := parseDecimal(s[i+1:], 128)
		if err != nil || !ok || (a.Is4() && n > 32) {
			return Prefix{}, ErrPrefix
		}
		return Prefix{a, uint8(n)}, nil
	}
	return Prefix{}, ErrPrefix
}

// parseDecimal reads a decimal number up to limit, without sign or leading zero.
func parseDecimal(s string, limit int) (n int, ok bool) {
	if s == "" || len(s) > 5 || (s[0] == '0' && s != "0") {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = 10*n + int(s[i]-'0')
	}
	return n, n <= limit
}

// AddrPort is an address and a TCP port. It compares with ==.
type AddrPort struct {
	Addr Addr
	Port uint16
}

// String returns a in the form "10.0.0.1:80" or "[fe80::1]:80", and ":80"
// without an address.
func (a AddrPort) String() string {
	b := make([]byte, 0, len("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"))
	if a.Addr.family == IPv6 {
		b = append(a.Addr.AppendTo(append(b, '[')), ']')
	} else {
		b = a.Addr.AppendTo(b)
	}
	return string(strconv.AppendUint(append(b, ':'), uint64(a.Port), 10))
}
