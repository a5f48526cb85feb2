package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/hosts/native"
)

// A session is one command on a TUN, from its flags to the last FIN: the host,
// the capture, the control socket, the signals, and the connections that are
// to be closed well when it ends.
type session struct {
	app     *app
	command string
	flags   *tunFlags
	plan    *tunPlan
	stop    *stopper
	since   time.Time

	tun     *native.TUN
	host    *native.Host
	capture *capture
	plugins *sessionPlugins // nil without
	control *controlServer

	mu        sync.Mutex
	listeners []net.Listener
	conns     map[*sessionConn]struct{}
	ending    bool
	served    int
	in, out   atomic.Int64 // octets that connections received and sent
}

// closeWait is how long connections have to end by themselves once the command
// is over, before they are reset.
const closeWait = 10 * time.Second

// withSession opens the TUN that the flags describe, runs f on it, and closes
// all that is left. The first signal makes f's listeners and connections
// end; an error of f's is then taken for their end.
func (a *app) withSession(cmd *cobra.Command, flags *tunFlags, f func(*session) error) (err error) {
	plan, err := flags.plan()
	if errors.Is(err, errSetHelp) {
		return printConfig(a.out, &plan.core)
	}
	if err != nil {
		return err
	}
	s := &session{
		app: a, command: strings.TrimPrefix(cmd.CommandPath(), "tcpkit "), flags: flags, plan: plan,
		since: time.Now(), conns: make(map[*sessionConn]struct{}),
	}
	s.stop = watchSignals(context.Background())
	defer s.stop.stop()
	if err := s.open(); err != nil {
		return err
	}
	err = s.during(f)
	if sig := s.stop.asked(); sig != nil {
		s.summary()
		err = &silentError{sig.exitOf()}
	}
	if closeErr := s.close(); err == nil {
		err = closeErr
	}
	return err
}

// during runs f to its end, or to the end that a signal makes, and then lets
// the FIN exchanges finish.
func (s *session) during(f func(*session) error) error {
	finished := make(chan error, 1)
	go func() { finished <- f(s) }()
	var err error
	select {
	case err = <-finished:
	case <-s.stop.soft.Done():
		s.app.log.Info("closing; once more resets", "connections", s.end())
		select {
		case err = <-finished:
		case <-s.stop.hard.Done():
		case <-time.After(closeWait):
			s.app.log.Warn("connections have not ended in time and are reset", "waited", closeWait.String())
			return err
		}
	}
	if errors.Is(err, syscall.ENETDOWN) {
		return err // the link has gone, and every connection with it
	}
	// Nobody uses a connection any more: what is left is on its way out.
	ctx, cancel := context.WithTimeout(s.stop.hard, closeWait)
	defer cancel()
	if shutErr := s.host.Shutdown(ctx); shutErr != nil {
		s.app.log.Warn("some connections were reset", "why", shutErr.Error())
	}
	return err
}

// addressesFree refuses addresses on a network that this machine has already:
// the kernel would not know which way to send. Another tcpkit with the default
// addresses is the usual case.
func addressesFree(local []netip.Prefix) error {
	devices, err := net.Interfaces()
	if err != nil {
		return fmt.Errorf("look at this machine's addresses: %w", err)
	}
	for _, dev := range devices {
		addrs, err := dev.Addrs()
		if err != nil {
			continue // it has gone in between
		}
		for _, a := range addrs {
			theirs, err := netip.ParsePrefix(a.String())
			if err != nil {
				continue
			}
			for _, l := range local {
				if theirs.Overlaps(l) {
					return fmt.Errorf("address in use: --local %s is on a network that %s has already (%s); give another, like --local 10.78.0.2/24", l, dev.Name, theirs)
				}
			}
		}
	}
	return nil
}

// open makes everything that the plan names, outermost last.
func (s *session) open() error {
	if err := addressesFree(s.plan.local); err != nil {
		return err
	}
	if err := setLimits(); err != nil {
		return fmt.Errorf("limit resources: %w", err)
	}
	if len(s.plan.plugins) > 0 {
		var key [16]byte
		rand.Read(key[:])
		var err error
		if s.plugins, err = startPlugins(s.plan.plugins, s.plan.tun.MTU, siphash.KeyFrom(key), s.app.log); err != nil {
			return err
		}
		if c := s.plugins.set.Controller(); c != nil && s.plan.compared == 0 {
			s.plan.core.TCP.Controller = c
		}
	}
	if err := s.openLink(); err != nil {
		return errors.Join(err, s.closePlugins())
	}
	return nil
}

// openLink makes the TUN and what stands on it.
func (s *session) openLink() error {
	tun, err := native.OpenTUN(s.plan.tun)
	if errors.Is(err, syscall.EAFNOSUPPORT) && slices.Equal(s.flags.local, defaultLocal) {
		s.app.log.Warn("goes on with IPv4 alone", "why", err.Error())
		s.plan.only4()
		tun, err = native.OpenTUN(s.plan.tun)
	}
	if err != nil {
		return explainTUN(err, thisMachine())
	}
	s.tun = tun
	var link packet.IO = tun
	if s.plan.impair != nil {
		link = native.Impair(tun, *s.plan.impair, s.plan.impair.Seed)
	}
	// The connections go by the profile, and not by what package net sets.
	cfg := native.Config{Core: s.plan.core, Local: s.plan.local, IO: link, ProfileOptions: true}
	if s.plan.write != "" {
		if s.capture, err = openCapture(s.plan.write, tun.Name(), s.plan.writeMax, s.app.log); err != nil {
			tun.Close()
			return err
		}
		cfg.Tap = s.capture
	}
	if s.host, err = native.New(cfg); err != nil {
		tun.Close()
		return errors.Join(err, s.closeCapture())
	}
	if s.plugins != nil {
		s.plugins.attach(s.host)
		if s.capture != nil {
			s.capture.namePlugins(s.plugins.names)
		}
	}
	if s.control, err = serveControl(s.describe, s.app.log); err != nil {
		s.app.log.Warn("tcpkit stat will not see this one", "why", err.Error())
	}
	if !s.flags.rights {
		// Everything that takes a right is open (THREATS H01).
		if err := native.DropRights(); err != nil {
			return errors.Join(err, s.close())
		}
	}
	s.app.log.Info("up", "tun", tun.Name(), "mtu", tun.MTU(), "local", joined(s.plan.local), "peer", joined(s.plan.tun.Peer))
	return nil
}

