package core_test

import (
	"fmt"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/wire"
)

// Two stacks on one wire, which is a few lines: a host of its own kind.
func Example() {
	var now clock.Instant
	stack := func(address string) *core.Stack {
		config, _ := core.Profile("linux")
		config.Secret = [16]byte{1} // a real host takes it from its source of entropy
		s, _ := core.New(config, packet.Link{MTU: 1500})
		prefix, _ := wire.ParsePrefix(address)
		_ = s.AddAddr(prefix)
		return s
	}
	client, server := stack("10.0.0.1/24"), stack("10.0.0.2/24")
	carry := func(from, to *core.Stack) (some bool) {
		var p packet.Packet
		for from.Output(now, &p) {
			to.Input(now, &p)
			some = true
		}
		return some
	}
	settle := func() {
		for carry(client, server) || carry(server, client) {
		}
	}

	listener, _ := server.Listen(now, wire.AddrPort{Port: 80}, core.ListenOptions{Backlog: 5})
	conn, _ := client.Dial(now, wire.AddrPort{}, wire.AddrPort{Addr: server.Addrs()[0].Addr, Port: 80}, nil)
	settle()
	accepted, _ := listener.Accept(now)
	fmt.Println(conn.State(), accepted.State())

	_, _ = conn.Write(now, []byte("hello"))
	_ = conn.CloseWrite(now)
	settle()
	b := make([]byte, 100)
	n, _ := accepted.Read(now, b)
	fmt.Printf("%s\n", b[:n])
	_, err := accepted.Read(now, b)
	fmt.Println(err)
	fmt.Println(conn.State(), accepted.State())

	_ = accepted.Close(now)
	settle()
	_ = conn.Close(now)
	settle()
	fmt.Println(server.Conns(), client.Conns(), client.TimeWaits(), client.Deadline())
	// Output:
	// ESTABLISHED ESTABLISHED
	// hello
	// end of stream
	// FIN-WAIT-1 CLOSE-WAIT
	// 0 0 1 60.000000
}

// A stack that is cloned goes on twice, in the same way: here to see what would
// happen without waiting for it.
func ExampleStack_Clone() {
	config, _ := core.Profile("linux")
	s, _ := core.New(config, packet.Link{MTU: 1500})
	prefix, _ := wire.ParsePrefix("10.0.0.1/24")
	_ = s.AddAddr(prefix)
	remote, _ := wire.ParseAddr("10.0.0.2")
	conn, _ := s.Dial(0, wire.AddrPort{}, wire.AddrPort{Addr: remote, Port: 80}, nil)

	future := s.Clone()
	var p packet.Packet
	syns := 0
	for now := clock.Instant(0); now != clock.Never; now = future.Deadline() {
		future.Expire(now)
		for future.Output(now, &p) {
			syns++
		}
	}
	fmt.Println(syns, future.Conn(conn.Slot()).Err())
	fmt.Println(conn.State())
	// Output:
	// 11 connection timed out
	// SYN-SENT
}
