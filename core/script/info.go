package script

import (
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
	// Beyond Linux: what the engine counts in octets.
	set("tcpkit_cwnd", uint64(i.Cwnd))
	set("tcpkit_ssthresh", uint64(i.Ssthresh))
	set("tcpkit_in_flight", uint64(i.InFlight))
	set("tcpkit_soft_error", uint64(max(constants[errnoOf(i.SoftError)], 0))*uint64(flag(i.SoftError != tcp.NoError)))
}
