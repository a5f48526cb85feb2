package script

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core/clock"
)

// packetdrill's own words for what went wrong, which comments "Failure:" of scripts for
// it ask for. They stand beside ours in a Result.

// errnoText is the text of an errno in C, where scripts are likely to ask for it.
var errnoText = map[string]string{
	"EPERM": "Operation not permitted", "ENOENT": "No such file or directory", "EBADF": "Bad file descriptor",
	"EAGAIN": "Resource temporarily unavailable", "EACCES": "Permission denied", "EFAULT": "Bad address", "EINVAL": "Invalid argument",
	"EPIPE": "Broken pipe", "ENOTSOCK": "Socket operation on non-socket", "EMSGSIZE": "Message too long", "ENOPROTOOPT": "Protocol not available",
	"EPROTONOSUPPORT": "Protocol not supported", "EOPNOTSUPP": "Operation not supported",
	"EAFNOSUPPORT": "Address family not supported by protocol", "EADDRINUSE": "Address already in use",
	"EADDRNOTAVAIL": "Cannot assign requested address", "ENETUNREACH": "Network is unreachable", "ECONNABORTED": "Software caused connection abort",
	"ECONNRESET": "Connection reset by peer", "EISCONN": "Transport endpoint is already connected",
	"ENOTCONN": "Transport endpoint is not connected", "ETIMEDOUT": "Connection timed out", "ECONNREFUSED": "Connection refused",
	"EHOSTUNREACH": "No route to host", "EALREADY": "Operation already in progress", "EINPROGRESS": "Operation now in progress",
}

// resultWords is for a call that returns something else.
func resultWords(c *Call, want int64, o *CallResult) string {
	text := "runtime error in " + c.Name + " call: "
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	named := func(errno string) string { return n(constants[errno]) + " (" + errnoText[errno] + ")" }
	switch {
	case want == o.ret:
		return text + "Expected errno " + named(c.Errno) + " but got " + named(o.errno)
	case o.errno != "":
		return text + "Expected result " + n(want) + " but got " + n(o.ret) + " with errno " + named(o.errno)
	}
	return text + "Expected result " + n(want) + " but got " + n(o.ret)
}

// timeWords is for a packet at another time.
func timeWords(lo, hi, got clock.Instant, slack clock.Duration) string {
	text := "error handling packet: timing error: expected outbound packet "
	if lo == hi {
		text += "at " + seconds(lo)
	} else {
		text += "in time range " + seconds(lo) + "~" + seconds(hi)
	}
	return text + " sec but happened at " + seconds(got) + " sec; tolerance " + string(appendFixed(nil, slack)) + " sec"
}

// fieldWords is for a packet that differs.
func fieldWords(want *Packet, m *match) string {
	const text = "error handling packet: "
	a, b := want.TCP, m.actual.TCP
	if a == nil || b == nil {
		return text + "live packet is of another protocol"
	}
	field := func(name string, want, got uint32) string {
		n := func(v uint32) string {
			return strconv.FormatUint(uint64(v), 10) + " (0x" + strconv.FormatUint(uint64(v), 16) + ")"
		}
		return text + "live packet field " + name + ": expected: " + n(want) + " vs actual: " + n(got)
	}
	for i, name := range [...]string{"tcp_fin", "tcp_syn", "tcp_rst", "tcp_psh", "tcp_ack", "tcp_urg", "tcp_ece", "tcp_cwr", "tcp_ae"} {
		if x, y := a.flagsOnWire()>>i&1, b.flagsOnWire()>>i&1; x != y && !(name == "tcp_psh" && m.count > 1) {
			return field(name, uint32(x), uint32(y))
		}
	}
	switch {
	case a.Seq != b.Seq:
		return field("tcp_seq", a.Seq, b.Seq)
	case a.Ack != b.Ack:
		return field("tcp_ack_seq", a.Ack, b.Ack)
	case a.HasWin && a.Win != b.Win:
		return field("tcp_window", uint32(a.Win), uint32(b.Win))
	case a.Urg != b.Urg:
		return field("tcp_urg_ptr", uint32(a.Urg), uint32(b.Urg))
	case a.Len != b.Len:
		return text + "live packet payload: expected " + strconv.Itoa(int(a.Len)) + " bytes vs actual " + strconv.Itoa(int(b.Len)) + " bytes"
	}
	return text + "bad outbound TCP options"
}
