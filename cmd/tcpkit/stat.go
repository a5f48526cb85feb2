package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpkit/tcpkit/core/tcp"
)

func newStat(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "stat [PID]",
		Short: "Show the connections of running instances",
		Long: `Show the connections of your running tcpkit commands, or of the one with the
given PID: state, time to the next timer, round-trip time, retransmission
timeout, congestion window and windows. Sizes are in octets.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			pid := 0
			if len(args) == 1 {
				n, err := strconv.Atoi(args[0])
				if err != nil || n < 1 {
					return usagef("bad PID %q: give the number of a running tcpkit, or nothing for all", args[0])
				}
				pid = n
			}
			all, err := askInstances(pid)
			if err != nil {
				return fmt.Errorf("stat: %w", err)
			}
			if pid != 0 && len(all) == 0 {
				return fmt.Errorf("stat: no tcpkit of yours with PID %d runs here; \"tcpkit stat\" shows all", pid)
			}
			if a.json {
				if all == nil {
					all = []instance{}
				}
				return json.NewEncoder(a.out).Encode(all)
			}
			if len(all) == 0 {
				a.log.Info("no tcpkit of yours runs here")
				return nil
			}
			return printInstances(a.out, all)
		},
	}
}

func printInstances(w io.Writer, all []instance) error {
	for i, in := range all {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s (PID %d) on %s, MTU %d, %s to %s, profile %s, for %v\n", in.Command, in.PID, in.TUN, in.MTU,
			strings.Join(in.Local, " "), strings.Join(in.Peer, " "), in.Profile, time.Since(in.Since).Round(time.Second))
		t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		fmt.Fprintln(t, "ID\tLOCAL\tREMOTE\tSTATE\tRTT ms\tRTO ms\tCWND\tSND.WND\tRCV.WND\tIN FLIGHT\tRETRANS\tTIMERS")
		for _, c := range in.Connections {
			if c.State == tcp.Listen.String() {
				fmt.Fprintf(t, "-\t%s\t%s\t%s\t%d of %d wait, %d half open\n", c.Local, c.Remote, c.State, c.Waiting, c.Backlog, c.HalfOpen)
				continue
			}
			fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%.3f\t%.0f\t%d\t%d\t%d\t%d\t%d\t%s\n", c.ID, c.Local, c.Remote, c.State,
				c.RTT, c.RTO, c.Cwnd, c.SendWindow, c.RecvWindow, c.InFlight, c.Again, timersText(c.Timers))
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// timersText is how long each timer that runs has left, the next one first.
func timersText(timers []timer) string {
	if len(timers) == 0 {
		return "-"
	}
	var parts []string
	for _, t := range timers {
		left := time.Duration(t.Left * float64(time.Millisecond)).Round(time.Millisecond)
		parts = append(parts, t.Name+" "+left.String())
	}
	return strings.Join(parts, ", ")
}
