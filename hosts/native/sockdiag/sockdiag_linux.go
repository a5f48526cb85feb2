package sockdiag

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Layout of the messages, include/uapi/linux/inet_diag.h and sock_diag.h. What
// is not a port or an address is in the machine's own byte order.
const (
	sockDiagByFamily = 20

	headerLen  = unix.SizeofNlMsghdr
	idLen      = 48 // inet_diag_sockid
	requestLen = headerLen + 8 + idLen
	messageLen = 4 + idLen + 20 // inet_diag_msg

	attrInfo      = 2 // INET_DIAG_INFO
	noCookie      = ^uint32(0)
	everyState    = 1<<(newSynReceived+1) - 1
	answerTimeout = 5 * time.Second
)

// Diag is a conversation with the kernel about the sockets of one network
// namespace. Several goroutines may use it.
type Diag struct {
	mu  sync.Mutex
	fd  int
	seq uint32
	buf []byte
}

// Open begins a conversation about the network namespace of the calling thread.
func Open() (*Diag, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return nil, fmt.Errorf("socket diagnostics: %w", err)
	}
	// The kernel answers at once; the bound is for a kernel that does not.
	tv := unix.NsecToTimeval(answerTimeout.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("socket diagnostics: %w", err)
	}
	return &Diag{fd: fd, buf: make([]byte, 32<<10)}, nil
}

// Close ends the conversation.
func (d *Diag) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fd < 0 {
		return nil
	}
	err := unix.Close(d.fd)
	d.fd = -1
	return err
}

// Lookup returns the connection between the addresses, local being the kernel's
// own. The error is ErrNotFound where there is none, though something may listen.
func (d *Diag) Lookup(local, remote netip.AddrPort) (Socket, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var found Socket
	ok := false
	err := d.ask(family(local.Addr()), 0, local, remote, func(s *Socket) {
		found, ok = *s, true
	})
	if errors.Is(err, unix.ENOENT) {
		return Socket{}, ErrNotFound
	}
	if err != nil {
		return Socket{}, fmt.Errorf("socket diagnostics: %w", err)
	}
	// Without a connection the kernel answers with the listener, if there is one.
	if !ok || found.State == Listen {
		return Socket{}, ErrNotFound
	}
	return found, nil
}

// List returns every TCP socket of both families: connections of all states,
// and listeners.
func (d *Diag) List() ([]Socket, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []Socket
	for _, f := range []uint8{unix.AF_INET, unix.AF_INET6} {
		err := d.ask(f, unix.NLM_F_DUMP, netip.AddrPort{}, netip.AddrPort{}, func(s *Socket) {
			all = append(all, *s)
		})
		if err != nil {
			return nil, fmt.Errorf("socket diagnostics: %w", err)
		}
	}
	return all, nil
}

