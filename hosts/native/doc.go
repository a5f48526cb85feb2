// Package native runs a core.Stack on this machine: it brings packets and time
// to it and gives its connections the shape of package net's.
//
//	tun, err := native.OpenTUN(native.TUNConfig{Peer: peer}) // the kernel's side
//	...
//	host, err := native.New(native.Config{Local: local, IO: tun})
//	...
//	l, err := host.Listen("tcp", ":80") // a net.Listener: http.Serve(l, nil)
//	c, err := host.DialContext(ctx, "tcp", "10.9.0.1:80") // a net.Conn
//	...
//	host.Close() // no goroutine, descriptor, device or route is left
//
// A link is anything that is a packet.IO: a TUN, a Pipe in memory, a socket
// that keeps messages apart (PacketConn), or a type of one's own. It may also be
// a BatchReader or a WriteWaiter. Impair makes a link worse. Time comes from any
// clock.Clock.
//
// A Host has shards; for now it has one. A shard is one stack, one lock and one link.
// Who calls a connection takes the lock, acts, and sends what came of it to the
// link itself; one goroutine reads the link, and one timer serves all deadlines
// of the stack. There is no goroutine for a connection, and reading and writing
// do not allocate. When the link is full the stack keeps its packets.
//
// Connections behave as those of package net do: deadlines, half-close, io.EOF,
// *net.OpError around the errors, which match those of package syscall with
// errors.Is and those of core/tcp too. As there, a new connection has no Nagle
// delay and sends keepalives after 15 seconds, unless Config.ProfileOptions.
//
// Limits: a host does not reach its own addresses; names are looked up by this machine's
// resolver, through its own network; SetLinger with a positive time does not
// block Close. Beside Linux, the TUN has to be given its addresses with the
// system's own commands.
package native
