package e2e

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"syscall"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/wire"
)

// Nobody listens: RFC 9293 §3.10.7.1, a SYN to CLOSED gets a reset whose
// acknowledgment covers the SYN, and §3.10.7.3, which ends the open.
func openRefused(p *play) {
	l, err := p.server.listen(0)
	require.NoError(p, err)
	to := addrPort(l.Addr())
	require.NoError(p, l.Close())

	_, err = p.client.dial(p.Context(), to, 0)
	require.ErrorIs(p, err, syscall.ECONNREFUSED)

	s := p.story(0)
	require.Equal(p, []string{"client S", "server R."}, s.all(), s)
	syn, rst := s.segments[0], s.segments[1]
	require.Zero(p, rst.seq, "§3.10.7.1: SEQ=0")
	require.Equal(p, syn.seq.Add(1), rst.ack, "§3.10.7.1: ACK=SEG.SEQ+SEG.LEN")
	local := netip.AddrPortFrom(p.client.addr(), syn.src)
	p.expectStateOf(p.client, local, to, "CLOSED")
	p.expectStateOf(p.server, to, local, "CLOSED")
}

// One end aborts an idle connection: linger 0 makes close(2) the ABORT of
// §3.10.5. The other learns of it once, and then finds the stream at its end.
func resets(p *play, first string) {
	q := p.open()
	a, b := q.roles(first)
	p.expectState(a, "ESTABLISHED")
	p.expectState(b, "ESTABLISHED")
	require.NoError(p, a.SetLinger(0))
	require.NoError(p, a.Close())
	p.wasReset(q, a, b)
	p.expectPlot(q.port, "client S", "server S.", "client .", a.role+" R.")
}

// One end closes though data has come that it has not read: §3.6.1 SHLD-3.
func resetsUnread(p *play, first string) {
	q := p.open()
	a, b := q.roles(first)
	_, err := b.Write([]byte("hello"))
	require.NoError(p, err)
	wait(p, "the data to be acknowledged", func() bool {
		s := p.story(q.port)
		return len(s.plot()) == 4 && s.acked()
	}, p.told)
	require.NoError(p, a.Close())
	p.wasReset(q, a, b)
	p.expectPlot(q.port, "client S", "server S.", "client .", b.role+" P. 5", a.role+" R.")
}

func (p *play) wasReset(q *pair, a, b *actor) {
	p.Helper()
	p.expectErr(b, syscall.ECONNRESET)
	p.expectErr(b, io.EOF)
	p.expectWriteErr(b, syscall.EPIPE)
	_, err := a.Read(make([]byte, 1))
	require.ErrorIs(p, err, net.ErrClosed)
	p.expectState(a, "CLOSED")
	p.expectState(b, "CLOSED")
	s := p.story(q.port)
	rst := s.segments[len(s.segments)-1]
	for i := range s.segments {
		if seg := &s.segments[i]; seg.dir == rst.dir && !seg.flags.Has(wire.RST) {
			require.True(p, seg.end().AtOrBefore(rst.seq), "§3.10.5: SEQ=SND.NXT\n%v", s)
		}
	}
}

// One end sends its FIN and goes on reading; the other goes on writing, and
// closes when it is done: Figure 12 with a long second half.
func halfCloses(p *play, first string) {
	q := p.open()
	a, b := q.roles(first)
	_, err := a.Write([]byte("last words"))
	require.NoError(p, err)
	require.NoError(p, a.CloseWrite())
	p.expectRead(b, []byte("last words"))
	p.expectErr(b, io.EOF)
	p.expectWriteErr(a, syscall.EPIPE)
	p.expectState(a, "FIN-WAIT-2")
	p.expectState(b, "CLOSE-WAIT")

	answer := bytes.Repeat([]byte("answer "), 150) // one segment
	_, err = b.Write(answer)
	require.NoError(p, err)
	p.expectRead(a, answer)
	p.expectState(a, "FIN-WAIT-2")
	p.expectState(b, "CLOSE-WAIT")

	require.NoError(p, b.CloseWrite())
	p.expectErr(a, io.EOF)
	p.expectState(a, "TIME-WAIT")
	p.expectState(b, "CLOSED")
	p.expectErr(b, io.EOF)
	p.expectWriteErr(a, syscall.EPIPE)
	p.expectWriteErr(b, syscall.EPIPE)
	p.expectPlot(q.port, "client S", "server S.", "client .",
		a.role+" P. 10", a.role+" F.", b.role+" P. 1050", b.role+" F.")
	require.True(p, p.story(q.port).acked(), p.told())
	require.NoError(p, a.Close())
	require.NoError(p, b.Close())
	p.expectState(a, "TIME-WAIT")
	p.expectState(b, "CLOSED")
}

// Both FINs cross, Figure 13: the gate holds them until both have been sent, and
// then lets them go on one by one.
func closesTogether(p *play) {
	q := p.open()
	kernel, tcpkit := &q.client, &q.server
	if p.client.name() == "tcpkit" {
		kernel, tcpkit = tcpkit, kernel
	}
	p.gate.set(gateHold)
	require.NoError(p, kernel.CloseWrite())
	require.NoError(p, tcpkit.CloseWrite())
	p.expectState(kernel, "FIN-WAIT-1")
	p.expectState(tcpkit, "FIN-WAIT-1")
	wait(p, "both FINs at the gate", func() bool { return p.gate.holds(packet.In) > 0 && p.gate.holds(packet.Out) > 0 }, p.told)

	require.NoError(p, p.gate.release(packet.Out, 1))
	p.expectState(kernel, "CLOSING")
	p.expectErr(kernel, io.EOF)
	p.expectState(tcpkit, "FIN-WAIT-1")
	require.NoError(p, p.gate.release(packet.In, 1))
	p.expectState(tcpkit, "CLOSING")
	p.expectErr(tcpkit, io.EOF)
	p.expectState(kernel, "CLOSING")

	p.gate.set(gatePass)
	for _, dir := range []packet.Direction{packet.In, packet.Out} {
		require.NoError(p, p.gate.release(dir, p.gate.holds(dir)))
	}
	p.expectState(kernel, "TIME-WAIT")
	p.expectState(tcpkit, "TIME-WAIT")
	for _, a := range []*actor{kernel, tcpkit} {
		p.expectWriteErr(a, syscall.EPIPE)
		p.expectErr(a, io.EOF)
		require.NoError(p, a.Close())
		p.expectState(a, "TIME-WAIT")
	}
	// tcpkit's tap sees its own FIN go before the kernel's comes.
	p.expectPlot(q.port, "client S", "server S.", "client .", tcpkit.role+" F.", kernel.role+" F.")
	wait(p, "both FINs acknowledged", func() bool { return p.story(q.port).acked() }, p.told)
}
