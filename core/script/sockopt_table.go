package script

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// The buffers of Linux hold what SO_SNDBUF and SO_RCVBUF say twice, since they count
// their own overhead; these are their bounds.
const (
	leastSendBuffer    = 4608
	leastReceiveBuffer = 2304
)

// bufferOption is SO_SNDBUF and its kin. Half of the doubled number is for data.
func bufferOption(name string, sends, force bool) sockopt {
	x := sockopt{level: "SOL_SOCKET", name: name}
	x.set = func(r *runner, s *socket, o *option) CallResult {
		v, most, least := o.value, r.receiveMost, int64(leastReceiveBuffer)
		if sends {
			most, least = r.sendMost, leastSendBuffer
		}
		if !force && (v < 0 || v > most) {
			v = most
		}
		v = max(min(max(v, 0), 1<<30), least/2)
		size := uint32(v)
		if sends {
			s.sendBuffer = v
			r.adjust(s, func(c *tcp.Config) { c.SendBuffer, c.SendBufferMax = size, size })
			if s.conn != nil {
				_ = s.conn.SetSendBuffer(r.now, size) // it may be over
			}
			return returns(0)
		}
		s.receiveBuffer = v
		r.adjust(s, func(c *tcp.Config) { c.ReceiveBuffer, c.ReceiveBufferMax = size, size })
		if s.conn != nil {
			_ = s.conn.SetReceiveBuffer(r.now, size)
		}
		return returns(0)
	}
	x.get = func(r *runner, s *socket) int64 {
		set, plain := s.receiveBuffer, 2*int64(s.config().ReceiveBuffer)
		if sends {
			set, plain = s.sendBuffer, int64(s.config().SendBuffer)
		}
		switch {
		case r.foreign && set != 0: // FreeBSD doubles nothing
			return set
		case r.foreign && !sends:
			return plain / 2
		case set != 0:
			return 2 * set
		}
		return plain
	}
	return x
}

