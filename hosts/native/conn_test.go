package native_test

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/hosts/native"
)

// Reading and writing allocate nothing once a connection runs, waiting included.
func TestReadAndWriteDoNotAllocate(t *testing.T) {
	a, b := pair(t)
	c, s := connect(t, a, b, "tcp", "10.8.0.2")
	go func() {
		buf := make([]byte, 64)
		for {
			n, err := s.Read(buf)
			if err != nil {
				return
			}
			if _, err := s.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 64)
	roundTrip := func() {
		_, err := c.Write(buf)
		if err == nil {
			_, err = io.ReadFull(c, buf)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		roundTrip()
	}
	runtime.GC()
	if n := testing.AllocsPerRun(2000, roundTrip); n >= 0.5 && !raceEnabled {
		t.Errorf("%v allocations for a round trip", n)
	}
	// Deadlines for each call, as servers set them, use the timers again.
	deadline := time.Now().Add(time.Hour)
	if n := testing.AllocsPerRun(1000, func() {
		c.SetReadDeadline(deadline)
		c.SetWriteDeadline(deadline)
		roundTrip()
	}); n >= 0.5 && !raceEnabled {
		t.Errorf("%v allocations for a round trip with deadlines", n)
	}
}

// A server shows the addresses that package net would.
func TestListenerAddresses(t *testing.T) {
	a, b := pair(t)
	for _, c := range []struct{ network, address, shows string }{
		{"tcp", ":81", "[::]:81"},
		{"tcp", "0.0.0.0:82", "[::]:82"},
		{"tcp", "[::]:83", "[::]:83"},
		{"tcp4", ":84", "0.0.0.0:84"},
		{"tcp6", ":85", "[::]:85"},
		{"tcp", "10.8.0.2:86", "10.8.0.2:86"},
		{"tcp", "[fd08::2]:http", "[fd08::2]:80"},
	} {
		l, err := b.Listen(c.network, c.address)
		require.NoError(t, err, c.address)
		require.Equal(t, c.shows, l.Addr().String())
		_, port, err := net.SplitHostPort(l.Addr().String())
		require.NoError(t, err)
		for _, to := range []string{"10.8.0.2", "fd08::2"} {
			isV4 := to == "10.8.0.2"
			wants := c.network == "tcp" && (c.shows[:4] == "[::]" || c.shows[:2] == "10" == isV4) ||
				c.network == "tcp4" && isV4 || c.network == "tcp6" && !isV4
			d, err := a.Dial("tcp", net.JoinHostPort(to, port))
			if !wants {
				require.ErrorIs(t, err, tcp.ErrRefused, "%v to %s", c, to)
				continue
			}
			require.NoError(t, err, "%v to %s", c, to)
			s, err := l.Accept()
			require.NoError(t, err)
			require.Equal(t, d.RemoteAddr().String(), s.LocalAddr().String())
			d.Close()
			s.Close()
		}
		require.NoError(t, l.Close())
	}
	l, err := b.Listen("tcp", ":0")
	require.NoError(t, err)
	require.NotZero(t, l.Addr().(*net.TCPAddr).Port)
}

// A new connection has package net's options, or the profile's.
func TestOptionsOfNewConnections(t *testing.T) {
	for _, profile := range []bool{false, true} {
		a, b := pair(t, func(c *native.Config) { c.ProfileOptions = profile })
		c, s := connect(t, a, b, "tcp", "10.8.0.2")
		for _, end := range []*native.Conn{c, s} {
			require.NoError(t, end.SetNoDelay(true))
			require.NoError(t, end.SetKeepAlive(false))
			require.NoError(t, end.SetKeepAlivePeriod(time.Minute))
			require.NoError(t, end.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: -1}))
			require.NoError(t, end.SetLinger(-1))
			require.NoError(t, end.SetUserTimeout(time.Minute))
			require.NoError(t, end.SetTOS(0x28))
			require.NoError(t, end.SetTTL(10))
			require.NoError(t, end.SetMaxPacingRate(1<<40))
			require.LessOrEqual(t, end.Info().PacingRate, uint64(1<<40))
			require.NoError(t, end.SetReadBuffer(1<<20))
			require.NoError(t, end.SetWriteBuffer(1<<20))
			require.Equal(t, tcp.Established, end.Info().State)
		}
		due := map[bool]time.Duration{false: time.Minute, true: time.Minute}[profile]
		for _, s := range connections(a) {
			require.InDelta(t, due.Seconds(), float64(s.Due)/1e9, 1, "keepalive is the next timer")
		}
	}
}

