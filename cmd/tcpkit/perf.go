package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func newPerf(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "perf server|client",
		Short: "Measure throughput, in iperf3's protocol",
		Long: `Measure throughput. The protocol is iperf3's, so the other end can be iperf3
itself: run "iperf3 -s" and "tcpkit perf client ADDRESS", or "tcpkit perf server"
and "iperf3 -c ADDRESS". The port is 5201 unless given.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usagef("perf needs one of: server, client")
		},
	}
	cmd.AddCommand(newPerfServer(a), newPerfClient(a))
	return cmd
}

func newPerfServer(a *app) *cobra.Command {
	var tun tunFlags
	var interval float64
	var once bool
	cmd := &cobra.Command{
		Use:   "server [[HOST]:PORT]",
		Short: "Serve tests until stopped",
		Args:  cobra.MaximumNArgs(1),
		Example: `  tcpkit perf server
  iperf3 -c 10.77.0.2 -t 5        # in another terminal`,
		RunE: func(cmd *cobra.Command, args []string) error {
			addr := ":" + iperfPort
			if len(args) == 1 {
				addr = args[0]
			}
			host, port, err := splitListen(addr)
			if err != nil {
				return err
			}
			every, err := perfInterval(interval)
			if err != nil {
				return err
			}
			return a.withSession(cmd, &tun, func(s *session) error {
				l, err := s.listen(host, port, 128)
				if err != nil {
					return err
				}
				srv := iperfServer{every: every, report: func() *perfReport { return newPerfReport(a) }}
				return srv.serve(s.stop.soft, l, once, func(err error) {
					if err != nil {
						a.log.Warn("test ended", "why", err.Error())
					}
				})
			})
		},
	}
	tun.register(cmd)
	cmd.Flags().Float64VarP(&interval, "interval", "i", 1, "seconds between reports; 0: only the last")
	cmd.Flags().BoolVarP(&once, "one-off", "1", false, "serve one test and exit")
	return cmd
}

func newPerfClient(a *app) *cobra.Command {
	var tun tunFlags
	var interval float64
	var seconds, parallel int
	var amount, compare string
	var reverse bool
	cmd := &cobra.Command{
		Use:   "client HOST[:PORT]",
		Short: "Run one test against a server",
		Args:  cobra.ExactArgs(1),
		Example: `  iperf3 -s                       # in another terminal
  tcpkit perf client 10.77.0.1 -t 5 -P 4
  tcpkit perf client 10.77.0.1 -t 5 --compare cubic,newreno,aimd,bbr-lite --impair loss=1%,delay=20ms`,
		RunE: func(cmd *cobra.Command, args []string) error {
			host, port, err := splitTarget(args[0], iperfPort)
			if err != nil {
				return err
			}
			every, err := perfInterval(interval)
			if err != nil {
				return err
			}
			p := iperfParams{TCP: true, Time: seconds, Parallel: parallel, Len: iperfBlock, Reverse: reverse, Pacing: 1000, Client: "tcpkit"}
			switch {
			case amount != "" && cmd.Flags().Changed("time"):
				return usagef("-t and -n exclude each other: a test ends by time or by amount; leave one out")
			case amount != "":
				p.Time = 0
				if p.Num, err = parseSize(amount); err != nil || p.Num == 0 {
					return usagef("bad -n %s: give the octets to send, like 64M", amount)
				}
			case seconds < 1 || seconds > 86400:
				return usagef("bad -t %d: give seconds from 1 to 86400", seconds)
			}
			if parallel < 1 || parallel > iperfMaxStreams {
				return usagef("bad -P %d: give 1 to %d streams", parallel, iperfMaxStreams)
			}
			if compare != "" && reverse {
				return usagef("--compare and -R exclude each other: with -R the server sends, by its own congestion controller; leave one out")
			}
			if compare != "" {
				if tun.compare, err = parseControllers(compare); err != nil {
					return err
				}
			}
			return a.withSession(cmd, &tun, func(s *session) error {
				if compare != "" {
					return s.comparePerf(host, port, p, every)
				}
				dial := func(ctx context.Context) (net.Conn, error) { return s.dial(ctx, host, port) }
				return iperfClient(s.stop.soft, dial, p, every, newPerfReport(a))
			})
		},
	}
	tun.register(cmd)
	f := cmd.Flags()
	f.IntVarP(&seconds, "time", "t", 10, "seconds to run")
	f.StringVarP(&amount, "bytes", "n", "", "octets to send instead of a time, like 64M")
	f.IntVarP(&parallel, "parallel", "P", 1, "streams at once")
	f.BoolVarP(&reverse, "reverse", "R", false, "the server sends")
	f.Float64VarP(&interval, "interval", "i", 1, "seconds between reports; 0: only the last")
	f.StringVar(&compare, "compare", "", "one test after the other, each by another congestion controller of the `LIST`: "+
		strings.Join(defaultControllers, ",")+", or FILE.wasm[,KEY=VALUE]")
	return cmd
}