// socketOptions are those of SOL_SOCKET.
func socketOptions() []sockopt {
	return []sockopt{
		noted("SOL_SOCKET", "SO_DEBUG", -anyInt, anyInt, 0), noted("SOL_SOCKET", "SO_REUSEADDR", -anyInt, anyInt, 0),
		noted("SOL_SOCKET", "SO_DONTROUTE", -anyInt, anyInt, 0), noted("SOL_SOCKET", "SO_BROADCAST", -anyInt, anyInt, 0),
		noted("SOL_SOCKET", "SO_NO_CHECK", -anyInt, anyInt, 0), noted("SOL_SOCKET", "SO_PRIORITY", -anyInt, anyInt, 0),
		noted("SOL_SOCKET", "SO_BSDCOMPAT", -anyInt, anyInt, 0), noted("SOL_SOCKET", "SO_REUSEPORT", -anyInt, anyInt, 0),
		noted("SOL_SOCKET", "SO_PASSCRED", -anyInt, anyInt, 0), noted("SOL_SOCKET", "SO_TIMESTAMP", 0, 0, 0), noted("SOL_SOCKET", "SO_TIMESTAMPNS", 0, 0, 0),
		noted("SOL_SOCKET", "SO_MARK", -anyInt, anyInt, 0), noted("SOL_SOCKET", "SO_RXQ_OVFL", -anyInt, anyInt, 0),
		noted("SOL_SOCKET", "SO_NOFCS", -anyInt, anyInt, 0), noted("SOL_SOCKET", "SO_LOCK_FILTER", -anyInt, anyInt, 0),
		noted("SOL_SOCKET", "SO_SELECT_ERR_QUEUE", -anyInt, anyInt, 0), noted("SOL_SOCKET", "SO_BUSY_POLL", 0, anyInt, 0),
		noted("SOL_SOCKET", "SO_PREFER_BUSY_POLL", 0, 1, 0), noted("SOL_SOCKET", "SO_BUSY_POLL_BUDGET", 0, 65535, 8),
		noted("SOL_SOCKET", "SO_INCOMING_CPU", -anyInt, anyInt, -1), noted("SOL_SOCKET", "SO_BUF_LOCK", 0, 3, 0), noted("SOL_SOCKET", "SO_TXREHASH", -1, 1, 1),
		noted("SOL_SOCKET", "SO_RCVMARK", -anyInt, anyInt, 0),
		telling("SOL_SOCKET", "SO_SNDLOWAT", func(*runner, *socket) int64 { return 1 }),
		telling("SOL_SOCKET", "SO_TYPE", func(*runner, *socket) int64 { return 1 }),
		telling("SOL_SOCKET", "SO_PROTOCOL", func(*runner, *socket) int64 { return 6 }),
		telling("SOL_SOCKET", "SO_DOMAIN", func(r *runner, s *socket) int64 { return s.domain }),
		telling("SOL_SOCKET", "SO_ACCEPTCONN", func(r *runner, s *socket) int64 { return flag(s.listener != nil) }),
		telling("SOL_SOCKET", "SO_ERROR", func(r *runner, s *socket) int64 { return constants[orElse(s.takeError(), "NULL")] }),
		bufferOption("SO_SNDBUF", true, false), bufferOption("SO_SNDBUFFORCE", true, true),
		bufferOption("SO_RCVBUF", false, false), bufferOption("SO_RCVBUFFORCE", false, true),
		configured("SOL_SOCKET", "SO_KEEPALIVE", -anyInt, anyInt, func(c *tcp.Config, v int64) { c.Keepalive = v != 0 },
			func(c *tcp.Config) int64 { return flag(c.Keepalive) }).then(func(r *runner, s *socket) error { return s.keepalive(r.now) }),
		configured("SOL_SOCKET", "SO_OOBINLINE", -anyInt, anyInt, func(c *tcp.Config, v int64) { c.UrgentInline = v != 0 },
			func(c *tcp.Config) int64 { return flag(c.UrgentInline) }),
		configured("SOL_SOCKET", "SO_MAX_PACING_RATE", -anyInt, anyInt, func(c *tcp.Config, v int64) {
			if c.MaxPacingRate = uint64(v); v == -1 || v == 1<<32-1 {
				c.MaxPacingRate = 0
			}
		}, func(c *tcp.Config) int64 { return int64(c.MaxPacingRate) - flag(c.MaxPacingRate == 0) }),
		{level: "SOL_SOCKET", name: "SO_LINGER", wide: true, set: setLinger, same: sameLinger},
		{level: "SOL_SOCKET", name: "SO_RCVLOWAT",
			set: func(r *runner, s *socket, o *option) CallResult {
				if s.lowat = o.value; o.value < 0 {
					s.lowat = 1<<31 - 1
				}
				s.lowat = max(s.lowat, 1)
				return returns(0)
			},
			get: func(r *runner, s *socket) int64 { return max(s.lowat, 1) }},
		timeout("SO_RCVTIMEO", func(s *socket) *clock.Duration { return &s.recvTimeout }),
		timeout("SO_SNDTIMEO", func(s *socket) *clock.Duration { return &s.sendTimeout }),
		{level: "SOL_SOCKET", name: "SO_ZEROCOPY",
			set: bounded(0, 1, func(r *runner, s *socket, v int64) CallResult {
				s.zerocopy = v != 0
				return returns(0)
			}),
			get: func(r *runner, s *socket) int64 { return flag(s.zerocopy) }},
		{level: "SOL_SOCKET", name: "SO_TIMESTAMPING",
			set: func(r *runner, s *socket, o *option) CallResult {
				id := constants["SOF_TIMESTAMPING_OPT_ID"]
				if o.value&id != 0 && s.stamping&id == 0 {
					if s.conn == nil || s.listener != nil {
						return fails("EINVAL")
					}
					s.stampBase = s.written
					if o.value&constants["SOF_TIMESTAMPING_OPT_ID_TCP"] == 0 { // Linux counts from SND.UNA then
						s.stampBase -= int64(s.conn.Unacked())
					}
				}
				s.stamping = o.value
				return returns(0)
			},
			get: func(r *runner, s *socket) int64 { return s.stamping }},
		{level: "SOL_SOCKET", name: "SO_BINDTODEVICE", wide: true, set: setDevice,
			same: func(r *runner, s *socket, o *option) CallResult {
				out := returns(0)
				if o.arg.Kind == String && o.arg.Text != s.device {
					out.differ = "expected  " + o.arg.Text + "\n  actual    " + s.device
				}
				return out
			}},
	}
}