// Backlog is how many wait beyond the first.
func TestBacklog(t *testing.T) {
	a, b := pair(t)
	l, err := b.ListenWith(t.Context(), native.ListenConfig{Backlog: -1}, "tcp", ":80")
	require.NoError(t, err)
	first, err := a.Dial("tcp", "10.8.0.2:80")
	require.NoError(t, err)
	defer first.Close()
	d := native.Dialer{Host: a, Timeout: 30 * time.Millisecond}
	_, err = d.Dial("tcp", "10.8.0.2:80")
	require.Error(t, err, "the queue has room for one")
	s, err := l.Accept()
	require.NoError(t, err)
	s.Close()
	second, err := a.Dial("tcp", "10.8.0.2:80")
	require.NoError(t, err)
	second.Close()
}

// Writes of several goroutines are not mixed, and each may be cut off.
func TestWritesAreNotMixed(t *testing.T) {
	a, b := pair(t)
	c, s := connect(t, a, b, "tcp", "10.8.0.2")
	const size, writers = 300 << 10, 4
	var all sync.WaitGroup
	for i := range writers {
		all.Add(1)
		go func() {
			defer all.Done()
			piece := make([]byte, size)
			for j := range piece {
				piece[j] = byte('a' + i)
			}
			if _, err := c.Write(piece); err != nil {
				t.Error(err)
			}
		}()
	}
	go func() { all.Wait(); c.CloseWrite() }()
	got, err := io.ReadAll(s)
	require.NoError(t, err)
	require.Len(t, got, size*writers)
	for at := 0; at < len(got); at += size {
		piece := got[at : at+size]
		require.Equal(t, size, bytes.Count(piece, piece[:1]), "one writer's piece is whole")
	}
}

// Many goroutines use everything at once.
func TestEverythingAtOnce(t *testing.T) {
	a, b := pair(t)
	l, err := b.Listen("tcp", ":80")
	require.NoError(t, err)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	var all sync.WaitGroup
	for range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 20 {
				c, err := a.Dial("tcp", "10.8.0.2:80")
				if err != nil {
					t.Error(err)
					return
				}
				c.SetDeadline(time.Now().Add(10 * time.Second))
				go c.(*native.Conn).Info()
				go a.Status()
				go b.Stats()
				if _, err := c.Write(make([]byte, 5000)); err != nil {
					t.Error(err)
				}
				if err := c.(*native.Conn).CloseWrite(); err != nil {
					t.Error(err)
				}
				if n, err := io.Copy(io.Discard, c); n != 5000 || err != nil {
					t.Errorf("%d octets came back: %v", n, err)
				}
				go c.Close()
				c.Close()
			}
		}()
	}
	all.Wait()
	require.Eventually(t, func() bool { return len(alive(b)) == 0 }, 5*time.Second, time.Millisecond)
}

// alive is what is neither closed nor in TIME-WAIT.
func alive(h *native.Host) (all []core.Status) {
	for _, s := range connections(h) {
		if s.State != tcp.TimeWait {
			all = append(all, s)
		}
	}
	return all
}

// A peer that goes away with its host leaves a reset behind.
func TestHostClosesWhileTheOtherReads(t *testing.T) {
	x, y := native.NewPipe(packet.Link{MTU: 1500}, 64)
	a, b := newHost(t, x, aLocal), newHost(t, y, bLocal)
	c, _ := connect(t, a, b, "tcp", "10.8.0.2")
	got := make(chan error)
	go func() { _, err := c.Read(make([]byte, 1)); got <- err }()
	require.NoError(t, b.Close())
	require.ErrorIs(t, <-got, tcp.ErrReset)
}