func joined(ps []netip.Prefix) string {
	var s []string
	for _, p := range ps {
		s = append(s, p.String())
	}
	return strings.Join(s, ",")
}

// close takes down what open made.
func (s *session) close() error {
	if s.control != nil {
		s.control.close()
	}
	err := s.host.Close()
	if capErr := s.closeCapture(); err == nil {
		err = capErr
	}
	return errors.Join(err, s.closePlugins())
}

// closePlugins ends the plugins, if there are any.
func (s *session) closePlugins() error {
	p := s.plugins
	s.plugins = nil
	if p == nil {
		return nil
	}
	return p.close()
}

func (s *session) closeCapture() error {
	if s.capture == nil {
		return nil
	}
	return s.capture.close()
}

// listen opens a listener on tcpkit's side. An empty host is all addresses.
func (s *session) listen(host, port string, backlog int) (net.Listener, error) {
	if host != "" {
		a, err := netip.ParseAddr(host)
		if err != nil {
			return nil, usagef("bad address %q: tcpkit listens on an address and knows no names; give one of %s, or none for all", host, joined(s.plan.local))
		}
		if !a.IsUnspecified() && !slices.ContainsFunc(s.plan.local, func(l netip.Prefix) bool { return l.Addr() == a }) {
			return nil, usagef("cannot listen on %s: it is not tcpkit's; give one of %s, or none for all, or change --local", host, joined(s.plan.local))
		}
	}
	l, err := s.host.ListenWith(s.stop.soft, native.ListenConfig{Backlog: backlog}, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	for _, p := range s.plan.local {
		s.app.log.Info("listening", "address", netip.AddrPortFrom(p.Addr(), mustPort(port)).String())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sl := &sessionListener{Listener: l, s: s}
	s.listeners = append(s.listeners, sl)
	if s.ending {
		sl.Close()
	}
	return sl, nil
}

// dial connects from tcpkit's side.
func (s *session) dial(ctx context.Context, host, port string) (*sessionConn, error) {
	return s.dialWith(ctx, nil, host, port)
}

// dialWith is dial for a connection that goes by cfg, or, if that is nil, by what the
// others do.
func (s *session) dialWith(ctx context.Context, cfg *tcp.Config, host, port string) (*sessionConn, error) {
	d := native.Dialer{Host: s.host, TCP: cfg}
	c, err := d.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	return s.track(c), nil
}

// end tells everything to end: listeners are closed, connections get their
// FIN. It returns how many connections there are.
func (s *session) end() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending = true
	for _, l := range s.listeners {
		l.Close()
	}
	for c := range s.conns {
		c.CloseWrite()
	}
	return len(s.conns)
}

func (s *session) summary() {
	st := s.host.Stats()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.app.log.Info("closed", "connections", s.served, "received", formatSize(s.in.Load()), "sent", formatSize(s.out.Load()),
		"segments_in", st.SegmentsIn, "segments_out", st.SegmentsOut, "retransmits", st.Retransmits,
		"seconds", fmt.Sprintf("%.1f", time.Since(s.since).Seconds()))
}

// A sessionListener gives the session the connections that it accepts.
type sessionListener struct {
	net.Listener
	s *session
}

func (l *sessionListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.s.track(c), nil
}

// A sessionConn is a connection that the session knows and counts.
type sessionConn struct {
	*native.Conn
	s *session
}

func (s *session) track(c net.Conn) *sessionConn {
	t := &sessionConn{c.(*native.Conn), s}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[t] = struct{}{}
	s.served++
	if s.ending {
		t.CloseWrite()
	}
	return t
}

func (c *sessionConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.s.in.Add(int64(n))
	return n, err
}

func (c *sessionConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.s.out.Add(int64(n))
	return n, err
}

// Close also takes the connection off the session's list.
func (c *sessionConn) Close() error {
	c.s.mu.Lock()
	delete(c.s.conns, c)
	c.s.mu.Unlock()
	return c.Conn.Close()
}

// Retransmits is how many segments were sent again, for perf.
func (c *sessionConn) Retransmits() int64 { return int64(c.Info().TotalRetrans) }

// describe is what stat is told.
func (s *session) describe() instance {
	in := instance{
		PID: os.Getpid(), Command: s.command, TUN: s.tun.Name(), MTU: s.tun.MTU(), Profile: s.flags.profile, Since: s.since,
		Connections: []connection{},
	}
	for _, p := range s.plan.local {
		in.Local = append(in.Local, p.String())
	}
	for _, p := range s.plan.tun.Peer {
		in.Peer = append(in.Peer, p.String())
	}
	st := s.host.Stats()
	in.Counters = describeCounters(&st.Stats)
	for _, st := range s.host.Status() {
		in.Connections = append(in.Connections, describeConnection(&st))
	}
	return in
}
