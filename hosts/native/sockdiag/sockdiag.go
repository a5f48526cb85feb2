package sockdiag

import (
	"errors"
	"net/netip"
	"strconv"
	"time"
)

// ErrNotFound says that the kernel has no connection between the addresses:
// RFC 9293's CLOSED.
var ErrNotFound = errors.New("the kernel has no such connection")

// State is the state of a TCP connection, in Linux's numbers (tcp_states.h).
type State uint8

// The states. Linux tells SYN-RECEIVED with a socket (simultaneous open, fast
// open) from the one without; both are SynReceived here.
const (
	Established State = iota + 1
	SynSent
	SynReceived
	FinWait1
	FinWait2
	TimeWait
	Closed
	CloseWait
	LastAck
	Listen
	Closing
	newSynReceived
)

var stateNames = [...]string{
	Established: "ESTABLISHED", SynSent: "SYN-SENT", SynReceived: "SYN-RECEIVED",
	FinWait1: "FIN-WAIT-1", FinWait2: "FIN-WAIT-2", TimeWait: "TIME-WAIT", Closed: "CLOSED",
	CloseWait: "CLOSE-WAIT", LastAck: "LAST-ACK", Listen: "LISTEN", Closing: "CLOSING",
}

// String is the name that RFC 9293 gives the state.
func (s State) String() string {
	if int(s) < len(stateNames) && stateNames[s] != "" {
		return stateNames[s]
	}
	return "state " + strconv.Itoa(int(s))
}

// Timer is what the kernel waits for on a connection.
type Timer uint8

// The timers.
const (
	TimerNone Timer = iota
	TimerRetransmit
	TimerKeepalive
	TimerTimeWait
	TimerProbe // zero window
)

func (t Timer) String() string {
	switch t {
	case TimerNone:
		return "none"
	case TimerRetransmit:
		return "retransmit"
	case TimerKeepalive:
		return "keepalive"
	case TimerTimeWait:
		return "time-wait"
	case TimerProbe:
		return "probe"
	default:
		return "timer " + strconv.Itoa(int(t))
	}
}

// Socket is what the kernel says of a connection or of a listener.
type Socket struct {
	Local, Remote netip.AddrPort
	State         State
	Timer         Timer
	Expires       time.Duration // until the timer, to the kernel's millisecond
	Retransmits   uint8         // in a row
	// ReadQueue is what the application has not read; of a listener, how many
	// connections wait to be accepted.
	ReadQueue uint32
	// WriteQueue is what the peer has not acknowledged; of a listener, its
	// backlog.
	WriteQueue uint32
	UID        uint32
	Inode      uint32 // 0: no process holds it
	Info       Info
}

// Info is the part of tcp_info that has kept its place since Linux 4. It is
// zero where the kernel gave none: of half-open connections and TIME-WAIT.
type Info struct {
	CongestionState                           uint8 // Open, Disorder, CWR, Recovery, Loss
	Options                                   uint8 // timestamps 1, SACK 2, window scale 4, ECN 8
	SendScale, ReceiveScale                   uint8
	RTO, ATO                                  time.Duration
	SendMSS, ReceiveMSS                       uint32
	Unacked, Sacked, Lost, Retransmitted      uint32 // segments
	PMTU                                      uint32
	RTT, RTTVar, MinRTT                       time.Duration
	SendSsthresh, SendCwnd                    uint32 // segments
	TotalRetransmits                          uint32
	BytesAcked, BytesReceived                 uint64
	SegmentsOut, SegmentsIn                   uint32
	PacingRate, DeliveryRate                  uint64 // octets per second
	ReceiveSpace, ReceiveSsthresh, AdvertMSS  uint32
	LastDataSent, LastDataReceived, LastAckIn time.Duration // ago
}
