package tcp

import "github.com/tcpkit/tcpkit/core/wire"

// A name is a Tuple in less room, as a connection keeps it: both addresses are of
// one family.
type name struct {
	localHi, localLo      uint64
	remoteHi, remoteLo    uint64
	localPort, remotePort uint16
	family                wire.Family
}

func nameOf(t Tuple) name {
	n := name{localPort: t.Local.Port, remotePort: t.Remote.Port, family: t.Local.Addr.Family()}
	n.localHi, n.localLo = t.Local.Addr.Words()
	n.remoteHi, n.remoteLo = t.Remote.Addr.Words()
	return n
}

func (n *name) local() wire.Addr  { return wire.AddrFromWords(n.family, n.localHi, n.localLo) }
func (n *name) remote() wire.Addr { return wire.AddrFromWords(n.family, n.remoteHi, n.remoteLo) }
func (n *name) is6() bool         { return n.family == wire.IPv6 }

func (n *name) tuple() Tuple {
	return Tuple{
		Local:  wire.AddrPort{Addr: n.local(), Port: n.localPort},
		Remote: wire.AddrPort{Addr: n.remote(), Port: n.remotePort},
	}
}
