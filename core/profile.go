package core

import (
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// A Config has every number that a stack goes by. Profile returns one that is
// complete; a host fills in Secret from its source of entropy.
type Config struct {
	TCP tcp.Config // of each connection, unless it brings its own

	// Secret keys everything that must not be guessed: initial sequence numbers,
	// ports, timestamp offsets, cookies, the connection table. Who repeats a run
	// repeats its secret.
	Secret [16]byte

	// Bounds. Each has a counter of what it refused.
	MaxConns    int // connections at once, half-open ones counted, TIME-WAIT records not
	MaxPerPeer  int // connections with one address at once, likewise; 0: no bound
	MaxTimeWait int // TIME-WAIT records; beyond it the oldest goes (THREATS S16)
	MaxBacklog  int // what Listen's backlog is cut to, SOMAXCONN on Linux
	SynBacklog  int // half-open connections of one listener, if its backlog is larger
	Replies     int // answers without a connection that wait to be sent
	Memory      int // octets of all buffers; 0: no bound

	// What hooks keep back or add, packets and their octets.
	MaxHeld, MaxHeldOctets int

	// Work.
	Burst        int // packets that one connection sends before the next has its turn
	ExpireBudget int // timers that one call of Expire serves (THREATS S36)

	// TimerSlack is how late the host may call Expire: what pacing has held back for
	// longer than it should makes up for so much. 0: the host is never late.
	TimerSlack clock.Duration

	// MemoryPatience is how long there may be too little Memory for a SYN before
	// the oldest connections that have stood still for as long are aborted (THREATS
	// S15, S30).
	MemoryPatience clock.Duration

	// DropSynFin drops a SYN that carries a FIN, as Linux does; else the SYN is
	// answered and the FIN has to come again (RFC 9293 §3.10.7.2).
	DropSynFin bool

	// SYN cookies, RFC 4987 §3.6.
	SynCookies bool
	CookieSlot clock.Duration // a cookie is good for this one and the next
	// CookieMSS are the MSS values that a cookie can stand for, ascending.
	CookieMSS [8]uint16

	// Fast Open, RFC 7413.
	FastOpen     FastOpenMode
	FastOpenKeys FastOpenKeys // of a server
	// As a client: how many servers are remembered, and how long Fast Open rests the
	// first time, with all servers after timeouts in a row (0, as on Linux: it does
	// not) and with one after a negative response, §4.1.3.1 (which Linux ignores).
	FastOpenServers                  int
	FastOpenBlackhole, FastOpenPause clock.Duration
	// FastOpenExperiment asks a server that has given no cookie once more, by the
	// experiment of RFC 6994, as Linux does.
	FastOpenExperiment bool

	// Initial sequence numbers, RFC 6528 §3: the clock ticks once in ISNTick.
	ISNTick clock.Duration
	// ISNShift is added to each of them but cookies: a proof repeats a run with other
	// numbers, since nothing but the numbers may change. A host leaves it 0.
	ISNShift uint32
	// ReuseStep is how far beyond the last sequence number of the old connection
	// the new one begins when a SYN comes in TIME-WAIT.
	ReuseStep uint32

	// Ports of active opens, RFC 6056: from PortLow to PortHigh.
	PortLow, PortHigh uint16

	// Resets to segments without a connection: one address gets ResetBurst at
	// once, then one in ResetInterval. 0: no limit (THREATS S27).
	ResetInterval clock.Duration
	ResetBurst    int

	// Echo answers echo requests, RFC 1122 §3.2.2.6.
	Echo bool
}

// Profiles are the names that Profile knows.
func Profiles() []string { return []string{"linux", "rfc9293", "embedded", "lab", "explore"} }

// Profile returns a named set of defaults:
//
//	linux     what Linux does by default; the name "" is this one too
//	rfc9293   what RFC 9293 and the RFCs that it names ask for, to the letter
//	embedded  linux with small buffers and few connections
//	lab       linux with short waits, for showing things
//	explore   small enough that every interleaving can be tried
func Profile(name string) (Config, error) {
	c := linux()
	switch name {
	case "linux", "":
	case "rfc9293":
		c.TCP = tcp.RFC9293()
		c.DropSynFin = false
		c.FastOpenPause, c.FastOpenExperiment = clock.Minute, false
		c.ReuseStep = 1 // RFC 9293 §3.6.1 MAY-2: larger than the largest one used
	case "embedded":
		c.MaxConns, c.MaxTimeWait, c.Memory = 64, 64, 1<<20
		c.MaxBacklog, c.SynBacklog, c.Replies = 16, 16, 16
		c.FastOpenServers = 16
		c.MaxHeld, c.MaxHeldOctets = 64, 64<<10
		c.TCP.SendBuffer, c.TCP.SendBufferMax = 8<<10, 8<<10
		c.TCP.ReceiveBuffer, c.TCP.ReceiveBufferMax = 8<<10, 8<<10
	case "lab":
		c.TCP.TimeWait = 2 * clock.Second
		c.TCP.FinWait2 = 5 * clock.Second
		c.TCP.KeepaliveIdle, c.TCP.KeepaliveInterval = 5*clock.Second, clock.Second
		c.ResetInterval = 0
	case "explore":
		c.MaxConns, c.MaxTimeWait, c.Memory = 8, 8, 0
		c.MaxBacklog, c.SynBacklog, c.Replies = 2, 2, 8
		c.Burst, c.ExpireBudget = 1, 1
		c.FastOpenServers = 2
		c.ResetInterval = 0
		t := &c.TCP
		t.SendBuffer, t.SendBufferMax = 4<<10, 4<<10
		t.ReceiveBuffer, t.ReceiveBufferMax = 4<<10, 4<<10
		// Nothing that tells times apart: one RTO, no timestamps, a controller that
		// does not look at the clock. ChallengeInterval stays: without it two ends that
		// disagree answer each other for ever, as the world old-syn shows.
		t.Controller, _ = cc.ByName("newreno")
		t.Timestamps, t.WindowScaling, t.SACK, t.MinMSS = false, false, false, 0
		t.SlowStartAfterIdle, t.RACK, t.TLP, t.TimerSlack = false, false, false, 0
		t.RTOInitial, t.RTOMin, t.RTOMax, t.RTOMinOfVariance = clock.Second, clock.Second, clock.Second, false
		t.SynRetries, t.SynAckRetries, t.R2, t.OrphanRetries = 8, 8, 8, 8
		t.SynLinear, t.SynResend, t.R2Time, t.OrphanPersist = 0, 0, false, false
		t.QuickAcks = 0
		t.TimeWait, t.FinWait2 = 2*clock.Second, 2*clock.Second
	default:
		return Config{}, tcp.ErrInvalid
	}
	return c, nil
}

func linux() Config {
	return Config{
		TCP:         tcp.Linux(),
		MaxConns:    1 << 20,
		MaxTimeWait: 1 << 16,
		MaxBacklog:  4096,
		SynBacklog:  1024,
		Replies:     512,
		Memory:      1 << 30,

		MaxHeld: 1024, MaxHeldOctets: 4 << 20,

		Burst: 16, ExpireBudget: 4096,

		MemoryPatience: 10 * clock.Second,
		DropSynFin:     true,

		SynCookies: true,
		CookieSlot: 64 * clock.Second,
		// 536 and 1220 are what must be assumed without the option (MUST-15); the
		// others are Ethernet's and those of common tunnels.
		CookieMSS: [8]uint16{48, 216, 536, 1220, 1360, 1440, 1460, 8940},

		FastOpen: FastOpenClient | FastOpenServer, FastOpenServers: 512, FastOpenExperiment: true,

		ISNTick:   4 * clock.Microsecond, // RFC 9293 §3.4.1 MUST-8
		ReuseStep: 65537,                 // as Linux has it: 64 KiB and the FIN

		PortLow: 32768, PortHigh: 60999,

		ResetInterval: clock.Millisecond, ResetBurst: 500,
		Echo: true,
	}
}

// check returns ErrInvalid for what no stack can go by.
func (c *Config) check() error {
	t := &c.TCP
	ok := c.MaxConns > 0 && c.MaxPerPeer >= 0 && c.MaxTimeWait > 0 && c.MaxBacklog > 0 && c.SynBacklog > 0 &&
		c.FastOpenServers > 0 && c.FastOpenBlackhole >= 0 && c.FastOpenPause >= 0 && c.FastOpenKeys.Number <= 2 &&
		c.Replies > 0 && c.MaxHeld >= 0 && c.MaxHeldOctets >= 0 && c.Burst > 0 && c.ExpireBudget > 0 && c.Memory >= 0 &&
		c.CookieSlot > 0 && c.MemoryPatience >= 0 && c.TimerSlack >= 0 && c.ISNTick > 0 && c.PortLow > 0 && c.PortLow <= c.PortHigh &&
		c.ResetInterval >= 0 && (c.ResetInterval == 0 || c.ResetBurst > 0) &&
		t.Controller != nil && t.TTL > 0 && t.ECN <= 2 && t.SendBuffer > 0 && t.ReceiveBuffer > 0
	for i := 1; i < len(c.CookieMSS); i++ {
		ok = ok && c.CookieMSS[i-1] < c.CookieMSS[i]
	}
	if !ok {
		return tcp.ErrInvalid
	}
	return nil
}
