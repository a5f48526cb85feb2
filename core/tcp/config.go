package tcp

import (
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
)

// A Config has every number that a connection goes by. A Config in use is
// never changed: a connection that sets an option takes a copy of its own.
// Durations are in nanoseconds, sizes in octets.
type Config struct {
	// DeferAccept keeps a connection from its listener's user until data comes, or
	// SYN-ACKs have gone out for so long; 0: the handshake is enough.
	DeferAccept clock.Duration

	// What is offered in the SYN, and answered when the peer offers it.
	WindowScaling bool // RFC 7323 §2
	Timestamps    bool // RFC 7323 §3
	SACK          bool // RFC 2018
	DSACK         bool // RFC 2883: SACK reports duplicates

	KeepMSS bool   // a bound that the user sets after the handshake changes nothing, as on Linux
	MaxMSS  uint16 // bound of the MSS that we send and use; 0: the link's MTU decides
	MinMSS  uint16 // a SYN that offers less is refused (THREATS S03)
	TTL     uint8  // hop limit, at least 1
	TOS     uint8  // DSCP in the upper six bits; the two of ECN are not the user's

	// Buffers. A buffer begins at its plain size and grows to its Max when the
	// connection turns out to need it; equal values switch that off.
	SendBuffer, SendBufferMax       uint32
	ReceiveBuffer, ReceiveBufferMax uint32

	// Congestion control.
	Controller         cc.Controller
	InitialWindow      uint32 // segments, RFC 6928
	InitialOctets      uint32 // octets in place of both others, but a segment at least; 0: those
	InitialWindowMax   uint32 // octets, beyond two segments; 0: no bound, as on Linux
	ByteCountingLimit  uint32 // segments counted for one ACK in slow start, RFC 3465's L; 0: all
	DupThresh          uint8  // duplicate ACKs that mean loss, RFC 5681 §3.2
	SlowStartAfterIdle bool   // RFC 5681 §4.1

	// Loss recovery. Where SACK was not agreed on it is RFC 6582's, else RFC 6675's or
	// RACK-TLP's, RFC 8985; cwnd follows RFC 9937 in all of them.
	RACK              bool           // losses are found by time, RFC 8985 §6
	RACKByEcho        bool           // of what went again that alone counts whose timestamp comes back, RFC 8985 §6.2; Linux does not look
	TLP               bool           // a probe goes before the timeout, RFC 8985 §7; with RACK only
	TLPWantsSample    bool           // but only after a new round trip was measured, RFC 8985 §7.3 (MUST; Linux does not look)
	TLPAckDelay       clock.Duration // how much later the probe goes when one segment is out, TLP.max_ack_delay
	TimerSlack        clock.Duration // added to the timers of the probe and of reordering, two ticks on Linux
	RenegeWait        clock.Duration // how soon what the receiver has reneged on goes again, at least, as on Linux; 0: after the timeout, RFC 2018 §8
	FRTO              bool           // RFC 5682
	FRTOAtOnce        bool           // the first ACK may show that a timeout was spurious, as on Linux; else the second, RFC 5682
	EifelResponse     bool           // what was spurious is undone as RFC 4015 has it; else cwnd alone comes back, at once, as on Linux
	RecoveryLasts     bool           // without SACK a recovery ends above what was out when it began, as on Linux; else at its end, RFC 6582 §3.2
	LossFromCwnd      bool           // a loss reduces cwnd, as Linux has it; else what is in flight, RFC 5681 §3.1
	LossOncePerWindow bool           // a timeout in a recovery reduces no further, as Linux has it

	// Sending.
	Nagle           bool           // §3.7.4; off is TCP_NODELAY
	NagleMinshall   bool           // only a small segment in flight holds back the next, as Linux has it
	SWSOverride     clock.Duration // §3.8.6.2.1 rule 4, 0.1 s to 1 s, and of a cork; 0: the RTO, as Linux has it
	NotSentLowAt    uint32         // TCP_NOTSENT_LOWAT: the user may write while less than this waits to be sent; 0: the buffer's size decides
	MSSOfWindow     bool           // no segment is larger than half of the largest window, as Linux has it against silly windows
	PushHalf        bool           // PSH goes out whenever half of the largest window was sent without, as on Linux
	ProbeWithData   bool           // a zero-window probe carries an octet; else it is an empty old segment, as Linux sends
	ProbeFromAnswer bool           // the time to the next zero-window probe counts from the answer to the last, as on Linux; else from that one
	KeepWindow      bool           // a duplicate ACK takes no window back but all of it, as Linux has it
	MinWindowProbes uint8          // unanswered zero-window probes before the connection is given up

	// Retransmission, RFC 6298 and RFC 9293 §3.8.3.
	RTOInitial, RTOMin, RTOMax clock.Duration
	RTOMinOfVariance           bool // RTOMin bounds K*RTTVAR, as Linux has it, else the whole
	SynRetries, SynAckRetries  uint8
	SynResend                  clock.Duration // how soon the first SYN goes again after an unacceptable ACK, as Linux has it; 0: when its timer runs out
	SynLinear                  uint8          // the first so many SYNs go one RTOInitial apart, as Linux has it since 6.5
	R1                         uint8          // retransmissions after which the user is told
	R2                         uint8          // retransmissions after which the connection is given up; 255: never
	R2Time                     bool           // R2 bounds the time that so many retransmissions take at RTOMin, as Linux has it
	OrphanRetries              uint8          // R2 when nobody holds the connection any more
	OrphanPersist              bool           // a zero window keeps such a one no longer than that, as on Linux, even if the peer answers
	UserTimeout                clock.Duration // RFC 5482; 0: R2 alone
	UserTimeoutFromResend      bool           // it runs from the first retransmission, as Linux has it, else from the first transmission

	// Acknowledging.
	DelayedAck clock.Duration // §3.8.6.3, less than 0.5 s
	QuickAcks  uint8          // segments acknowledged at once at the start of a connection
	AckEvery   uint8          // full-sized segments for one ACK at most, 2
	// ChallengeInterval is the least time between two ACKs that answer
	// unacceptable segments without data, RFC 5961 §7; per connection.
	ChallengeInterval clock.Duration
	PAWSSlack         uint32 // ticks by which a timestamp may be older, 1 on Linux
	RequireTimestamps bool   // once agreed on, a segment without timestamps is dropped, RFC 7323 §3.2; Linux takes it

	// Urgent data, §3.8.5 and RFC 6093.
	UrgentInline bool // SO_OOBINLINE: it stays in the stream, RFC 6093 §6; else its last octet is taken out for ReadUrgent, as Linux does
	UrgentZero   bool // a pointer of 0 names the first octet of its segment, as on Linux; else no urgent octet
	UrgentAtLast bool // the pointer names the last urgent octet, as RFC 1122 §4.2.2.4 had it (tcp_stdurg); else the one behind it

	// Explicit congestion notification, RFC 3168.
	ECN           uint8 // 0: never; 1: our SYNs ask for it too; 2: only when the peer asks, as Linux
	ECNWaits      bool  // an ECE that finds the window at one segment has the next wait for the timeout, §6.1.2 (MUST; Linux does not)
	ECNQuickAcks  bool  // a mark, or data without ECT among such with it, has two segments acknowledged at once, as Linux does
	ECNResetRetry bool  // a reset that answers an ECN-setup SYN brings one more SYN without, §6.1.1.1 (MAY; Linux does not)

	// Pacing.
	Pacing          bool   // segments are spread over the round trip; a controller or MaxPacingRate ask for it too
	PacingSlowStart uint16 // per cent of cwnd/SRTT below half of ssthresh, as tcp_pacing_ss_ratio
	PacingAvoidance uint16 // and above it, as tcp_pacing_ca_ratio
	MaxPacingRate   uint64 // octets of data a second, headers not counted; 0: no bound

	// Fast Open, RFC 7413; the stack's Config says who may use it.
	FastOpenNoCookie bool // data goes in SYNs, and is taken, without a cookie, §7.3
	FastOpenOwnMSS   bool // where the server's MSS is not known a SYN takes what our own allows, as Linux has it, else the default of MUST-15
	CrossedAck       bool // where opens have crossed the peer's SYN-ACK is answered, as Linux has it: its SYN is a duplicate
	SynAckText       bool // text of a SYN-ACK is taken though Fast Open was not asked for, §3.10.7.3; Linux has it sent again

	// Keepalive, §3.8.4.
	Keepalive         bool
	KeepaliveIdle     clock.Duration
	KeepaliveInterval clock.Duration
	KeepaliveCount    uint8

	// Closing.
	TimeWait   clock.Duration // 2 MSL
	FinWait2   clock.Duration // how long an orphan stays in FIN-WAIT-2; negative: not at all
	Linger     bool           // Close waits for LingerTime, or resets at once if that is 0
	LingerTime clock.Duration

	// Path MTU, RFC 1191 and RFC 8201.
	PathMTU      bool   // set DF and follow what routers say
	MSSOfPath    bool   // a SYN offers no more than the path is known to take, as Linux has it; else what the link brings, MUST-67
	PathMTUFloor uint16 // IPv4 packets are never made smaller than this for an ICMP message, but may be fragmented then (THREATS S29)

	// MTUProbing makes segments smaller when R1 resends have gone unanswered: a router
	// may drop them and say nothing (RFC 4821, RFC 2923 §2.1). First to BaseMSS, then
	// to half each time; they stay so. It is tcp_mtu_probing=1, without the way back.
	MTUProbing bool
	BaseMSS    uint16

	ICMPAtNext   bool // once synchronized an ICMP message may quote SND.NXT too, as on Linux; else only what is in flight, RFC 5927 §4.1
	ICMPFits     bool // it may say that a packet which fits was too big, as on Linux; else that is refused, RFC 5927 §7.2
	ICMPEndsOpen bool // any unreachable ends an open that is not synchronized, as on Linux; else only the hard ones

	WideReset   bool // without window scaling a reset is judged by the room in the buffer, as on Linux, else by the window
	RFC1337     bool // a reset does not end TIME-WAIT
	LinuxErrors bool // a reset is ErrPipe in CLOSE-WAIT, and ErrReset in CLOSING, in LAST-ACK and in SYN-RECEIVED after an active open; Read tells of none behind a FIN, and of one after CloseRead

	// SoftErrors: the user is told of ICMP errors and of R1 (SHLD-20).
	SoftErrors bool
}

