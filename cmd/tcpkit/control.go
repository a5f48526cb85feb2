package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// The control socket: every running command on a TUN answers at PID.sock in a
// folder of its user's, and `tcpkit stat` asks there. Who connects gets one
// JSON document and the end of the stream; nothing is read, so that there is
// nothing to attack but the reading.

// An instance is one running command as stat sees it.
type instance struct {
	PID         int               `json:"pid"`
	Command     string            `json:"command"`
	TUN         string            `json:"tun"`
	MTU         int               `json:"mtu"`
	Local       []string          `json:"local"`
	Peer        []string          `json:"peer"`
	Profile     string            `json:"profile"`
	Since       time.Time         `json:"since"`
	Connections []connection      `json:"connections"`
	Counters    map[string]uint64 `json:"counters"` // those that are not zero
}

// A connection is one row of stat's table. Times are in milliseconds.
type connection struct {
	ID         uint32  `json:"id"`
	Local      string  `json:"local"`
	Remote     string  `json:"remote"`
	State      string  `json:"state"`
	Timers     []timer `json:"timers,omitempty"`    // the next one first
	Waiting    int     `json:"waiting,omitempty"`   // a listener: for Accept
	HalfOpen   int     `json:"half_open,omitempty"` // a listener: in SYN-RECEIVED
	Backlog    int     `json:"backlog,omitempty"`   // a listener
	Memory     int     `json:"memory"`              // octets of buffers
	RTT        float64 `json:"rtt_ms"`
	RTTVar     float64 `json:"rttvar_ms"`
	RTO        float64 `json:"rto_ms"`
	Cwnd       uint32  `json:"cwnd"` // octets
	Ssthresh   uint32  `json:"ssthresh"`
	SendWindow uint32  `json:"send_window"`
	RecvWindow uint32  `json:"receive_window"`
	InFlight   uint32  `json:"in_flight"`
	Unsent     uint32  `json:"unsent"`
	BytesSent  uint64  `json:"bytes_sent"`
	BytesRecv  uint64  `json:"bytes_received"`
	Again      uint32  `json:"retransmits"`
	Controller string  `json:"controller,omitempty"`
}

// A timer is one that runs.
type timer struct {
	Name string  `json:"name"`
	Left float64 `json:"left_ms"`
}

// describeCounters lists the counters that are not zero, those of drops by the
// names of their reasons.
func describeCounters(st *core.Stats) map[string]uint64 {
	counters := make(map[string]uint64)
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		for i := range v.NumField() {
			f := v.Field(i)
			switch {
			case f.Kind() == reflect.Struct:
				walk(f)
			case f.Kind() == reflect.Uint64 && f.Uint() > 0:
				counters[kebab(v.Type().Field(i).Name)] = f.Uint()
			}
		}
	}
	walk(reflect.ValueOf(st).Elem())
	for why, n := range st.Drops {
		if n > 0 {
			counters["drop-"+rule.Drop(why).String()] = n
		}
	}
	return counters
}

// describeConnection is a row for a listener, a connection, or what is left of
// one in TIME-WAIT.
func describeConnection(st *core.Status) connection {
	i := &st.Info
	ms := func(us uint32) float64 { return float64(us) / 1e3 }
	c := connection{
		ID: st.ID, Local: st.Local.String(), Remote: st.Remote.String(), State: st.State.String(),
		Waiting: st.Waiting, HalfOpen: st.HalfOpen, Backlog: st.Backlog, Memory: st.Memory,
		RTT: ms(i.RTT), RTTVar: ms(i.RTTVar), RTO: ms(i.RTO), Cwnd: i.Cwnd, Ssthresh: i.Ssthresh,
		SendWindow: i.SndWnd, RecvWindow: i.RcvWnd, InFlight: i.InFlight, Unsent: i.NotsentBytes,
		BytesSent: i.BytesSent, BytesRecv: i.BytesReceived, Again: i.TotalRetrans, Controller: i.Congestion,
	}
	if st.State == tcp.Listen {
		c.Remote = "*"
	}
	for slot, left := range st.Timers {
		if left >= 0 {
			c.Timers = append(c.Timers, timer{tcp.TimerName(uint8(slot)), float64(left) / float64(clock.Millisecond)})
		}
	}
	slices.SortStableFunc(c.Timers, func(x, y timer) int { return cmp.Compare(x.Left, y.Left) })
	return c
}

// runtimeDir is the folder of the control sockets. It is made when it is not
// there, and refused when somebody else could write to it.
func runtimeDir() (string, error) {
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir != "" {
		dir = filepath.Join(dir, "tcpkit")
	} else {
		dir = filepath.Join(os.TempDir(), "tcpkit-"+strconv.Itoa(os.Getuid()))
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	st, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if !st.IsDir() || !ownedByUs(st) || st.Mode().Perm()&0o022 != 0 {
		return "", fmt.Errorf("%s is not a folder that only you can write to; remove it", dir)
	}
	return dir, nil
}

// A controlServer answers stat.
type controlServer struct {
	l    net.Listener
	path string
	wg   sync.WaitGroup
}

// serveControl begins to answer with what describe gives.
func serveControl(describe func() instance, log *slog.Logger) (*controlServer, error) {
	dir, err := runtimeDir()
	if err != nil {
		return nil, err
	}
	s := &controlServer{path: filepath.Join(dir, strconv.Itoa(os.Getpid())+".sock")}
	os.Remove(s.path) // of a process that had our number and was killed
	if s.l, err = net.Listen("unix", s.path); err != nil {
		return nil, err
	}
	if err := os.Chmod(s.path, 0o600); err != nil {
		s.l.Close()
		return nil, err
	}
	s.wg.Go(func() {
		for {
			c, err := s.l.Accept()
			if err != nil {
				return
			}
			c.SetDeadline(time.Now().Add(5 * time.Second))
			if err := json.NewEncoder(c).Encode(describe()); err != nil {
				log.Debug("stat", "why", err.Error())
			}
			c.Close()
		}
	})
	return s, nil
}

func (s *controlServer) close() {
	s.l.Close() // removes the socket too
	s.wg.Wait()
}

// askInstances asks every running instance, or the one with the pid, and
// removes the sockets of those that are no more.
func askInstances(pid int) ([]instance, error) {
	dir, err := runtimeDir()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []instance
	for _, e := range entries {
		n, err := strconv.Atoi(strings.TrimSuffix(e.Name(), ".sock"))
		if err != nil || pid != 0 && n != pid {
			continue
		}
		path := filepath.Join(dir, e.Name())
		in, err := askInstance(path)
		switch {
		case errors.Is(err, syscall.ECONNREFUSED):
			os.Remove(path)
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("ask instance %d: %w", n, err)
		default:
			all = append(all, in)
		}
	}
	return all, nil
}

func askInstance(path string) (in instance, err error) {
	c, err := net.DialTimeout("unix", path, 5*time.Second)
	if err != nil {
		return in, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	return in, json.NewDecoder(c).Decode(&in)
}