func family(a netip.Addr) uint8 {
	if a.Unmap().Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// ask sends one request and gives each socket of the answer to found.
func (d *Diag) ask(family uint8, flags uint16, local, remote netip.AddrPort, found func(*Socket)) error {
	if d.fd < 0 {
		return unix.EBADF
	}
	d.seq++
	var req [requestLen]byte
	ne := binary.NativeEndian
	ne.PutUint32(req[0:], requestLen)
	ne.PutUint16(req[4:], sockDiagByFamily)
	ne.PutUint16(req[6:], unix.NLM_F_REQUEST|flags)
	ne.PutUint32(req[8:], d.seq)
	r := req[headerLen:]
	r[0], r[1], r[2] = family, unix.IPPROTO_TCP, 1<<(attrInfo-1)
	ne.PutUint32(r[4:], everyState)
	id := r[8:]
	binary.BigEndian.PutUint16(id[0:], local.Port())
	binary.BigEndian.PutUint16(id[2:], remote.Port())
	if local.IsValid() {
		copy(id[4:20], local.Addr().Unmap().AsSlice())
		copy(id[20:36], remote.Addr().Unmap().AsSlice())
	}
	ne.PutUint32(id[40:], noCookie)
	ne.PutUint32(id[44:], noCookie)
	if err := unix.Sendto(d.fd, req[:], 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	for {
		n, _, err := unix.Recvfrom(d.fd, d.buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		done, err := d.answers(d.buf[:n], flags&unix.NLM_F_DUMP != 0, found)
		if done || err != nil {
			return err
		}
	}
}

// answers reads the messages in b. It reports whether the last has come.
func (d *Diag) answers(b []byte, dump bool, found func(*Socket)) (done bool, err error) {
	ne := binary.NativeEndian
	for len(b) >= headerLen {
		length := int(ne.Uint32(b))
		if length < headerLen || length > len(b) {
			return true, unix.EBADMSG
		}
		kind, seq, body := ne.Uint16(b[4:]), ne.Uint32(b[8:]), b[headerLen:length]
		b = b[min(len(b), (length+3)&^3):]
		if seq != d.seq {
			continue // of a request that was given up
		}
		switch kind {
		case unix.NLMSG_DONE:
			return true, nil
		case unix.NLMSG_ERROR:
			if len(body) < 4 {
				return true, unix.EBADMSG
			}
			if code := int32(ne.Uint32(body)); code != 0 {
				return true, unix.Errno(-code)
			}
			return true, nil
		case sockDiagByFamily:
			var s Socket
			if !parse(body, &s) {
				return true, unix.EBADMSG
			}
			found(&s)
			done = !dump
		}
	}
	return done, nil
}

// parse reads an inet_diag_msg and its attributes.
func parse(b []byte, s *Socket) bool {
	if len(b) < messageLen {
		return false
	}
	ne := binary.NativeEndian
	s.State, s.Timer, s.Retransmits = State(b[1]), Timer(b[2]), b[3]
	if s.State == newSynReceived {
		s.State = SynReceived
	}
	id := b[4:]
	addr := func(a []byte) netip.Addr {
		if b[0] == unix.AF_INET {
			return netip.AddrFrom4([4]byte(a))
		}
		return netip.AddrFrom16([16]byte(a)).Unmap()
	}
	s.Local = netip.AddrPortFrom(addr(id[4:20]), binary.BigEndian.Uint16(id[0:]))
	s.Remote = netip.AddrPortFrom(addr(id[20:36]), binary.BigEndian.Uint16(id[2:]))
	m := b[4+idLen:]
	s.Expires = time.Duration(ne.Uint32(m[0:])) * time.Millisecond
	s.ReadQueue, s.WriteQueue = ne.Uint32(m[4:]), ne.Uint32(m[8:])
	s.UID, s.Inode = ne.Uint32(m[12:]), ne.Uint32(m[16:])
	for a := b[messageLen:]; len(a) >= unix.SizeofRtAttr; {
		length := int(ne.Uint16(a))
		if length < unix.SizeofRtAttr || length > len(a) {
			return false
		}
		if ne.Uint16(a[2:]) == attrInfo {
			parseInfo(a[unix.SizeofRtAttr:length], &s.Info)
		}
		a = a[min(len(a), (length+3)&^3):]
	}
	return true
}

// parseInfo reads a tcp_info, of which an older kernel gives less.
func parseInfo(b []byte, i *Info) {
	var raw unix.TCPInfo
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&raw)), unsafe.Sizeof(raw)), b)
	us, ms := time.Microsecond, time.Millisecond
	*i = Info{
		CongestionState: raw.Ca_state,
		Options:         raw.Options,
		RTO:             time.Duration(raw.Rto) * us,
		ATO:             time.Duration(raw.Ato) * us,
		SendMSS:         raw.Snd_mss, ReceiveMSS: raw.Rcv_mss,
		Unacked: raw.Unacked, Sacked: raw.Sacked, Lost: raw.Lost, Retransmitted: raw.Retrans,
		PMTU:         raw.Pmtu,
		RTT:          time.Duration(raw.Rtt) * us,
		RTTVar:       time.Duration(raw.Rttvar) * us,
		SendSsthresh: raw.Snd_ssthresh, SendCwnd: raw.Snd_cwnd,
		TotalRetransmits: raw.Total_retrans,
		BytesAcked:       raw.Bytes_acked, BytesReceived: raw.Bytes_received,
		SegmentsOut: raw.Segs_out, SegmentsIn: raw.Segs_in,
		PacingRate: raw.Pacing_rate, DeliveryRate: raw.Delivery_rate,
		ReceiveSpace: raw.Rcv_space, ReceiveSsthresh: raw.Rcv_ssthresh, AdvertMSS: raw.Advmss,
		LastDataSent:     time.Duration(raw.Last_data_sent) * ms,
		LastDataReceived: time.Duration(raw.Last_data_recv) * ms,
		LastAckIn:        time.Duration(raw.Last_ack_recv) * ms,
	}
	if raw.Min_rtt != noCookie {
		i.MinRTT = time.Duration(raw.Min_rtt) * us
	}
	// Two four-bit fields between options and rto: byte 6 of the structure.
	if len(b) > 6 {
		i.SendScale, i.ReceiveScale = b[6]&15, b[6]>>4
	}
}