// setDevice is SO_BINDTODEVICE: there is one device, whatever its name.
func setDevice(r *runner, s *socket, o *option) CallResult {
	if o.arg.Kind != String {
		return fails("EINVAL")
	}
	s.device = o.arg.Text
	return returns(0)
}

// inSeconds is a field of the configuration in seconds.
func inSeconds(d clock.Duration) int64 { return int64(d / clock.Second) }

// cork is TCP_CORK, and FreeBSD's TCP_NOPUSH.
func cork(name string) sockopt {
	return sockopt{
		level: "SOL_TCP", name: name,
		set: func(r *runner, s *socket, o *option) CallResult {
			s.corked = o.on()
			if s.conn != nil {
				_ = s.conn.SetCork(r.now, s.corked) // it may be over
			}
			return returns(0)
		},
		get: func(r *runner, s *socket) int64 { return flag(s.corked) },
	}
}

// tcpOptions are those of SOL_TCP.
func tcpOptions() []sockopt {
	return []sockopt{
		configured("SOL_TCP", "TCP_NODELAY", -anyInt, anyInt, func(c *tcp.Config, v int64) { c.Nagle = v == 0 },
			func(c *tcp.Config) int64 { return flag(!c.Nagle) }).then(func(r *runner, s *socket) error { return s.conn.SetNoDelay(r.now, !s.config().Nagle) }),
		cork("TCP_CORK"),
		{level: "SOL_TCP", name: "TCP_MAXSEG",
			set: func(r *runner, s *socket, o *option) CallResult {
				if o.value != 0 && (o.value < 88 || o.value > 32767) {
					return fails("EINVAL")
				}
				r.adjust(s, func(c *tcp.Config) { c.MaxMSS = uint16(o.value) })
				if s.conn != nil {
					_ = s.conn.SetMaxSegment(r.now, int(o.value)) // it may be over
				}
				return returns(0)
			},
			get: func(r *runner, s *socket) int64 {
				if s.conn != nil {
					return int64(s.conn.MaxSegment())
				}
				if m := s.config().MaxMSS; m != 0 {
					return int64(m)
				}
				return 536
			}},
		configured("SOL_TCP", "TCP_KEEPIDLE", 1, 32767, func(c *tcp.Config, v int64) { c.KeepaliveIdle = clock.Duration(v) * clock.Second },
			func(c *tcp.Config) int64 { return inSeconds(c.KeepaliveIdle) }).then(func(r *runner, s *socket) error { return s.keepalive(r.now) }),
		configured("SOL_TCP", "TCP_KEEPINTVL", 1, 32767, func(c *tcp.Config, v int64) { c.KeepaliveInterval = clock.Duration(v) * clock.Second },
			func(c *tcp.Config) int64 { return inSeconds(c.KeepaliveInterval) }).then(func(r *runner, s *socket) error { return s.keepalive(r.now) }),
		configured("SOL_TCP", "TCP_KEEPCNT", 1, 127, func(c *tcp.Config, v int64) { c.KeepaliveCount = uint8(v) },
			func(c *tcp.Config) int64 { return int64(c.KeepaliveCount) }).then(func(r *runner, s *socket) error { return s.keepalive(r.now) }),
		configured("SOL_TCP", "TCP_SYNCNT", 1, 127, func(c *tcp.Config, v int64) { c.SynRetries = uint8(v) },
			func(c *tcp.Config) int64 { return int64(c.SynRetries) }),
		{level: "SOL_TCP", name: "TCP_LINGER2",
			set: func(r *runner, s *socket, o *option) CallResult {
				const most = 120
				s.linger2 = min(max(o.value, -1), most)
				wait := clock.Duration(s.linger2) * clock.Second
				if s.linger2 == 0 {
					wait = r.core.TCP.FinWait2
				}
				r.adjust(s, func(c *tcp.Config) { c.FinWait2 = wait })
				return returns(0)
			},
			get: func(r *runner, s *socket) int64 {
				if s.linger2 < 0 {
					return -1
				}
				return inSeconds(s.config().FinWait2)
			}},
		{level: "SOL_TCP", name: "TCP_DEFER_ACCEPT",
			set: func(r *runner, s *socket, o *option) CallResult {
				_, s.deferAccept = synAcks(o.value)
				r.adjust(s, func(c *tcp.Config) { c.DeferAccept = clock.Duration(s.deferAccept) * clock.Second })
				return returns(0)
			},
			get: func(r *runner, s *socket) int64 { return s.deferAccept }},
		{level: "SOL_TCP", name: "TCP_WINDOW_CLAMP",
			set: func(r *runner, s *socket, o *option) CallResult {
				if o.value == 0 {
					if s.conn != nil || s.listener != nil {
						return fails("EINVAL")
					}
					s.clamp = 0
					return returns(0)
				}
				s.clamp = min(max(o.value, leastReceiveBuffer/2), 1<<30)
				size := uint32(s.clamp)
				r.adjust(s, func(c *tcp.Config) {
					c.ReceiveBuffer, c.ReceiveBufferMax = min(c.ReceiveBuffer, size), min(c.ReceiveBufferMax, size)
				})
				if s.conn != nil {
					_ = s.conn.SetReceiveBuffer(r.now, s.config().ReceiveBuffer)
				}
				return returns(0)
			},
			get: func(r *runner, s *socket) int64 { return s.clamp }},
		{level: "SOL_TCP", name: "TCP_QUICKACK",
			set: func(r *runner, s *socket, o *option) CallResult {
				if s.conn == nil {
					r.adjust(s, func(c *tcp.Config) {
						if !o.on() {
							c.QuickAcks = 0
						}
					})
					return returns(0)
				}
				_ = s.conn.SetQuickAck(r.now, o.on()) // it may be over
				s.slowAck = !o.on()
				return returns(0)
			},
			get: func(r *runner, s *socket) int64 { return flag(!s.slowAck) }},
		{level: "SOL_TCP", name: "TCP_CONGESTION", wide: true, set: setController, same: sameController},
		configured("SOL_TCP", "TCP_USER_TIMEOUT", 0, anyInt, func(c *tcp.Config, v int64) { c.UserTimeout = clock.Duration(v) * clock.Millisecond },
			func(c *tcp.Config) int64 { return int64(c.UserTimeout / clock.Millisecond) }).then(func(r *runner, s *socket) error { return s.conn.SetUserTimeout(r.now, s.config().UserTimeout) }),
		{level: "SOL_TCP", name: "TCP_NOTSENT_LOWAT",
			set: func(r *runner, s *socket, o *option) CallResult {
				s.store(constants["SOL_TCP"], constants["TCP_NOTSENT_LOWAT"], o.value)
				low := uint32(o.value)
				if o.value < 0 || o.value >= 1<<32-1 {
					low = 0 // no bound
				} else if o.value == 0 {
					low = r.core.TCP.NotSentLowAt
				}
				r.adjust(s, func(c *tcp.Config) { c.NotSentLowAt = low })
				if s.conn != nil {
					_ = s.conn.SetNotSentLowAt(r.now, low)
				}
				return returns(0)
			},
			get: func(r *runner, s *socket) int64 { return s.storedValue("SOL_TCP", "TCP_NOTSENT_LOWAT") }},
		{level: "SOL_TCP", name: "TCP_INQ",
			set: bounded(0, 1, func(r *runner, s *socket, v int64) CallResult {
				s.inq = v != 0
				return returns(0)
			}),
			get: func(r *runner, s *socket) int64 { return flag(s.inq) }},
		{level: "SOL_TCP", name: "TCP_TIMESTAMP", set: func(*runner, *socket, *option) CallResult { return fails("EPERM") },
			get: func(r *runner, s *socket) int64 { return int64(r.now/clock.Instant(clock.Millisecond)) & 0xffffffff }},
		{level: "SOL_TCP", name: "TCP_INFO", wide: true, same: func(r *runner, s *socket, o *option) CallResult {
			if o.arg.Kind != Default {
				return cannot("the fields of TCP_INFO can only be looked at in code blocks")
			}
			return returns(0)
		}},
		configured("SOL_TCP", "TCP_RTO_MAX_MS", 1000, 120000, func(c *tcp.Config, v int64) { c.RTOMax = clock.Duration(v) * clock.Millisecond },
			func(c *tcp.Config) int64 { return int64(c.RTOMax / clock.Millisecond) }),
		configured("SOL_TCP", "TCP_RTO_MIN_US", 1, 1<<31, func(c *tcp.Config, v int64) { c.RTOMin = clock.Duration(v) * clock.Microsecond },
			func(c *tcp.Config) int64 { return int64(c.RTOMin / clock.Microsecond) }),
		configured("SOL_TCP", "TCP_DELACK_MAX_US", 1, 1<<31, func(c *tcp.Config, v int64) { c.DelayedAck = clock.Duration(v) * clock.Microsecond },
			func(c *tcp.Config) int64 { return int64(c.DelayedAck / clock.Microsecond) }),
		noted("SOL_TCP", "TCP_THIN_LINEAR_TIMEOUTS", 0, 0, 0), noted("SOL_TCP", "TCP_THIN_DUPACK", 0, 1, 0), noted("SOL_TCP", "TCP_SAVE_SYN", 0, 2, 0),
		noted("SOL_TCP", "TCP_REPAIR", 0, 0, 0), noted("SOL_TCP", "TCP_TX_DELAY", 0, 0, 0),
	}
}

