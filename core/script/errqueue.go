package script

import (
	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// report is an entry of a socket's error queue, struct sock_extended_err: what
// recvmsg with MSG_ERRQUEUE gives.
type report struct {
	errno        int64
	origin       int64 // SO_EE_ORIGIN_*
	kind, code   int64
	info, data   int64
	length       int64         // octets of the packet that it is about
	at           clock.Instant // a timestamp
	hasTimestamp bool
}

func (w *report) isICMP() bool {
	return w.origin == constants["SO_EE_ORIGIN_ICMP"] || w.origin == constants["SO_EE_ORIGIN_ICMP6"]
}

// zeroSend is what calls with MSG_ZEROCOPY have sent: those from first to last, up to
// the octet end of all that was written.
type zeroSend struct {
	first, last uint32
	end         int64
}

// stampSend is a call whose last octet, the one before end, is to be reported.
type stampSend struct {
	flags int64
	end   int64
	sent  bool
}

// arrival is when the octets before end of all that was received have come.
type arrival struct {
	end int64
	at  clock.Instant
}

// cmsg is one part of msg_control.
type cmsg struct {
	level, kind string
	value       int64          // a plain number
	report      *report        // IP_RECVERR
	stamp       bool           // SCM_TIMESTAMPING, SCM_TIMESTAMP and SCM_TIMESTAMPNS
	at          clock.Duration // what it says, since the script began
}

// noteZero gives a call with MSG_ZEROCOPY its number. While the octets of the call
// before it have not been sent, both are completed as one.
func (r *runner) noteZero(s *socket, flags int64, n int) {
	if !s.zerocopy || flags&constants["MSG_ZEROCOPY"] == 0 {
		return
	}
	id := s.zeroID
	s.zeroID++
	if k := len(s.zeros); k > 0 && s.zeros[k-1].last+1 == id && s.conn.Unsent() > n {
		s.zeros[k-1].last, s.zeros[k-1].end = id, s.written
		return
	}
	s.zeros = append(s.zeros, zeroSend{id, id, s.written})
}

// noteStamp asks for timestamps of what a call has written.
func (r *runner) noteStamp(s *socket, flags int64) {
	const transmit = 0x2 | 0x100 | 0x200 // TX_SOFTWARE, TX_SCHED, TX_ACK
	if flags&transmit != 0 {
		s.stamps = append(s.stamps, stampSend{flags: flags, end: s.written})
	}
}

// notice looks what has become of octets since it looked last: the error queue grows,
// and who waits in epoll is told.
func (r *runner) notice() {
	r.sockets(func(s *socket) {
		if s.conn == nil {
			return
		}
		s.limits.look(r.now, s)
		if got := int64(s.conn.Info(r.now).BytesReceived); s.stamping != 0 && (len(s.arrivals) == 0 || s.arrivals[len(s.arrivals)-1].end < got) {
			s.arrivals = append(s.arrivals, arrival{got, r.now})
		}
		acked := s.written - int64(s.conn.Unacked())
		sent := s.written - int64(s.conn.Unsent())
		for len(s.zeros) > 0 && s.zeros[0].end <= acked {
			s.complete(s.zeros[0])
			s.zeros = s.zeros[1:]
		}
		for i := range s.stamps {
			if x := &s.stamps[i]; !x.sent && x.end <= sent {
				x.sent = true
				r.stamp(s, x, "SOF_TIMESTAMPING_TX_SCHED", "SCM_TSTAMP_SCHED")
				r.stamp(s, x, "SOF_TIMESTAMPING_TX_SOFTWARE", "SCM_TSTAMP_SND")
			}
		}
		for len(s.stamps) > 0 && s.stamps[0].end <= acked {
			r.stamp(s, &s.stamps[0], "SOF_TIMESTAMPING_TX_ACK", "SCM_TSTAMP_ACK")
			s.stamps = s.stamps[1:]
		}
	})
	r.noticeEpoll()
}

// complete tells that the buffers of MSG_ZEROCOPY are free. A TUN device, which
// packetdrill uses, copies what it gives to its reader, and so does this runner.
func (s *socket) complete(z zeroSend) {
	origin := constants["SO_EE_ORIGIN_ZEROCOPY"]
	if k := len(s.reports); k > 0 && s.reports[k-1].origin == origin && uint32(s.reports[k-1].data)+1 == z.first {
		s.reports[k-1].data = int64(z.last)
		return
	}
	s.reports = append(s.reports, report{
		origin: origin, code: constants["SO_EE_CODE_ZEROCOPY_COPIED"], info: int64(z.first), data: int64(z.last),
	})
}

// stamp reports a timestamp of x, if it was asked for.
func (r *runner) stamp(s *socket, x *stampSend, flag, kind string) {
	if x.flags&constants[flag] == 0 {
		return
	}
	w := report{errno: constants["ENOMSG"], origin: constants["SO_EE_ORIGIN_TIMESTAMPING"], info: constants[kind], at: r.now, hasTimestamp: true}
	if s.stamping&constants["SOF_TIMESTAMPING_OPT_ID"] != 0 {
		w.data = x.end - 1 - s.stampBase
	}
	s.reports = append(s.reports, w)
}

// recvReport is recvmsg with MSG_ERRQUEUE.
func (r *runner) recvReport(s *socket, p *PendingCall, t *transfer) CallResult {
	if len(s.reports) == 0 {
		return fails("EAGAIN")
	}
	w := s.reports[0]
	s.reports = s.reports[1:]
	if w.hasTimestamp && s.stamping&constants["SOF_TIMESTAMPING_OPT_TSONLY"] == 0 {
		return cannot("a timestamp that comes with the packet that it is about is not supported")
	}
	if w.hasTimestamp && s.stamping&constants["SOF_TIMESTAMPING_OPT_STATS"] != 0 {
		return cannot("SCM_TIMESTAMPING_OPT_STATS is not supported")
	}
	if w.isICMP() && (len(s.reports) == 0 || !s.reports[0].isICMP()) {
		s.pending, s.errTaken = "", s.conn != nil && s.conn.Err() != nil // it has been told
	}
	o := returns(min(w.length, t.n))
	var parts []cmsg
	if w.hasTimestamp && s.stamping&constants["SOF_TIMESTAMPING_SOFTWARE"] != 0 {
		parts = append(parts, cmsg{level: "SOL_SOCKET", kind: "SCM_TIMESTAMPING", stamp: true, at: w.at.Sub(Origin)})
	}
	if s.domain == constants["AF_INET6"] {
		parts = append(parts, cmsg{level: "SOL_IPV6", kind: "IPV6_RECVERR", report: &w})
	} else {
		parts = append(parts, cmsg{level: "SOL_IP", kind: "IP_RECVERR", report: &w})
	}
	if t.msg != nil {
		flags := constants["MSG_ERRQUEUE"]
		if w.length > t.n {
			flags |= constants["MSG_TRUNC"]
		}
		o.differ = r.compareMessage(t, flags, parts)
	}
	return o
}

// ancillary is what recvmsg tells beside n octets of data.
func (r *runner) ancillary(s *socket, n int) (parts []cmsg) {
	wanted := constants["SOF_TIMESTAMPING_RX_SOFTWARE"] | constants["SOF_TIMESTAMPING_SOFTWARE"]
	if s.stamping&wanted == wanted && n > 0 {
		at := r.now
		for _, a := range s.arrivals {
			if a.end >= s.read {
				at = a.at
				break
			}
		}
		parts = append(parts, cmsg{level: "SOL_SOCKET", kind: "SCM_TIMESTAMPING", stamp: true, at: at.Sub(Origin)})
	}
	if s.inq {
		v := int64(s.conn.Readable())
		if v == 0 && peerClosed(s.conn) {
			v = 1 // who reads on learns of the end
		}
		parts = append(parts, cmsg{level: "SOL_TCP", kind: "TCP_CM_INQ", value: v})
	}
	return parts
}

// compareMessage compares what recvmsg fills in: msg_flags and msg_control.
func (r *runner) compareMessage(t *transfer, flags int64, parts []cmsg) string {
	if x := field(t.msg, "msg_flags"); x != nil && x.Kind != Default {
		if v, ok := intOf(x); !ok || v != flags {
			return differs("msg_flags", x.String(), flags)
		}
	}
	if t.control == nil {
		return ""
	}
	list := t.control
	if list.Kind != List {
		return "expected  msg_control = [{...}]"
	}
	if len(list.Items) != len(parts) {
		return differs("the parts of msg_control", list.String(), int64(len(parts)))
	}
	for i := range parts {
		if text := r.comparePart(&list.Items[i], &parts[i]); text != "" {
			return text
		}
	}
	return ""
}

// comparePart compares {cmsg_level=, cmsg_type=, cmsg_data=}.
func (r *runner) comparePart(e *Expr, c *cmsg) string {
	same := func(e *Expr, name string, want int64) string {
		x := field(e, name)
		if x == nil || x.Kind == Default {
			return ""
		}
		if v, ok := intOf(single(x)); !ok || v != want {
			return differs(name, x.String(), want)
		}
		return ""
	}
	for _, x := range [...]struct {
		name string
		want int64
	}{{"cmsg_level", constants[c.level]}, {"cmsg_type", constants[c.kind]}} {
		if text := same(e, x.name, x.want); text != "" {
			return text
		}
	}
	data := field(e, "cmsg_data")
	if data == nil || data.Kind == Default {
		return ""
	}
	switch {
	case c.stamp:
		sec, ok1 := number(data, "scm_sec", "tv_sec")
		nsec, ok2 := number(data, "scm_nsec", "tv_nsec")
		usec, ok3 := number(data, "tv_usec")
		want := clock.Duration(sec)*clock.Second + clock.Duration(nsec) + clock.Duration(usec)*clock.Microsecond
		if off := want - c.at; !ok1 || !ok2 || !ok3 || max(off, -off) > r.tolerance {
			return "expected  " + c.kind + " = " + data.String() + "\n  actual    " + c.kind + " = " + string(appendFixed(nil, c.at)) + " s"
		}
	case c.report != nil:
		w := c.report
		for _, x := range [...]struct {
			name string
			want int64
		}{{"ee_errno", w.errno}, {"ee_origin", w.origin}, {"ee_type", w.kind}, {"ee_code", w.code}, {"ee_info", w.info}, {"ee_data", w.data}} {
			if text := same(data, x.name, x.want); text != "" {
				return text
			}
		}
	default:
		if v, ok := intOf(single(data)); ok && v != c.value {
			return differs(c.kind, data.String(), c.value)
		}
	}
	return ""
}

// unreachable looks whether the packet b, which comes next, is an ICMP error about a
// socket's connection. What it returns is to be called when the stack has taken b:
// Linux tells one error for each code, and keeps it for IP_RECVERR.
func (r *runner) unreachable(b []byte) (tell func()) {
	var h, quote wire.IP
	var m wire.ICMP
	var segment wire.QuotedTCP
	tell = func() {}
	if wire.ParseIP(b, &h) != rule.NotDropped || h.Protocol != wire.ProtocolICMP && h.Protocol != wire.ProtocolICMPv6 ||
		wire.ParseICMP(b[h.HeaderLen:], &h, &m) != rule.NotDropped || wire.ParseQuote(m.Body, &quote, &segment) != rule.NotDropped {
		return tell
	}
	errno := icmpErrno(h.Src.Family(), m.Type, m.Code)
	r.sockets(func(s *socket) {
		if errno == "" || s.conn == nil || s.conn.Err() != nil || s.conn.Local().Port != segment.SrcPort || s.conn.Remote().Port != segment.DstPort {
			return
		}
		opening := !s.conn.State().Synchronized()
		soft := s.conn.Info(r.now).SoftError
		tell = func() {
			ended := s.conn.Err() != nil
			switch {
			case ended:
				s.why = errno
			case s.recvErr && !opening && s.conn.Info(r.now).SoftError != soft && errno != "EMSGSIZE":
				s.pending = errno
			}
			if !ended || !opening || !s.recvErr {
				return
			}
			w := report{errno: constants[errno], origin: constants["SO_EE_ORIGIN_ICMP"], kind: int64(m.Type), code: int64(m.Code)}
			if h.Src.Is6() {
				w.origin = constants["SO_EE_ORIGIN_ICMP6"]
			}
			w.length = int64(len(m.Body) - quote.HeaderLen)
			s.reports = append(s.reports, w)
		}
	})
	return tell
}

// icmpErrno is Linux's errno for an ICMP error; "": it is none.
func icmpErrno(f wire.Family, kind, code uint8) string {
	if f == wire.IPv6 {
		switch kind {
		case wire.ICMPv6Unreachable:
			names := [...]string{"ENETUNREACH", "EACCES", "EHOSTUNREACH", "EHOSTUNREACH", "ECONNREFUSED", "EACCES", "EACCES"}
			if int(code) < len(names) {
				return names[code]
			}
			return "EPROTO"
		case wire.ICMPv6PacketTooBig:
			return "EMSGSIZE"
		case wire.ICMPv6TimeExceeded:
			return "EHOSTUNREACH"
		case wire.ICMPv6Parameter:
			return "EPROTO"
		}
		return ""
	}
	switch kind {
	case wire.ICMPUnreachable:
		names := [...]string{
			"ENETUNREACH", "EHOSTUNREACH", "ENOPROTOOPT", "ECONNREFUSED", "EMSGSIZE", "EOPNOTSUPP", "ENETUNREACH", "EHOSTDOWN", "ENONET",
			"ENETUNREACH", "EHOSTUNREACH", "ENETUNREACH", "EHOSTUNREACH", "EHOSTUNREACH", "EHOSTUNREACH", "EHOSTUNREACH",
		}
		if int(code) < len(names) {
			return names[code]
		}
	case wire.ICMPTimeExceeded:
		return "EHOSTUNREACH"
	case wire.ICMPParameter:
		return "EPROTO"
	}
	return ""
}

// peerClosed reports whether the peer has sent its FIN and all before it has come.
func peerClosed(c *core.Conn) bool {
	switch c.State() {
	case tcp.CloseWait, tcp.Closing, tcp.LastAck, tcp.TimeWait:
		return true
	}
	return false
}