func perfInterval(seconds float64) (time.Duration, error) {
	if seconds != 0 && (seconds < 0.1 || seconds > 3600) {
		return 0, usagef("bad -i %v: give seconds from 0.1 to 3600, or 0 for no reports in between", seconds)
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// A perfSum is one line of the table and one object of the JSON, with iperf3's
// names.
type perfSum struct {
	Stream      int     `json:"stream,omitempty"`
	Start       float64 `json:"start"`
	End         float64 `json:"end"`
	Seconds     float64 `json:"seconds"`
	Bytes       int64   `json:"bytes"`
	BitsPerSec  float64 `json:"bits_per_second"`
	Retransmits *int64  `json:"retransmits,omitempty"`
}

func newPerfSum(id int, start, end float64, bytes int64) perfSum {
	s := perfSum{Stream: id, Start: start, End: end, Seconds: end - start, Bytes: bytes}
	if s.Seconds > 0 {
		s.BitsPerSec = float64(bytes) * 8 / s.Seconds
	}
	return s
}

type perfInterim struct {
	Streams []perfSum `json:"streams"`
	Sum     perfSum   `json:"sum"`
}

// A perfReport prints one test: lines as they come, or one JSON document.
type perfReport struct {
	out    io.Writer
	json   bool
	last   []int64
	lastAt float64
	Start  struct {
		Local    string `json:"local"`
		Remote   string `json:"remote"`
		Parallel int    `json:"num_streams"`
		Reverse  int    `json:"reverse"`
		Sending  bool   `json:"sending"`
	} `json:"start"`
	Intervals []perfInterim `json:"intervals"`
	End       struct {
		Sent     perfSum `json:"sum_sent"`
		Received perfSum `json:"sum_received"`
	} `json:"end"`
}

func newPerfReport(a *app) *perfReport { return &perfReport{out: a.out, json: a.json} }

func (r *perfReport) begin(t *iperfTest, ctl net.Conn) {
	r.last = make([]int64, len(t.streams))
	r.Start.Local, r.Start.Remote = ctl.LocalAddr().String(), ctl.RemoteAddr().String()
	r.Start.Parallel, r.Start.Sending = t.params.Parallel, t.sending
	if t.params.Reverse {
		r.Start.Reverse = 1
	}
	if !r.json {
		word := "receiving from"
		if t.sending {
			word = "sending to"
		}
		fmt.Fprintf(r.out, "%s %s %s, %d stream(s)\n", r.Start.Local, word, r.Start.Remote, len(t.streams))
		fmt.Fprintf(r.out, "%-5s %-15s %12s %14s\n", "ID", "Interval", "Transfer", "Bitrate")
	}
}

func (r *perfReport) interval(t *iperfTest) {
	now := time.Since(t.began).Seconds()
	var in perfInterim
	var sum int64
	for i, s := range t.streams {
		n := s.bytes.Load()
		in.Streams = append(in.Streams, newPerfSum(s.id, r.lastAt, now, n-r.last[i]))
		sum += n - r.last[i]
		r.last[i] = n
	}
	in.Sum = newPerfSum(0, r.lastAt, now, sum)
	r.lastAt = now
	r.Intervals = append(r.Intervals, in)
	if r.json {
		return
	}
	if len(in.Streams) > 1 {
		for _, s := range in.Streams {
			r.line(fmt.Sprint(s.Stream), s, "")
		}
	}
	r.line("sum", in.Sum, "")
}

func (r *perfReport) end(t *iperfTest, span time.Duration, ours, theirs iperfResults) {
	total := func(res iperfResults) (s perfSum) {
		var bytes, again int64
		for _, one := range res.Streams {
			bytes += int64(one.Bytes)
			again += int64(one.Retransmits)
		}
		s = newPerfSum(0, 0, span.Seconds(), bytes)
		if res.HasRetransmits == 1 {
			s.Retransmits = &again
		}
		return s
	}
	r.End.Sent, r.End.Received = total(ours), total(theirs)
	if !t.sending {
		r.End.Sent, r.End.Received = r.End.Received, r.End.Sent
	}
	if r.json {
		json.NewEncoder(r.out).Encode(r)
		return
	}
	r.line("sum", r.End.Sent, "sender")
	r.line("sum", r.End.Received, "receiver")
}

func (r *perfReport) line(id string, s perfSum, role string) {
	again := ""
	if s.Retransmits != nil {
		again = fmt.Sprintf("  %d retransmitted", *s.Retransmits)
	}
	fmt.Fprintf(r.out, "%-5s %5.1f-%-5.1f sec %12s %9.3f Gbit/s  %s%s\n", id, s.Start, s.End, formatSize(s.Bytes), s.BitsPerSec/1e9, role, again)
}
