package script

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// option is the level, name and value of a socket option call.
type option struct {
	level, name int64
	words       string // "TCP_NODELAY", for messages
	value       int64
	text        string
	hasText     bool
	linger      bool
	seconds     int64 // of the linger time
}

// readOption reads the arguments of setsockopt and getsockopt.
func readOption(c *Call) (o option, ok bool) {
	if len(c.Args) != 5 {
		return o, false
	}
	level, ok1 := intOf(&c.Args[1])
	name, ok2 := intOf(&c.Args[2])
	o.level, o.name, o.words = level, name, c.Args[2].String()
	v := &c.Args[3]
	if v.Kind == List && len(v.Items) == 1 {
		v = &v.Items[0]
	}
	ok = ok1 && ok2
	switch v.Kind {
	case String:
		o.text, o.hasText = v.Text, true
	case Struct: // {onoff=1, linger=5}
		o.linger = true
		for i := range v.Items {
			x := &v.Items[i]
			if x.Kind != Assign {
				return o, false
			}
			n, known := intOf(&x.Items[1])
			switch x.Items[0].Text {
			case "onoff", "l_onoff":
				o.value = n
			case "linger", "l_linger":
				o.seconds = n
			default:
				return o, false
			}
			ok = ok && known
		}
	case Default:
	default:
		n, known := intOf(v)
		o.value, ok = n, ok && known
	}
	return o, ok
}

// is reports whether o is the option of these words.
func (o *option) is(level, name string) bool {
	return o.level == constants[level] && o.name == constants[name]
}

// ignored are options that change nothing on the wire here.
var ignored = [...][2]string{
	{"SOL_SOCKET", "SO_REUSEADDR"}, {"SOL_SOCKET", "SO_REUSEPORT"}, {"SOL_SOCKET", "SO_PRIORITY"}, {"SOL_SOCKET", "SO_MARK"},
	{"SOL_SOCKET", "SO_BROADCAST"}, {"SOL_SOCKET", "SO_DEBUG"}, {"SOL_SOCKET", "SO_BUSY_POLL"},
	{"SOL_IP", "IP_FREEBIND"}, {"SOL_IP", "IP_RECVERR"}, {"SOL_IPV6", "IPV6_RECVERR"}, {"SOL_IPV6", "IPV6_V6ONLY"},
}

