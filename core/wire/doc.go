// Package wire reads and writes what goes over the wire: IPv4, IPv6, TCP and
// ICMP headers, and the checksums. It has no state and allocates nothing; what
// it parses points into the caller's buffer, what it writes is appended to one.
//
// One pass over a packet decides every bound, and everything after takes slices
// that are within them:
//
//	var ip wire.IP
//	if why := wire.ParseIP(b, &ip); why != rule.NotDropped {
//		return why
//	}
//	segment := b[ip.HeaderLen:ip.TotalLen] // the padding of the link is cut off
//	var tcp wire.TCP
//	if why := wire.ParseTCP(segment, &tcp); why != rule.NotDropped {
//		return why
//	}
//	data := segment[tcp.HeaderLen:]
//
// Writing goes from front to back, and FinishTCP puts the checksum last:
//
//	b = wire.AppendIP(b[:0], &ip, tcpLength)
//	b = wire.AppendTCP(b, &tcp)
//	b = append(b, data...)
//	wire.FinishTCP(b, &ip, ip.HeaderLen, false)
//
// Limits: fragments are recognised and dropped; of IPv6 extension headers eight
// are walked; IPv4 options are checked and skipped; jumbograms, IPsec and source
// routing are not spoken.
package wire