// Linux is what Linux 6.18 does by default, as far as it can be measured from
// outside.
func Linux() Config {
	cubic, _ := cc.ByName("cubic")
	return Config{
		WindowScaling: true, Timestamps: true, SACK: true, DSACK: true,
		MinMSS: 48, TTL: 64,
		SendBuffer: 256 << 10, SendBufferMax: 6 << 20,
		ReceiveBuffer: 128 << 10, ReceiveBufferMax: 6 << 20,
		Controller: cubic, InitialWindow: 10, DupThresh: 3, SlowStartAfterIdle: true,
		RACK: true, TLP: true, TLPAckDelay: 200 * clock.Millisecond, TimerSlack: 2 * clock.Millisecond,
		RenegeWait: 10 * clock.Millisecond, FRTO: true, FRTOAtOnce: true, RecoveryLasts: true, LossFromCwnd: true, LossOncePerWindow: true,
		Nagle: true, NagleMinshall: true, ProbeFromAnswer: true, KeepWindow: true, MinWindowProbes: 15,
		RTOInitial: clock.Second, RTOMin: 200 * clock.Millisecond, RTOMax: 120 * clock.Second, RTOMinOfVariance: true,
		SynRetries: 6, SynAckRetries: 5, SynLinear: 4, SynResend: 10 * clock.Millisecond, R1: 3, R2: 15, R2Time: true, OrphanRetries: 8, OrphanPersist: true,
		UserTimeoutFromResend: true,
		DelayedAck:            40 * clock.Millisecond, QuickAcks: 16, AckEvery: 2,
		ChallengeInterval: 500 * clock.Millisecond, PAWSSlack: 1,
		FastOpenOwnMSS: true, CrossedAck: true,
		KeepaliveIdle: 2 * clock.Hour, KeepaliveInterval: 75 * clock.Second, KeepaliveCount: 9,
		TimeWait: clock.Minute, FinWait2: clock.Minute,
		UrgentZero: true, KeepMSS: true, MSSOfWindow: true, PushHalf: true, ECN: 2, ECNQuickAcks: true, PacingSlowStart: 200, PacingAvoidance: 120,
		MSSOfPath: true, PathMTU: true, PathMTUFloor: 552, BaseMSS: 1024, WideReset: true, ICMPAtNext: true, ICMPFits: true, ICMPEndsOpen: true, LinuxErrors: true, SoftErrors: true,
	}
}