func (r *runner) setsockopt(s *socket, c *Call) outcome {
	if out, done := r.sockoptFast(s, c, true); done {
		return out
	}
	o, ok := readOption(c)
	if !ok {
		return cannot("this setsockopt is not supported: " + string(c.append(nil)))
	}
	for _, x := range ignored {
		if o.is(x[0], x[1]) {
			s.store(o)
			return returns(0)
		}
	}
	if s.listener != nil {
		return cannot("an option that is set on a listening socket is not supported")
	}
	on, v := o.value != 0, o.value
	cfg := s.cfg
	small := v >= 0 && v <= 255
	var err error
	switch {
	case o.is("SOL_SOCKET", "SO_KEEPALIVE"):
		cfg.Keepalive = on
		err = s.keepalive(r.now)
	case o.is("SOL_TCP", "TCP_KEEPIDLE") && v > 0 && v <= 32767:
		cfg.KeepaliveIdle = clock.Duration(v) * clock.Second
		err = s.keepalive(r.now)
	case o.is("SOL_TCP", "TCP_KEEPINTVL") && v > 0 && v <= 32767:
		cfg.KeepaliveInterval = clock.Duration(v) * clock.Second
		err = s.keepalive(r.now)
	case o.is("SOL_TCP", "TCP_KEEPCNT") && v > 0 && v <= 127:
		cfg.KeepaliveCount = uint8(v)
		err = s.keepalive(r.now)
	case o.is("SOL_SOCKET", "SO_LINGER") && o.linger:
		cfg.Linger, cfg.LingerTime = on, clock.Duration(o.seconds)*clock.Second
		if s.conn != nil {
			err = s.conn.SetLinger(r.now, on, cfg.LingerTime)
		}
	case o.is("SOL_SOCKET", "SO_SNDBUF") || o.is("SOL_SOCKET", "SO_SNDBUFFORCE"):
		cfg.SendBuffer, cfg.SendBufferMax = bufferSize(v), bufferSize(v)
		if s.conn != nil {
			err = s.conn.SetSendBuffer(r.now, cfg.SendBuffer)
		}
	case o.is("SOL_SOCKET", "SO_RCVBUF") || o.is("SOL_SOCKET", "SO_RCVBUFFORCE"):
		cfg.ReceiveBuffer, cfg.ReceiveBufferMax = bufferSize(v), bufferSize(v)
		if s.conn != nil {
			err = s.conn.SetReceiveBuffer(r.now, cfg.ReceiveBuffer)
		}
	case o.is("SOL_TCP", "TCP_NODELAY"):
		cfg.Nagle = !on
		if s.conn != nil {
			err = s.conn.SetNoDelay(r.now, on)
		}
	case o.is("SOL_SOCKET", "SO_OOBINLINE"):
		cfg.UrgentInline = on
		if s.conn != nil {
			err = s.conn.SetUrgentInline(r.now, on)
		}
	case o.is("SOL_TCP", "TCP_CORK"):
		return cannot("TCP_CORK is not supported")
	case o.is("SOL_TCP", "TCP_MAXSEG") && v >= 88 && v <= 32767 && s.conn == nil:
		cfg.MaxMSS = uint16(v)
	case o.is("SOL_TCP", "TCP_SYNCNT") && v > 0 && v <= 127 && s.conn == nil:
		// The linear retries come out of the same time, (2^(n+1)-1) s.
		cfg.SynRetries = uint8(v)
	case o.is("SOL_TCP", "TCP_LINGER2") && s.conn == nil:
		cfg.FinWait2 = clock.Duration(max(v, 0)) * clock.Second
	case o.is("SOL_TCP", "TCP_USER_TIMEOUT") && v >= 0:
		cfg.UserTimeout = clock.Duration(v) * clock.Millisecond
		if s.conn != nil {
			err = s.conn.SetUserTimeout(r.now, cfg.UserTimeout)
		}
	case o.is("SOL_TCP", "TCP_QUICKACK"):
		if s.conn == nil {
			return cannot("TCP_QUICKACK before there is a connection is not supported")
		}
		err = s.conn.SetQuickAck(r.now, on)
	case o.is("SOL_TCP", "TCP_CONGESTION") && o.hasText && s.conn == nil:
		name := o.text
		if name == "reno" {
			name = "newreno"
		}
		controller, ok := cc.ByName(name)
		if !ok {
			return cannot("the congestion control " + o.text + " is not supported")
		}
		cfg.Controller = controller
	case (o.is("SOL_IP", "IP_TTL") || o.is("SOL_IPV6", "IPV6_UNICAST_HOPS")) && small && v > 0:
		cfg.TTL = uint8(v)
		if s.conn != nil {
			err = s.conn.SetTTL(r.now, cfg.TTL)
		}
	case (o.is("SOL_IP", "IP_TOS") || o.is("SOL_IPV6", "IPV6_TCLASS")) && small:
		cfg.TOS = uint8(v)
		if s.conn != nil {
			err = s.conn.SetTOS(r.now, cfg.TOS)
		}
	case (o.is("SOL_IP", "IP_MTU_DISCOVER") || o.is("SOL_IPV6", "IPV6_MTU_DISCOVER")) && s.conn == nil:
		cfg.PathMTU = v != constants["IP_PMTUDISC_DONT"]
	default:
		return cannot("the socket option " + o.words + " with this value, or at this point, is not supported")
	}
	if err != nil {
		return failsWith(err)
	}
	return returns(0)
}

// bufferSize bounds what SO_SNDBUF and SO_RCVBUF may ask for. Linux doubles the
// number and uses about half of that for data; we keep what is asked for.
func bufferSize(v int64) uint32 { return uint32(min(max(v, 1), 1<<30)) }

// keepalive tells the connection what the options have made of its keepalive.
func (s *socket) keepalive(now clock.Instant) error {
	if s.conn == nil {
		return nil
	}
	return s.conn.SetKeepalive(now, s.cfg.Keepalive, s.cfg.KeepaliveIdle, s.cfg.KeepaliveInterval, s.cfg.KeepaliveCount)
}

