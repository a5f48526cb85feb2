package scenario

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
)

// A field is one number of a Config by the name that it has in a scenario and on
// the command line: RTOMin is rto-min.
type field struct {
	name string
	at   any // a pointer into the Config
}

// fields are all of them. TestFields compares them with the Config.
func fields(c *core.Config) []field {
	return []field{
		{"defer-accept", &c.TCP.DeferAccept},
		{"window-scaling", &c.TCP.WindowScaling},
		{"timestamps", &c.TCP.Timestamps},
		{"sack", &c.TCP.SACK},
		{"dsack", &c.TCP.DSACK},
		{"keep-mss", &c.TCP.KeepMSS},
		{"max-mss", &c.TCP.MaxMSS},
		{"min-mss", &c.TCP.MinMSS},
		{"ttl", &c.TCP.TTL},
		{"tos", &c.TCP.TOS},
		{"send-buffer", &c.TCP.SendBuffer},
		{"send-buffer-max", &c.TCP.SendBufferMax},
		{"receive-buffer", &c.TCP.ReceiveBuffer},
		{"receive-buffer-max", &c.TCP.ReceiveBufferMax},
		{"controller", &c.TCP.Controller},
		{"initial-window", &c.TCP.InitialWindow},
		{"initial-octets", &c.TCP.InitialOctets},
		{"initial-window-max", &c.TCP.InitialWindowMax},
		{"byte-counting-limit", &c.TCP.ByteCountingLimit},
		{"dup-thresh", &c.TCP.DupThresh},
		{"slow-start-after-idle", &c.TCP.SlowStartAfterIdle},
		{"rack", &c.TCP.RACK},
		{"rack-by-echo", &c.TCP.RACKByEcho},
		{"tlp", &c.TCP.TLP},
		{"tlp-wants-sample", &c.TCP.TLPWantsSample},
		{"tlp-ack-delay", &c.TCP.TLPAckDelay},
		{"timer-slack", &c.TCP.TimerSlack},
		{"renege-wait", &c.TCP.RenegeWait},
		{"frto", &c.TCP.FRTO},
		{"frto-at-once", &c.TCP.FRTOAtOnce},
		{"eifel-response", &c.TCP.EifelResponse},
		{"recovery-lasts", &c.TCP.RecoveryLasts},
		{"loss-from-cwnd", &c.TCP.LossFromCwnd},
		{"loss-once-per-window", &c.TCP.LossOncePerWindow},
		{"nagle", &c.TCP.Nagle},
		{"nagle-minshall", &c.TCP.NagleMinshall},
		{"sws-override", &c.TCP.SWSOverride},
		{"not-sent-low-at", &c.TCP.NotSentLowAt},
		{"mss-of-window", &c.TCP.MSSOfWindow},
		{"push-half", &c.TCP.PushHalf},
		{"probe-with-data", &c.TCP.ProbeWithData},
		{"probe-from-answer", &c.TCP.ProbeFromAnswer},
		{"keep-window", &c.TCP.KeepWindow},
		{"min-window-probes", &c.TCP.MinWindowProbes},
		{"rto-initial", &c.TCP.RTOInitial},
		{"rto-min", &c.TCP.RTOMin},
		{"rto-max", &c.TCP.RTOMax},
		{"rto-min-of-variance", &c.TCP.RTOMinOfVariance},
		{"syn-retries", &c.TCP.SynRetries},
		{"syn-ack-retries", &c.TCP.SynAckRetries},
		{"syn-resend", &c.TCP.SynResend},
		{"syn-linear", &c.TCP.SynLinear},
		{"r1", &c.TCP.R1},
		{"r2", &c.TCP.R2},
		{"r2-time", &c.TCP.R2Time},
		{"orphan-retries", &c.TCP.OrphanRetries},
		{"orphan-persist", &c.TCP.OrphanPersist},
		{"user-timeout", &c.TCP.UserTimeout},
		{"user-timeout-from-resend", &c.TCP.UserTimeoutFromResend},
		{"delayed-ack", &c.TCP.DelayedAck},
		{"quick-acks", &c.TCP.QuickAcks},
		{"ack-every", &c.TCP.AckEvery},
		{"challenge-interval", &c.TCP.ChallengeInterval},
		{"paws-slack", &c.TCP.PAWSSlack},
		{"require-timestamps", &c.TCP.RequireTimestamps},
		{"urgent-inline", &c.TCP.UrgentInline},
		{"urgent-zero", &c.TCP.UrgentZero},
		{"urgent-at-last", &c.TCP.UrgentAtLast},
		{"ecn", &c.TCP.ECN},
		{"ecn-waits", &c.TCP.ECNWaits},
		{"ecn-quick-acks", &c.TCP.ECNQuickAcks},
		{"ecn-reset-retry", &c.TCP.ECNResetRetry},
		{"pacing", &c.TCP.Pacing},
		{"pacing-slow-start", &c.TCP.PacingSlowStart},
		{"pacing-avoidance", &c.TCP.PacingAvoidance},
		{"max-pacing-rate", &c.TCP.MaxPacingRate},
		{"fast-open-no-cookie", &c.TCP.FastOpenNoCookie},
		{"fast-open-own-mss", &c.TCP.FastOpenOwnMSS},
		{"crossed-ack", &c.TCP.CrossedAck},
		{"syn-ack-text", &c.TCP.SynAckText},
		{"keepalive", &c.TCP.Keepalive},
		{"keepalive-idle", &c.TCP.KeepaliveIdle},
		{"keepalive-interval", &c.TCP.KeepaliveInterval},
		{"keepalive-count", &c.TCP.KeepaliveCount},
		{"time-wait", &c.TCP.TimeWait},
		{"fin-wait2", &c.TCP.FinWait2},
		{"linger", &c.TCP.Linger},
		{"linger-time", &c.TCP.LingerTime},
		{"path-mtu", &c.TCP.PathMTU},
		{"mss-of-path", &c.TCP.MSSOfPath},
		{"path-mtu-floor", &c.TCP.PathMTUFloor},
		{"mtu-probing", &c.TCP.MTUProbing},
		{"base-mss", &c.TCP.BaseMSS},
		{"icmp-at-next", &c.TCP.ICMPAtNext},
		{"icmp-fits", &c.TCP.ICMPFits},
		{"icmp-ends-open", &c.TCP.ICMPEndsOpen},
		{"wide-reset", &c.TCP.WideReset},
		{"rfc1337", &c.TCP.RFC1337},
		{"linux-errors", &c.TCP.LinuxErrors},
		{"soft-errors", &c.TCP.SoftErrors},
		{"max-conns", &c.MaxConns},
		{"max-per-peer", &c.MaxPerPeer},
		{"max-time-wait", &c.MaxTimeWait},
		{"max-backlog", &c.MaxBacklog},
		{"syn-backlog", &c.SynBacklog},
		{"replies", &c.Replies},
		{"memory", &c.Memory},
		{"max-held", &c.MaxHeld},
		{"max-held-octets", &c.MaxHeldOctets},
		{"burst", &c.Burst},
		{"expire-budget", &c.ExpireBudget},
		{"timer-slack", &c.TimerSlack},
		{"memory-patience", &c.MemoryPatience},
		{"drop-syn-fin", &c.DropSynFin},
		{"syn-cookies", &c.SynCookies},
		{"cookie-slot", &c.CookieSlot},
		{"fast-open", &c.FastOpen},
		{"fast-open-servers", &c.FastOpenServers},
		{"fast-open-blackhole", &c.FastOpenBlackhole},
		{"fast-open-pause", &c.FastOpenPause},
		{"fast-open-experiment", &c.FastOpenExperiment},
		{"isn-tick", &c.ISNTick},
		{"isn-shift", &c.ISNShift},
		{"reuse-step", &c.ReuseStep},
		{"port-low", &c.PortLow},
		{"port-high", &c.PortHigh},
		{"reset-interval", &c.ResetInterval},
		{"reset-burst", &c.ResetBurst},
		{"echo", &c.Echo},
	}
}

