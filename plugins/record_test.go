package plugins_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

var (
	tuple4 = tcp.Tuple{
		Local:  wire.AddrPort{Addr: wire.AddrFrom4([4]byte{192, 0, 2, 1}), Port: 80},
		Remote: wire.AddrPort{Addr: wire.AddrFrom4([4]byte{198, 51, 100, 7}), Port: 49152},
	}
	tuple6 = tcp.Tuple{
		Local:  wire.AddrPort{Addr: wire.AddrFrom16([16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 15: 1}), Port: 443},
		Remote: wire.AddrPort{Addr: wire.AddrFrom16([16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 15: 2}), Port: 1024},
	}
	snd = tcp.SendSpace{ISS: 0x11111111, UNA: 0x22222222, NXT: 0x33333333, UP: 0x55555555, WND: 0x44444444}
	rcv = tcp.ReceiveSpace{IRS: 0x66666666, NXT: 0x77777777, UP: 0x99999999, WND: 0x88888888}
)

var transition = tcp.TransitionRecord{
	Now: 0x0102030405060708, Conn: 0x0a0b0c0d, Packet: 0x1a1b1c1d, From: tcp.SynReceived, To: tcp.Established,
	Cause: tcp.BySegment, Rule: 0x2a2b, Tuple: tuple4, Send: snd, Receive: rcv,
}

var segment = tcp.SegmentRecord{
	Now: 1_000_000_000, Conn: 1, Packet: 2, State: tcp.Established, Tuple: tuple6, Length: 1448, Send: snd, Receive: rcv,
	TCP: wire.TCP{
		Seq: 0xa1a2a3a4, Ack: 0xb1b2b3b4, Flags: wire.ACK | wire.PSH | wire.AE, Window: 0xc1c2, Urgent: 0xd1d2,
		Options: wire.Options{
			Has: wire.HasMSS | wire.HasWindowScale | wire.HasTimestamps | wire.HasSACK,
			MSS: 1460, WindowScale: 7, TSVal: 0xe1e2e3e4, TSEcr: 0xf1f2f3f4,
			SACKCount: 2, SACK: [4]wire.SACKBlock{{Left: 1, Right: 2}, {Left: 3, Right: 4}, {Left: 5, Right: 6}},
		},
	},
}

// golden are the records above, octet by octet: 16 in a line.
const goldenTransition = `
80000004000000000807060504030201 0d0c0b0a1d1c1b1a030401042b2a0000
00000000000000000000ffffc0000201 00000000000000000000ffffc6336407
500000c0111111112222222233333333 44444444555555556666666677777777
88888888999999990000000000000000 00000000000000000000000000000000`

const goldenSegment = `
c00000050000000000ca9a3b00000000 01000000020000000404000600000000
20010db8000000000000000000000001 20010db8000000000000000000000002
bb010004111111112222222233333333 44444444555555556666666677777777
8888888899999999a4a3a2a1b4b3b2b1 1801c2c1d2d11b00a8050000e4e3e2e1
f4f3f2f1b40507020100000002000000 03000000040000000000000000000000
00000000000000000000000000000000 00000000000000000000000000000000`

func octets(t *testing.T, golden string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(golden), ""))
	require.NoError(t, err)
	return b
}

func TestTransitionRecord(t *testing.T) {
	b := plugins.AppendTransition(nil, &transition)
	require.Len(t, b, abi.TransitionSize)
	require.Equal(t, octets(t, goldenTransition), b, "the layout is frozen: plugins exist that read it")
}

func TestSegmentRecord(t *testing.T) {
	b := plugins.AppendSegment(nil, &segment)
	require.Len(t, b, abi.SegmentSize)
	require.Equal(t, octets(t, goldenSegment), b, "the layout is frozen: plugins exist that read it")

	bare := segment
	bare.TCP.Options.Has = 0
	b = plugins.AppendSegment([]byte{1, 2, 3}, &bare)
	require.Equal(t, []byte{1, 2, 3}, b[:3], "it is appended")
	b = b[3:]
	require.Equal(t, make([]byte, abi.SegmentSize-abi.SegmentTSVal), b[abi.SegmentTSVal:], "what a segment before had is not shown")

	leaving, rejected := bare, bare
	leaving.Leaving = true
	rejected.Drop = rule.DropPAWS
	for hook, r := range map[abi.Hook]*tcp.SegmentRecord{
		abi.HookArriving: &bare, abi.HookLeaving: &leaving, abi.HookRejected: &rejected,
	} {
		b = plugins.AppendSegment(b[:0], r)
		require.Equal(t, uint16(hook), wire.Le16(b[abi.OffsetHook:]))
	}
	b = plugins.AppendSegment(nil, &rejected)
	require.Equal(t, uint8(rule.DropPAWS), b[abi.OffsetCause])
	require.Equal(t, uint16(rule.PAWS), wire.Le16(b[abi.OffsetRule:]))
}

func TestRecordsAllocateNothing(t *testing.T) {
	b := make([]byte, 0, abi.SegmentSize)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		b = plugins.AppendTransition(b[:0], &transition)
		b = plugins.AppendSegment(b[:0], &segment)
	}))
}

// TestNumbers holds the numbers that plugins know to those of the engine.
func TestNumbers(t *testing.T) {
	require.Equal(t, []tcp.State{
		abi.StateClosed, abi.StateListen, abi.StateSynSent, abi.StateSynReceived, abi.StateEstablished, abi.StateFinWait1,
		abi.StateFinWait2, abi.StateCloseWait, abi.StateClosing, abi.StateLastAck, abi.StateTimeWait,
	}, []tcp.State{
		tcp.Closed, tcp.Listen, tcp.SynSent, tcp.SynReceived, tcp.Established, tcp.FinWait1,
		tcp.FinWait2, tcp.CloseWait, tcp.Closing, tcp.LastAck, tcp.TimeWait,
	})
	require.Equal(t, []tcp.Cause{abi.CauseSegment, abi.CauseCall, abi.CauseTimer, abi.CauseICMP},
		[]tcp.Cause{tcp.BySegment, tcp.ByCall, tcp.ByTimer, tcp.ByICMP})
	require.Equal(t, []wire.OptionSet{
		abi.OptionHasMSS, abi.OptionHasWindowScale, abi.OptionHasSACKPermitted, abi.OptionHasTimestamps, abi.OptionHasSACK,
		abi.OptionHasFastOpen, abi.OptionHasUserTimeout, abi.OptionHasUnknown, abi.OptionHasMalformed,
	}, []wire.OptionSet{
		wire.HasMSS, wire.HasWindowScale, wire.HasSACKPermitted, wire.HasTimestamps, wire.HasSACK,
		wire.HasFastOpen, wire.HasUserTimeout, wire.HasUnknown, wire.HasMalformed,
	})
	require.LessOrEqual(t, max(abi.TransitionSize, abi.SegmentSize), abi.BufferSize)
	require.LessOrEqual(t, abi.SegmentEnd, abi.SegmentSize)
}