func (s *socket) store(o option) {
	for i := range s.stored {
		if s.stored[i].level == o.level && s.stored[i].name == o.name {
			s.stored[i].value = o.value
			return
		}
	}
	s.stored = append(s.stored, stored{o.level, o.name, o.value})
}

func flag(on bool) int64 {
	if on {
		return 1
	}
	return 0
}

func (r *runner) getsockopt(s *socket, c *Call) outcome {
	if out, done := r.sockoptFast(s, c, false); done {
		return out
	}
	o, ok := readOption(c)
	if !ok {
		return cannot("this getsockopt is not supported: " + string(c.append(nil)))
	}
	cfg := s.cfg
	if s.conn != nil {
		cfg = s.conn.Config()
	}
	v := int64(0)
	switch {
	case o.is("SOL_SOCKET", "SO_ERROR"):
		if s.conn != nil {
			if err := s.takeError(); err != nil {
				v = constants[errnoOf(err)]
			}
		}
	case o.is("SOL_SOCKET", "SO_TYPE"):
		v = 1
	case o.is("SOL_SOCKET", "SO_PROTOCOL"):
		v = 6
	case o.is("SOL_SOCKET", "SO_ACCEPTCONN"):
		v = flag(s.listener != nil)
	case o.is("SOL_SOCKET", "SO_KEEPALIVE"):
		v = flag(cfg.Keepalive)
	case o.is("SOL_SOCKET", "SO_SNDBUF"):
		v = 2 * int64(cfg.SendBuffer)
	case o.is("SOL_SOCKET", "SO_RCVBUF"):
		v = 2 * int64(cfg.ReceiveBuffer)
	case o.is("SOL_SOCKET", "SO_LINGER") && o.linger:
		out := returns(0)
		if flag(cfg.Linger) != o.value || cfg.LingerTime != clock.Duration(o.seconds)*clock.Second {
			out.differ = "expected  " + c.Args[3].String() + "\n  actual    {onoff=" + strconv.FormatInt(flag(cfg.Linger), 10) +
				", linger=" + strconv.FormatInt(int64(cfg.LingerTime/clock.Second), 10) + "}"
		}
		return out
	case o.is("SOL_TCP", "TCP_NODELAY"):
		v = flag(!cfg.Nagle)
	case o.is("SOL_TCP", "TCP_KEEPIDLE"):
		v = int64(cfg.KeepaliveIdle / clock.Second)
	case o.is("SOL_TCP", "TCP_KEEPINTVL"):
		v = int64(cfg.KeepaliveInterval / clock.Second)
	case o.is("SOL_TCP", "TCP_KEEPCNT"):
		v = int64(cfg.KeepaliveCount)
	case o.is("SOL_TCP", "TCP_SYNCNT"):
		v = int64(cfg.SynRetries)
	case o.is("SOL_TCP", "TCP_LINGER2"):
		v = int64(cfg.FinWait2 / clock.Second)
	case o.is("SOL_TCP", "TCP_USER_TIMEOUT"):
		v = int64(cfg.UserTimeout / clock.Millisecond)
	case o.is("SOL_TCP", "TCP_MAXSEG"):
		v = 536
		if cfg.MaxMSS != 0 {
			v = int64(cfg.MaxMSS)
		}
		if s.conn != nil && s.conn.State().Synchronized() {
			v = int64(s.conn.Info(r.now).SndMSS)
		}
	case o.is("SOL_TCP", "TCP_CONGESTION") && o.hasText:
		out := returns(0)
		if name := cfg.Controller.Name(); name != o.text && !(name == "newreno" && o.text == "reno") {
			out.differ = "expected  " + o.text + "\n  actual    " + name
		}
		return out
	case o.is("SOL_IP", "IP_TTL") || o.is("SOL_IPV6", "IPV6_UNICAST_HOPS"):
		v = int64(cfg.TTL)
	case o.is("SOL_IP", "IP_TOS") || o.is("SOL_IPV6", "IPV6_TCLASS"):
		v = int64(cfg.TOS)
	case o.is("SOL_IP", "IP_MTU") || o.is("SOL_IPV6", "IPV6_MTU"):
		if s.conn == nil {
			return fails("ENOTCONN")
		}
		v = int64(s.conn.Info(r.now).PMTU)
	default:
		found := false
		for _, x := range s.stored {
			if x.level == o.level && x.name == o.name {
				v, found = x.value, true
			}
		}
		if !found {
			return cannot("the socket option " + o.words + " is not supported")
		}
	}
	out := returns(0)
	if c.Args[3].Kind != Default && v != o.value {
		out.differ = "expected  " + o.words + " = " + c.Args[3].String() + "\n  actual    " + o.words + " = " + strconv.FormatInt(v, 10)
	}
	return out
}

