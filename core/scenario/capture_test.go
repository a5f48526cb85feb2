package scenario

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/pcapng"
	"github.com/tcpkit/tcpkit/core/wire"
)

func capture(t *testing.T, r *Run, host int) (packets []pcapng.Packet) {
	t.Helper()
	reader := pcapng.NewReader(r.AppendPcapng(nil, host))
	for p := (pcapng.Packet{}); reader.Next(&p); p = (pcapng.Packet{}) {
		packets = append(packets, p)
	}
	require.NoError(t, reader.Err())
	return packets
}

// A capture has what one host sees, when it sees it, with the rules in its comments.
func TestCapture(t *testing.T) {
	r := run(t, threeWay, "fault client -> server SYN 1 lose\nfault packet 4 spoil\nlink server -> client delay 80ms")
	client, server := capture(t, r, 0), capture(t, r, 1)
	require.Equal(t, "lost: planned\nCLOSED to SYN-SENT: open-active, RFC 9293 §3.10.1", client[0].Comment)
	require.Equal(t, pcapng.Outbound, client[0].Direction)
	require.Equal(t, clock.Instant(Epoch), client[0].At)
	require.Equal(t, r.Packet(1), client[0].Bytes)

	require.Equal(t, r.Packet(2), server[0].Bytes, "the first SYN never came")
	require.Equal(t, clock.Instant(Epoch).Add(1050*clock.Millisecond), server[0].At)
	require.Equal(t, "LISTEN to SYN-RECEIVED: listen-syn, RFC 9293 §3.10.7.2", server[0].Comment)
	require.Equal(t, pcapng.Inbound, server[0].Direction)
	require.Equal(t, r.Packet(3), server[1].Bytes)

	wrong := 0
	for _, p := range server {
		var ip wire.IP
		if wire.ParseIP(p.Bytes, &ip) != 0 || !wire.VerifyTCP(p.Bytes[ip.HeaderLen:], &ip) {
			wrong++
			require.Contains(t, p.Comment, "dropped, ", "what was spoiled is as it has come")
		}
	}
	require.Equal(t, 1, wrong)
	for _, i := range r.Items(0) {
		if i.Kind == Arrive {
			require.Equal(t, i.Marks.Has(Spoiled), string(r.Arrived(&i)) != string(r.Packet(i.Packet)))
		}
	}
}

// What a router says of a packet is in the capture of who has sent that.
func TestCaptureOfRouter(t *testing.T) {
	r := held(t, "scenario K2d\n"+net+`flow web client server:80
cut client server unreachable
expect error client EHOSTUNREACH at 0s
expect lost client -> server SYN 1
`)
	client := capture(t, r, 0)
	require.Len(t, client, 2)
	var ip wire.IP
	require.Zero(t, wire.ParseIP(client[1].Bytes, &ip))
	require.EqualValues(t, wire.ProtocolICMP, ip.Protocol)
}