// put writes the value that text says into the field, and tells what would have
// been right if it can't be.
func (f *field) put(text string) (do string) {
	switch at := f.at.(type) {
	case *bool:
		if text != "true" && text != "false" {
			return "give true or false"
		}
		*at = text == "true"
	case *clock.Duration:
		d, ok := parseDuration(text)
		if !ok {
			return "give a time such as 200ms, 5s or 2h"
		}
		*at = d
	case *cc.Controller:
		c, ok := cc.ByName(text)
		if !ok {
			return "give one of " + list(cc.Names())
		}
		*at = c
	case *int:
		return putNumber(text, 1<<31-1, func(n uint64) { *at = int(n) })
	case *core.FastOpenMode:
		return putNumber(text, 1<<8-1, func(n uint64) { *at = core.FastOpenMode(n) })
	case *uint8:
		return putNumber(text, 1<<8-1, func(n uint64) { *at = uint8(n) })
	case *uint16:
		return putNumber(text, 1<<16-1, func(n uint64) { *at = uint16(n) })
	case *uint32:
		return putNumber(text, 1<<32-1, func(n uint64) { *at = uint32(n) })
	case *uint64:
		return putNumber(text, 1<<53, func(n uint64) { *at = n })
	default:
		panic("scenario: a field of a kind that nobody reads: " + f.name)
	}
	return ""
}

func putNumber(text string, most uint64, put func(n uint64)) (do string) {
	n, ok := parseSize(text)
	if !ok || n > most {
		return "give a number of at most " + strconv.FormatUint(most, 10)
	}
	put(n)
	return ""
}

// set carries out one "set NAME=VALUE".
func set(c *core.Config, s *Setting) (what, do string) {
	all := fields(c)
	for i := range all {
		if all[i].name == s.Name {
			if do := all[i].put(s.Value); do != "" {
				return s.Name + " cannot be " + quoted(s.Value), do
			}
			return "", ""
		}
	}
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].name
	}
	return "there is no setting " + quoted(s.Name), nearest(s.Name, names, "tcpkit listen --set help lists them")
}
