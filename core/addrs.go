package core

import (
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/wire"
)

func (s *Stack) isOwn(a wire.Addr) bool {
	for i := range s.addrs {
		if s.addrs[i].Addr == a {
			return true
		}
	}
	return false
}

// isBroadcast reports whether a is the limited broadcast address, or the one of
// a link of ours.
func (s *Stack) isBroadcast(a wire.Addr) bool {
	if !a.Is4() {
		return false
	}
	for i := range s.addrs {
		if s.addrs[i].Broadcast() == a {
			return true
		}
	}
	return a.IsBroadcast()
}

// sourceFor is the address from which a packet to remote goes: one on the same
// link if there is one, the one with the longest prefix among those (RFC 9293
// §3.9.1.1 MUST-44). It is no address when there is none of the family.
func (s *Stack) sourceFor(remote wire.Addr) wire.Addr {
	var best wire.Addr
	bits, linkLocal := -1, false
	for _, p := range s.addrs {
		if p.Addr.Family() != remote.Family() {
			continue
		}
		n := 0
		if p.Contains(remote) {
			n = int(p.Bits) + 1
		}
		// RFC 6724 §5, rule 2: the scope of a link-local address ends with the link.
		if !best.IsValid() || n > bits || n == bits && linkLocal && !p.Addr.IsLinkLocal() {
			best, bits, linkLocal = p.Addr, n, p.Addr.IsLinkLocal()
		}
	}
	return best
}

// checkAddresses decides whether a packet is for us, from somebody who can be
// answered.
func (s *Stack) checkAddresses() rule.Drop {
	src, dst := s.ip.Src, s.ip.Dst
	if !s.isOwn(dst) {
		// RFC 9293 §3.9.2.3 MUST-57: TCP for many is dropped in silence; so is ICMP,
		// which RFC 1122 §3.2.2.6 allows.
		if dst.IsMulticast() || s.isBroadcast(dst) {
			return rule.DropBroadcast
		}
		return rule.DropNotOurs
	}
	// RFC 9293 §3.9.2.3 MUST-63: a source that cannot be answered. With our own
	// address, which never comes in over a link, it is the LAND attack (THREATS
	// S17).
	if src.IsUnspecified() || src.IsMulticast() || src.IsLoopback() && !dst.IsLoopback() ||
		s.isBroadcast(src) || s.isOwn(src) {
		return rule.DropBadSource
	}
	return rule.NotDropped
}
