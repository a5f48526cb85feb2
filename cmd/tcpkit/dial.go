package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
)

func newDial(a *app) *cobra.Command {
	var tun tunFlags
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "dial HOST:PORT",
		Short: "Connect: stdin and stdout",
		Long: `Connect from tcpkit's side of a TUN. Stdin is sent, what comes goes to stdout.
The end of stdin sends a FIN and reading goes on; the command ends when both
sides have sent theirs.

Ctrl-C once closes the connection with FIN, twice resets it.`,
		Example: `  python3 -m http.server 8000     # in another terminal
  printf 'GET / HTTP/1.0\r\n\r\n' | tcpkit dial 10.77.0.1:8000`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			host, port, err := splitTarget(args[0], "")
			if err != nil {
				return err
			}
			if timeout < 0 {
				return usagef("bad --timeout %v: give a time like 5s, or 0 for the engine's own limit", timeout)
			}
			return a.withSession(cmd, &tun, func(s *session) error {
				ctx := s.stop.soft
				if timeout > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, timeout)
					defer cancel()
				}
				c, err := s.dial(ctx, host, port)
				if err != nil {
					return err
				}
				a.log.Debug("connected", "local", c.LocalAddr().String(), "remote", c.RemoteAddr().String())
				err = relay(s.stop.soft, c, newStdinPump(a.in), a.out, false)
				if errors.Is(err, errStdout) {
					reset(c)
					return err
				}
				c.Close()
				return err
			})
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "give up connecting after `TIME` (0: as long as SYN retries go on)")
	tun.register(cmd)
	return cmd
}
