package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/hosts/native"
)

// tcpkitParty is a host, in the profile linux, on the port of a line.
type tcpkitParty struct {
	host *native.Host
	core core.Config
}

// tcpkitSettings says what the sysctls that situations set are to tcpkit.
var tcpkitSettings = map[string]func(*core.Config){
	"tcp_timestamps=0":     func(c *core.Config) { c.TCP.Timestamps = false },
	"tcp_sack=0":           func(c *core.Config) { c.TCP.SACK = false },
	"tcp_window_scaling=0": func(c *core.Config) { c.TCP.WindowScaling = false },
	"tcp_ecn=1":            func(c *core.Config) { c.TCP.ECN = 1 },
	"tcp_fin_timeout=1":    func(c *core.Config) { c.TCP.FinWait2 = clock.Second },
	"tcp_ecn=0":            func(c *core.Config) { c.TCP.ECN = 0 },

	"tcp_syn_retries=1":         func(c *core.Config) { c.TCP.SynRetries = 1 },
	"tcp_syn_retries=2":         func(c *core.Config) { c.TCP.SynRetries = 2 },
	"tcp_syn_linear_timeouts=0": func(c *core.Config) { c.TCP.SynLinear = 0 },
	"tcp_syn_linear_timeouts=2": func(c *core.Config) { c.TCP.SynLinear = 2 },
}

func newTCPkitParty(p *port, own netip.Addr, sysctls string) (*tcpkitParty, error) {
	c, err := core.Profile("linux")
	if err != nil {
		return nil, err
	}
	for _, x := range strings.Fields(sysctls) {
		set, ok := tcpkitSettings[x]
		if !ok {
			return nil, fmt.Errorf("no setting %s", x)
		}
		set(&c)
	}
	h, err := native.New(native.Config{Core: c, Local: []netip.Prefix{netip.PrefixFrom(own, own.BitLen())}, IO: p, ProfileOptions: true})
	if err != nil {
		return nil, err
	}
	return &tcpkitParty{h, c}, nil
}

func (k *tcpkitParty) close() { k.host.Close() }

func (k *tcpkitParty) state(local, remote netip.AddrPort) string {
	for _, s := range k.host.Status() {
		if s.Local.String() == local.String() && s.Remote.String() == remote.String() {
			return s.State.String()
		}
	}
	return tcp.Closed.String()
}

// configured is the configuration that options make of the host's.
func (k *tcpkitParty) configured(options []option) (*tcp.Config, error) {
	c := k.core.TCP
	for _, o := range options {
		v := o.value
		switch o.name {
		case "SO_RCVBUF":
			c.ReceiveBuffer, c.ReceiveBufferMax = uint32(v), uint32(v)
		case "SO_SNDBUF":
			c.SendBuffer, c.SendBufferMax = uint32(v), uint32(v)
		case "TCP_MAXSEG":
			c.MaxMSS = uint16(v)
		case "TCP_FASTOPEN":
		default:
			return nil, fmt.Errorf("no option %s before the connection", o.name)
		}
	}
	return &c, nil
}

func (k *tcpkitParty) listen(at netip.AddrPort, backlog int, options ...option) (acceptor, error) {
	cfg, err := k.configured(options)
	if err != nil {
		return nil, err
	}
	o := native.ListenConfig{Backlog: backlog, TCP: cfg}
	if backlog == 0 {
		o.Backlog = -1
	}
	for _, x := range options {
		if x.name == "TCP_FASTOPEN" {
			o.FastOpen = x.value
		}
	}
	l, err := k.host.ListenWith(context.Background(), o, "tcp", at.String())
	if err != nil {
		return nil, err
	}
	return &tcpkitAcceptor{l.(*native.Listener)}, nil
}

type tcpkitAcceptor struct{ *native.Listener }

func (l *tcpkitAcceptor) accept() (sock, error) {
	l.SetDeadline(time.Now().Add(callFor))
	c, err := l.Accept()
	if err != nil {
		return nil, err
	}
	return &tcpkitSock{Conn: c.(*native.Conn)}, nil
}

func (l *tcpkitAcceptor) close() error { return l.Close() }

func (k *tcpkitParty) dial(from, to netip.AddrPort, data []byte, options ...option) (sock, error) {
	cfg, err := k.configured(options)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), callFor)
	defer cancel()
	d := native.Dialer{Host: k.host, Local: from, TCP: cfg}
	open := d.DialContext
	if data != nil {
		open = func(ctx context.Context, network, address string) (c net.Conn, err error) {
			return d.DialFastOpen(ctx, network, address, data)
		}
	}
	c, err := open(ctx, "tcp", to.String())
	if err != nil {
		return nil, err
	}
	return &tcpkitSock{Conn: c.(*native.Conn)}, nil
}

// tcpkitSock is a connection of a host.
type tcpkitSock struct {
	*native.Conn
	keepalive [3]int // idle, interval, count, in seconds
}

func (s *tcpkitSock) send(b []byte, f flags) (int, error) {
	s.SetWriteDeadline(deadline(f))
	switch {
	case f&oob != 0:
		return s.WriteUrgent(b)
	case f&more != 0:
		return s.WriteMore(b)
	}
	n, err := s.Write(b)
	return n, wouldBlock(err, f)
}

func (s *tcpkitSock) recv(b []byte, f flags) (int, error) {
	if f&oob != 0 {
		x, err := s.ReadUrgent()
		if err != nil {
			return 0, err
		}
		b[0] = x
		return 1, nil
	}
	s.SetReadDeadline(deadline(f))
	n, err := s.Read(b)
	return n, wouldBlock(err, f)
}

func deadline(f flags) time.Time {
	if f&dontWait != 0 {
		return time.Now().Add(time.Millisecond)
	}
	return time.Now().Add(callFor)
}

// wouldBlock is EAGAIN where a call may not wait.
func wouldBlock(err error, f flags) error {
	if f&dontWait != 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		return syscall.EAGAIN
	}
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return err
}

func (s *tcpkitSock) shutdown(reads, writes bool) error {
	var err error
	if reads {
		err = s.CloseRead()
	}
	if writes {
		err = errors.Join(err, s.CloseWrite())
	}
	return err
}

func (s *tcpkitSock) close() error { return s.Close() }

func (s *tcpkitSock) set(o option) error {
	v := o.value
	switch o.name {
	case "SO_RCVBUF":
		return s.SetReadBuffer(v)
	case "SO_SNDBUF":
		return s.SetWriteBuffer(v)
	case "SO_LINGER":
		return s.SetLinger(v)
	case "SO_OOBINLINE":
		return s.SetUrgentInline(v != 0)
	case "TCP_NODELAY":
		return s.SetNoDelay(v != 0)
	case "TCP_CORK":
		return s.SetCork(v != 0)
	case "TCP_USER_TIMEOUT":
		return s.SetUserTimeout(time.Duration(v) * time.Millisecond)
	case "TCP_KEEPIDLE":
		s.keepalive[0] = v
	case "TCP_KEEPINTVL":
		s.keepalive[1] = v
	case "TCP_KEEPCNT":
		s.keepalive[2] = v
	case "SO_KEEPALIVE":
		return s.SetKeepAliveConfig(net.KeepAliveConfig{
			Enable: v != 0, Idle: time.Duration(s.keepalive[0]) * time.Second, Interval: time.Duration(s.keepalive[1]) * time.Second, Count: s.keepalive[2],
		})
	default:
		return fmt.Errorf("no option %s", o.name)
	}
	return nil
}