// RFC9293 is what RFC 9293 and the RFCs that it names ask for, to the letter.
func RFC9293() Config {
	reno, _ := cc.ByName("newreno")
	c := Linux()
	c.MinMSS = 216 // room for every option and some data
	c.Controller, c.ByteCountingLimit = reno, 2
	c.InitialWindowMax = 14600 // RFC 6928 §2
	c.ICMPAtNext, c.ICMPFits, c.ICMPEndsOpen, c.LinuxErrors = false, false, false, false
	c.RACK, c.RACKByEcho, c.TLP, c.TLPWantsSample, c.TimerSlack = false, true, false, true, 0
	c.RenegeWait = 0
	c.FRTOAtOnce, c.EifelResponse, c.LossFromCwnd, c.LossOncePerWindow = false, true, false, false
	c.RecoveryLasts = false
	c.SWSOverride = 200 * clock.Millisecond
	c.NagleMinshall, c.ProbeWithData, c.KeepWindow = false, true, false
	c.ProbeFromAnswer = false
	c.RTOMin, c.RTOMax, c.RTOMinOfVariance = clock.Second, 60*clock.Second, false
	c.SynRetries, c.SynAckRetries, c.SynLinear = 8, 8, 0 // the last goes after 183 s: MUST-23
	c.SynResend = 0
	c.R2, c.R2Time, c.OrphanRetries, c.OrphanPersist = 9, false, 9, false // 1+2+4+8+16+32+60+60+60 s: SHLD-11
	c.UserTimeoutFromResend = false
	c.FastOpenOwnMSS, c.CrossedAck, c.SynAckText, c.MSSOfPath = false, false, true, false
	c.DelayedAck, c.QuickAcks = 200*clock.Millisecond, 0
	c.UrgentInline, c.UrgentZero, c.KeepMSS = true, false, false
	c.MSSOfWindow, c.WideReset = false, false
	c.PushHalf, c.ECNWaits, c.ECNQuickAcks, c.ECNResetRetry = false, true, false, true
	c.PAWSSlack, c.RequireTimestamps = 0, true
	c.TimeWait = 4 * clock.Minute // MSL is two minutes, §3.4.2
	return c
}