// Snapshot implements System.
func (r *runner) Snapshot(local, remote wire.AddrPort, set func(name string, v uint64)) {
	state, _ := r.State(local, remote)
	set("tcpi_state", uint64(state.Linux()))
	st, ok := r.statusOf(local, remote)
	if !ok {
		return
	}
	i := &st.Info
	set("tcpi_ca_state", uint64(i.CaState))
	set("tcpi_retransmits", uint64(i.Retransmits))
	set("tcpi_probes", uint64(i.Probes))
	set("tcpi_backoff", uint64(i.Backoff))
	set("tcpi_options", uint64(i.Options))
	set("tcpi_snd_wscale", uint64(i.SndWscale))
	set("tcpi_rcv_wscale", uint64(i.RcvWscale))
	set("tcpi_rto", uint64(i.RTO))
	set("tcpi_ato", uint64(i.ATO))
	set("tcpi_snd_mss", uint64(i.SndMSS))
	set("tcpi_rcv_mss", uint64(i.RcvMSS))
	set("tcpi_unacked", uint64(i.Unacked))
	set("tcpi_sacked", uint64(i.Sacked))
	set("tcpi_lost", uint64(i.Lost))
	set("tcpi_retrans", uint64(i.Retrans))
	set("tcpi_last_data_sent", uint64(i.LastDataSent))
	set("tcpi_last_data_recv", uint64(i.LastDataRecv))
	set("tcpi_last_ack_recv", uint64(i.LastAckRecv))
	set("tcpi_pmtu", uint64(i.PMTU))
	set("tcpi_rtt", uint64(i.RTT))
	set("tcpi_rttvar", uint64(i.RTTVar))
	set("tcpi_snd_ssthresh", uint64(i.SndSsthresh))
	set("tcpi_snd_cwnd", uint64(i.SndCwnd))
	set("tcpi_advmss", uint64(i.AdvMSS))
	set("tcpi_reordering", uint64(i.Reordering))
	set("tcpi_rcv_rtt", uint64(i.RcvRTT))
	set("tcpi_rcv_space", uint64(i.RcvSpace))
	set("tcpi_total_retrans", uint64(i.TotalRetrans))
	set("tcpi_pacing_rate", i.PacingRate)
	set("tcpi_bytes_acked", i.BytesAcked)
	set("tcpi_bytes_received", i.BytesReceived)
	set("tcpi_bytes_sent", i.BytesSent)
	set("tcpi_bytes_retrans", i.BytesRetrans)
	set("tcpi_segs_out", uint64(i.SegsOut))
	set("tcpi_segs_in", uint64(i.SegsIn))
	set("tcpi_data_segs_in", uint64(i.DataSegsIn))
	set("tcpi_data_segs_out", uint64(i.DataSegsOut))
	set("tcpi_notsent_bytes", uint64(i.NotsentBytes))
	set("tcpi_min_rtt", uint64(i.MinRTT))
	set("tcpi_snd_wnd", uint64(i.SndWnd))
	set("tcpi_rcv_wnd", uint64(i.RcvWnd))
	set("tcpi_fastopen_client_fail", uint64(i.FastOpenFailure))
	// Beyond Linux: what the engine counts in octets.
	set("tcpkit_cwnd", uint64(i.Cwnd))
	set("tcpkit_ssthresh", uint64(i.Ssthresh))
	set("tcpkit_in_flight", uint64(i.InFlight))
	set("tcpkit_soft_error", uint64(max(constants[errnoOf(i.SoftError)], 0))*uint64(flag(i.SoftError != tcp.NoError)))
}
