package drill

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/tcpkit/tcpkit/core/wire"
)

// infoFields are the fields of struct tcp_info, include/uapi/linux/tcp.h, behind
// the eight octets that it begins with, in their order and with their size. A
// kernel that is older has fewer of them.
var infoFields = [...]struct {
	name string
	size int
}{
	{"rto", 4}, {"ato", 4}, {"snd_mss", 4}, {"rcv_mss", 4}, {"unacked", 4}, {"sacked", 4}, {"lost", 4}, {"retrans", 4}, {"fackets", 4},
	{"last_data_sent", 4}, {"last_ack_sent", 4}, {"last_data_recv", 4}, {"last_ack_recv", 4}, {"pmtu", 4}, {"rcv_ssthresh", 4}, {"rtt", 4}, {"rttvar", 4},
	{"snd_ssthresh", 4}, {"snd_cwnd", 4}, {"advmss", 4}, {"reordering", 4}, {"rcv_rtt", 4}, {"rcv_space", 4}, {"total_retrans", 4},
	{"pacing_rate", 8}, {"max_pacing_rate", 8}, {"bytes_acked", 8}, {"bytes_received", 8}, {"segs_out", 4}, {"segs_in", 4}, {"notsent_bytes", 4},
	{"min_rtt", 4}, {"data_segs_in", 4}, {"data_segs_out", 4}, {"delivery_rate", 8}, {"busy_time", 8}, {"rwnd_limited", 8}, {"sndbuf_limited", 8},
	{"delivered", 4}, {"delivered_ce", 4}, {"bytes_sent", 8}, {"bytes_retrans", 8}, {"dsack_dups", 4}, {"reord_seen", 4}, {"rcv_ooopack", 4},
	{"snd_wnd", 4}, {"rcv_wnd", 4}, {"rehash", 4}, {"total_rto", 2}, {"total_rto_recoveries", 2}, {"total_rto_time", 4},
}

// Snapshot implements script.System. Of a connection that no descriptor holds
// there is only the state.
func (k *kernel) Snapshot(local, remote wire.AddrPort, set func(name string, v uint64)) {
	state, _ := k.State(local, remote)
	set("tcpi_state", uint64(state.Linux()))
	s := k.holder(local, remote)
	if s == nil {
		return
	}
	b := make([]byte, 512)
	n, errno := getsockopt(s.fd, unix.SOL_TCP, unix.TCP_INFO, b)
	if errno != 0 || n < 8 {
		return
	}
	// The state is set: of a connection in TIME-WAIT the socket has only CLOSED.
	for i, name := range [...]string{"ca_state", "retransmits", "probes", "backoff", "options"} {
		set("tcpi_"+name, uint64(b[1+i]))
	}
	set("tcpi_snd_wscale", uint64(b[6]&15))
	set("tcpi_rcv_wscale", uint64(b[6]>>4))
	set("tcpi_fastopen_client_fail", uint64(b[7]>>1&3))
	b = b[8:n]
	for _, f := range infoFields {
		if len(b) < f.size {
			return
		}
		var v uint64
		switch f.size {
		case 2:
			v = uint64(binary.NativeEndian.Uint16(b))
		case 4:
			v = uint64(binary.NativeEndian.Uint32(b))
		case 8:
			v = binary.NativeEndian.Uint64(b)
		}
		set("tcpi_"+f.name, v)
		b = b[f.size:]
	}
}

// getsockopt fills b, and tells how much there was.
func getsockopt(fd int, level, name int64, b []byte) (n int, errno unix.Errno) {
	size := uint32(len(b))
	_, _, errno = unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name),
		uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(unsafe.Pointer(&size)), 0)
	return int(size), errno
}
