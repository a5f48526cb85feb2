package sim

import (
	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/wire"
)

// The hosts of Transfer.
const (
	TransferClient = 0
	TransferServer = 1
)

// Transfer is the plainest world that does all: host 0 connects to port 80 of host
// 1, sends some octets and closes its half; host 1 reads them, sends as many back
// and closes. The link is the same both ways.
func Transfer(c core.Config, family wire.Family, octets uint64, way Channel) Config {
	host := func(last byte) Host {
		six := [16]byte{0: 0xfd, 15: last}
		return Host{
			Core: c, Link: packet.Link{MTU: 1500},
			Addrs: []wire.Prefix{
				{Addr: wire.AddrFrom4([4]byte{10, 0, 0, last}), Bits: 24},
				{Addr: wire.AddrFrom16(six), Bits: 64},
			},
		}
	}
	client, server := host(1), host(2)
	server.Listens = []Listen{{Port: portOpen, Backlog: 8}}
	write := Step{Op: Write, N: octets, Chunk: 1 << 16}
	return Config{
		Hosts: []Host{client, server},
		Links: []Link{{A: TransferClient, B: TransferServer, AB: way, BA: way}},
		Flows: []Flow{{
			Family: family, Port: portOpen,
			Users: [2]User{
				{Host: TransferClient, Steps: []Step{{Op: AwaitConnected}, write, {Op: CloseWrite}, {Op: AwaitEOF}}},
				{Host: TransferServer, Steps: []Step{{Op: AwaitConnected}, {Op: AwaitRead, N: octets}, write, {Op: CloseWrite}, {Op: AwaitEOF}}},
			},
		}},
	}
}
