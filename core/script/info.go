package script

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// Snapshot implements System: the numbers of a connection by their names in code
// blocks.
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
	set("tcpi_delivered", uint64(i.Delivered))
	set("tcpi_dsack_dups", uint64(i.DsackDups))
	set("tcpi_reord_seen", uint64(i.ReordSeen))
	set("tcpi_fastopen_client_fail", uint64(i.FastOpenFailure))
	if s := r.socketOf(local, remote); s != nil {
		s.limits.look(r.now, s)
		set("tcpi_busy_time", uint64(s.limits.busy/clock.Microsecond))
		set("tcpi_rwnd_limited", uint64(s.limits.window/clock.Microsecond))
		set("tcpi_sndbuf_limited", uint64(s.limits.buffer/clock.Microsecond))
		r.memory(s, set)
	}
	// Beyond Linux: what the engine counts in octets.
	set("tcpkit_cwnd", uint64(i.Cwnd))
	set("tcpkit_ssthresh", uint64(i.Ssthresh))
	set("tcpkit_in_flight", uint64(i.InFlight))
	set("tcpkit_soft_error", uint64(max(constants[errnoOf(i.SoftError)], 0))*uint64(flag(i.SoftError != tcp.NoError)))
}

// socketOf is the socket that holds a connection; nil if none does.
func (r *runner) socketOf(local, remote wire.AddrPort) (found *socket) {
	r.sockets(func(s *socket) {
		if s.conn != nil && s.conn.Local() == local && s.conn.Remote() == remote {
			found = s
		}
	})
	return found
}

// memory has the numbers of SO_MEMINFO, as far as there is anything like it: octets
// of data, where Linux counts what holds them too.
func (r *runner) memory(s *socket, set func(name string, v uint64)) {
	set("SK_MEMINFO_RMEM_ALLOC", uint64(s.conn.Readable()))
	set("SK_MEMINFO_RCVBUF", uint64(sockopts[[2]int64{constants["SOL_SOCKET"], constants["SO_RCVBUF"]}].get(r, s)))
	set("SK_MEMINFO_SNDBUF", uint64(sockopts[[2]int64{constants["SOL_SOCKET"], constants["SO_SNDBUF"]}].get(r, s)))
	set("SK_MEMINFO_WMEM_QUEUED", uint64(s.conn.Unacked()))
	set("SK_MEMINFO_WMEM_ALLOC", uint64(s.conn.Unacked()-s.conn.Unsent()))
	for _, name := range [...]string{"SK_MEMINFO_FWD_ALLOC", "SK_MEMINFO_OPTMEM", "SK_MEMINFO_BACKLOG", "SK_MEMINFO_DROPS"} {
		set(name, 0)
	}
}

// limits is for how long a connection has had something to send, and what held it
// back: Linux's chronographs.
type limits struct {
	busy, window, buffer clock.Duration
	at                   clock.Instant
	was                  limit
}

type limit uint8

const (
	idle limit = iota
	busy
	byWindow
	byBuffer
)

// look counts the time since it looked last. What holds a connection back changes
// only when something happens to it.
func (l *limits) look(now clock.Instant, s *socket) {
	passed := now.Sub(l.at)
	if l.was != idle {
		l.busy += passed
	}
	switch l.was {
	case byWindow:
		l.window += passed
	case byBuffer:
		l.buffer += passed
	}
	l.at, l.was = now, idle
	i := s.conn.Info(now)
	unsent := uint32(s.conn.Unsent())
	switch {
	case s.conn.Unacked() == 0:
	case unsent > 0 && i.InFlight+min(unsent, i.SndMSS) > i.SndWnd && i.InFlight < i.Cwnd:
		l.was = byWindow
	case unsent == 0 && s.noSpace:
		l.was = byBuffer
	default:
		l.was = busy
	}
}
