package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/wire"
)

// FuzzSet gives --set any text. What it takes must be numbers that a stack either
// refuses or can work with: a connection whose peer falls silent after its SYN goes
// on from timer to timer.
//
// Proves: S37, H06
func FuzzSet(f *testing.F) {
	for _, kv := range []string{"rto-min=50ms", "RTOMin=1s", "controller=newreno", "max-conns=10k", "nagle=false", "syn-retries=255", "=", "ttl=0", "isn-tick=0s", "r2=1.5"} {
		f.Add(kv)
	}
	for _, k := range configKeys(&core.Config{}) {
		for _, value := range []string{"0", "1", "true", "0s", "1ns", "2540400h", "255", "65535", "4294967295", "8E"} {
			f.Add(k.key + "=" + value)
		}
	}
	f.Fuzz(func(t *testing.T, kv string) {
		cfg, err := core.Profile("")
		require.NoError(t, err)
		if err := setConfig(&cfg, kv); err != nil {
			require.Equal(t, exitUsage, codeOf(err), "%v", err)
			return
		}
		s, err := core.New(cfg, packet.Link{MTU: 1500})
		if err != nil {
			return
		}
		us, them := wire.AddrFrom4([4]byte{192, 0, 2, 1}), wire.AddrFrom4([4]byte{192, 0, 2, 2})
		require.NoError(t, s.AddAddr(wire.Prefix{Addr: us, Bits: 24}))
		now := clock.Instant(clock.Second)
		c, err := s.Dial(now, wire.AddrPort{}, wire.AddrPort{Addr: them, Port: 80}, nil)
		if err != nil {
			return
		}
		var p packet.Packet
		require.True(t, s.Output(now, &p), "the SYN")
		s.Input(now, synAck(p.Bytes))
		_, _ = c.Write(now, make([]byte, 5000))
		for range 100 {
			for n := 0; s.Output(now, &p); n++ {
				require.Less(t, n, 5000, "packets without end at one instant")
			}
			at := s.Deadline()
			if at == clock.Never {
				break
			}
			now = max(now, at)
			s.Expire(now)
		}
	})
}

// synAck answers a SYN.
func synAck(syn []byte) *packet.Packet {
	var ip wire.IP
	var s wire.TCP
	wire.ParseIP(syn, &ip)
	wire.ParseTCP(syn[ip.HeaderLen:], &s)
	ip.Src, ip.Dst = ip.Dst, ip.Src
	b := wire.AppendIP(nil, &ip, wire.TCPHeaderLen)
	b = wire.AppendTCP(b, &wire.TCP{
		SrcPort: s.DstPort, DstPort: s.SrcPort, Seq: 1, Ack: s.Seq.Add(1), Flags: wire.SYN | wire.ACK, Window: 65535,
	})
	wire.FinishTCP(b, &ip, wire.IPv4HeaderLen, false)
	return &packet.Packet{Bytes: b}
}

// FuzzSize: a size is written in a way that is read again.
//
// Proves: S37
func FuzzSize(f *testing.F) {
	for _, s := range []string{"0", "12", "1.5k", "64M", "2GiB", "9e18", "nan", "-1", "1kk", "0x10"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := parseSize(s)
		if err != nil {
			return
		}
		require.GreaterOrEqual(t, n, int64(0))
		again, err := parseSize(strings.ReplaceAll(formatSize(n), " ", ""))
		require.NoError(t, err)
		require.InDelta(t, n, again, 0.01*float64(n)+1)
	})
}

// FuzzTarget: an address that is taken has a host and a port that there can be.
//
// Proves: S37
func FuzzTarget(f *testing.F) {
	for _, s := range []string{"10.0.0.1:80", "[::1]:443", "host", "::1", ":80", "a:b:c", "host:65536", "[::1"} {
		f.Add(s, "5201")
		f.Add(s, "")
	}
	f.Fuzz(func(t *testing.T, s, fallback string) {
		host, port, err := splitTarget(s, fallback)
		if err == nil {
			require.NotEmpty(t, host)
			require.NotZero(t, mustPort(port))
		}
	})
}

// A said is a connection whose other end has said all that it will.
type said struct {
	net.Conn
	r io.Reader
	w bytes.Buffer
}

func (s *said) Read(b []byte) (int, error)       { return s.r.Read(b) }
func (s *said) Write(b []byte) (int, error)      { return s.w.Write(b) }
func (s *said) Close() error                     { return nil }
func (s *said) SetReadDeadline(time.Time) error  { return nil }
func (s *said) SetWriteDeadline(time.Time) error { return nil }

// FuzzIperfControl gives a server anything on the control connection, and a client
// anything for results: an error or a test, no panic, and no memory that the other
// side has only announced.
//
// Proves: S37
func FuzzIperfControl(f *testing.F) {
	add := func(texts ...string) {
		var b []byte
		for _, text := range texts {
			b = append(append(b, 0, 0, byte(len(text)>>8), byte(len(text))), text...)
		}
		f.Add(b)
	}
	add(`{"tcp":true,"omit":0,"time":10,"num":0,"blockcount":0,"parallel":1,"len":131072,"pacing_timer":1000,"client_version":"3.12"}`,
		`{"cpu_util_total":1.5,"sender_has_retransmits":18446744073709551615,"streams":[{"id":1,"bytes":1048576,"retransmits":-1,"jitter":0,"errors":0,"packets":0,"start_time":0,"end_time":1}]}`)
	add(`{"parallel":-1,"len":-5,"blockcount":9223372036854775807}`, `{"streams":null}`)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		stopped, stop := context.WithCancel(context.Background())
		stop() // data connections do not come
		s := iperfServer{report: func() *perfReport { return &perfReport{out: io.Discard} }}
		require.Error(t, s.test(stopped, iperfControl{&said{r: bytes.NewReader(b)}}, nil))

		ctl := iperfControl{&said{r: bytes.NewReader(b)}}
		var p iperfParams
		var res iperfResults
		if ctl.readJSON(&p) == nil && ctl.readJSON(&res) == nil {
			for _, sending := range []bool{false, true} {
				rep := &perfReport{out: io.Discard, json: !sending}
				rep.end(newIperfTest(p, sending), time.Second, iperfResults{}, res)
			}
		}
	})
}

// FuzzControl gives stat any answer of a control socket.
//
// Proves: S37
func FuzzControl(f *testing.F) {
	full, err := json.Marshal(instance{
		PID: 7, Command: "listen", TUN: "tun0", MTU: 1500, Local: []string{"10.0.0.1/24"}, Peer: []string{"10.0.0.2"}, Profile: "linux",
		Connections: []connection{{State: "LISTEN", Backlog: 3}, {ID: 1, State: "ESTABLISHED", Timers: []timer{{"retransmit", 1.5}}, RTT: 0.1}},
		Counters:    map[string]uint64{"drop-sequence": 3},
	})
	require.NoError(f, err)
	f.Add(full)
	f.Add([]byte(`{"connections":[{"timers":[{"left_ms":1e300}]}],"since":"0001-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var in instance
		if json.NewDecoder(bytes.NewReader(b)).Decode(&in) == nil {
			require.NoError(t, printInstances(io.Discard, []instance{in, in}))
		}
	})
}