// synAcks is how TCP_DEFER_ACCEPT counts: in SYN-ACKs, of which so many fit the
// seconds, and in the seconds that these take.
func synAcks(seconds int64) (n, takes int64) {
	const initial, most = 1, 120
	for wait := int64(initial); seconds > takes && n < 255; wait = min(2*wait, most) {
		n++
		takes += wait
	}
	return n, takes
}

// both is an option of SOL_IP with its name and level in IPv6.
func both(x sockopt, name6 string) []sockopt {
	y := x
	y.level, y.name = "SOL_IPV6", name6
	return []sockopt{x, y}
}

// ipOptions are those of SOL_IP and SOL_IPV6.
func ipOptions() (list []sockopt) {
	hops := sockopt{level: "SOL_IP", name: "IP_TTL",
		set: func(r *runner, s *socket, o *option) CallResult {
			v := o.value
			if v == -1 {
				v = int64(r.core.TCP.TTL)
			}
			if v < 1 || v > 255 {
				return fails("EINVAL")
			}
			r.adjust(s, func(c *tcp.Config) { c.TTL = uint8(v) })
			return returns(0)
		},
		get: func(r *runner, s *socket) int64 { return int64(s.config().TTL) }}
	tos := configured("SOL_IP", "IP_TOS", -1, 255, func(c *tcp.Config, v int64) { c.TOS = uint8(max(v, 0)) &^ 3 },
		func(c *tcp.Config) int64 { return int64(c.TOS) })
	mtu := telling("SOL_IP", "IP_MTU", func(r *runner, s *socket) int64 { return int64(s.conn.Info(r.now).PMTU) })
	discover := sockopt{level: "SOL_IP", name: "IP_MTU_DISCOVER",
		set: bounded(0, 5, func(r *runner, s *socket, v int64) CallResult {
			s.store(constants["SOL_IP"], constants["IP_MTU_DISCOVER"], v+1)
			r.adjust(s, func(c *tcp.Config) {
				c.PathMTU = v != constants["IP_PMTUDISC_DONT"] && v != constants["IP_PMTUDISC_OMIT"]
			})
			return returns(0)
		}),
		get: func(r *runner, s *socket) int64 {
			if v := s.storedValue("SOL_IP", "IP_MTU_DISCOVER"); v != 0 {
				return v - 1
			}
			return flag(s.config().PathMTU)
		}}
	errs := sockopt{level: "SOL_IP", name: "IP_RECVERR",
		set: func(r *runner, s *socket, o *option) CallResult {
			if s.recvErr = o.on(); !s.recvErr {
				s.reports = nil
			}
			return returns(0)
		},
		get: func(r *runner, s *socket) int64 { return flag(s.recvErr) }}
	for _, pair := range [...][]sockopt{both(hops, "IPV6_UNICAST_HOPS"), both(tos, "IPV6_TCLASS"), both(mtu, "IPV6_MTU"), both(discover, "IPV6_MTU_DISCOVER"), both(errs, "IPV6_RECVERR")} {
		list = append(list, pair...)
	}
	for _, name := range [...]string{
		"IP_FREEBIND", "IP_TRANSPARENT", "IP_RECVTTL", "IP_RECVTOS", "IP_PKTINFO", "IP_RECVOPTS", "IP_RETOPTS", "IP_NODEFRAG", "IP_BIND_ADDRESS_NO_PORT",
		"IP_LOCAL_PORT_RANGE", "IP_RECVERR_RFC4884",
	} {
		list = append(list, noted("SOL_IP", name, -anyInt, anyInt, 0))
	}
	for _, name := range [...]string{
		"IPV6_V6ONLY", "IPV6_RECVHOPLIMIT", "IPV6_RECVTCLASS", "IPV6_DONTFRAG", "IPV6_AUTOFLOWLABEL", "IPV6_FREEBIND", "IPV6_FLOWINFO_SEND",
	} {
		list = append(list, noted("SOL_IPV6", name, -anyInt, anyInt, 0))
	}
	return append(list, noted("SOL_IP", "IP_MINTTL", 0, 0, 0), noted("SOL_IPV6", "IPV6_MINHOPCOUNT", 0, 0, 0))
}

// foreignOptions are those of FreeBSD that have a meaning here.
func foreignOptions() []sockopt {
	return []sockopt{
		noted("SOL_SOCKET", "SO_NOSIGPIPE", -anyInt, anyInt, 0), noted("SOL_SOCKET", "SO_USELOOPBACK", -anyInt, anyInt, 0),
		noted("SOL_SOCKET", "SO_NO_OFFLOAD", -anyInt, anyInt, 0), noted("SOL_SOCKET", "SO_NO_DDP", -anyInt, anyInt, 0),
		noted("SOL_SOCKET", "SO_USER_COOKIE", -anyInt, anyInt, 0), noted("SOL_SOCKET", "SO_SETFIB", 0, 0, 0),
		noted("SOL_SOCKET", "SO_REUSEPORT_LB", -anyInt, anyInt, 0), noted("SOL_TCP", "TCP_LOG", -anyInt, anyInt, 0),
		noted("SOL_TCP", "TCP_NOOPT", 0, 0, 0), noted("SOL_IP", "IP_BINDANY", 0, 0, 0), noted("SOL_IPV6", "IPV6_BINDANY", 0, 0, 0),
		noted("SOL_IP", "IP_RECVDSTADDR", -anyInt, anyInt, 0),
		cork("TCP_NOPUSH"),
		configured("SOL_TCP", "TCP_MAXUNACKTIME", 0, anyInt, func(c *tcp.Config, v int64) { c.UserTimeout = clock.Duration(v) * clock.Second },
			func(c *tcp.Config) int64 { return inSeconds(c.UserTimeout) }).then(func(r *runner, s *socket) error { return s.conn.SetUserTimeout(r.now, s.config().UserTimeout) }),
		configured("SOL_IP", "IP_DONTFRAG", -anyInt, anyInt, func(c *tcp.Config, v int64) { c.PathMTU = v != 0 },
			func(c *tcp.Config) int64 { return flag(c.PathMTU) }),
	}
}
