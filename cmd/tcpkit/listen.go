package main

import (
	"errors"
	"net"
	"os"

	"github.com/spf13/cobra"
)

func newListen(a *app) *cobra.Command {
	var tun tunFlags
	var echo, discard, chargen, keep bool
	var httpDir, proxy string
	var backlog int
	cmd := &cobra.Command{
		Use:   "listen [HOST]:PORT",
		Short: "Accept connections: stdin and stdout, or a service",
		Long: `Accept connections on tcpkit's side of a TUN. Without a service the first one is
joined to stdin and stdout: the end of stdin sends a FIN, and the command ends
when both sides have sent theirs; -k then waits for the next one. A service
(--echo, --discard, --chargen, --http, --proxy) serves until it is stopped.

Ctrl-C once closes all connections with FIN, twice resets them.`,
		Example: `  tcpkit listen :7 --echo
  tcpkit listen :80 --http ./public     # curl http://10.77.0.2/
  tcpkit listen :22 --proxy 127.0.0.1:22`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			host, port, err := splitListen(args[0])
			if err != nil {
				return err
			}
			var chosen []string
			for _, name := range []string{"echo", "discard", "chargen", "http", "proxy"} {
				if cmd.Flags().Changed(name) {
					chosen = append(chosen, "--"+name)
				}
			}
			if len(chosen) > 1 {
				return usagef("%s and %s exclude each other: one listener has one service; leave all but one out", chosen[0], chosen[1])
			}
			if httpDir != "" {
				if st, err := os.Stat(httpDir); err != nil {
					return usagef("bad --http: %v; give a folder whose files are to be served", err)
				} else if !st.IsDir() {
					return usagef("bad --http %s: it is not a folder; give one whose files are to be served", httpDir)
				}
			} else if cmd.Flags().Changed("http") {
				return usagef("bad --http: no folder given")
			}
			if cmd.Flags().Changed("proxy") {
				if _, _, err := splitTarget(proxy, ""); err != nil {
					return err
				}
			}
			if backlog < 1 || backlog > 65535 {
				return usagef("bad --backlog %d: give 1 to 65535 connections", backlog)
			}
			return a.withSession(cmd, &tun, func(s *session) error {
				l, err := s.listen(host, port, backlog)
				if err != nil {
					return err
				}
				ctx := s.stop.soft
				switch {
				case echo:
					return serve(ctx, l, a.log, echoService)
				case discard:
					return serve(ctx, l, a.log, discardService)
				case chargen:
					return serve(ctx, l, a.log, chargenService)
				case proxy != "":
					return serve(ctx, l, a.log, proxyService(proxy, a.log))
				case httpDir != "":
					return serveHTTP(ctx, l, a.log, httpDir)
				}
				return listenStdio(s, l, keep)
			})
		},
	}
	f := cmd.Flags()
	f.BoolVar(&echo, "echo", false, "send back what comes (RFC 862)")
	f.BoolVar(&discard, "discard", false, "read and forget (RFC 863)")
	f.BoolVar(&chargen, "chargen", false, "send characters without end (RFC 864)")
	f.StringVar(&httpDir, "http", "", "serve the files of folder `DIR` over HTTP")
	f.StringVar(&proxy, "proxy", "", "forward each connection to `HOST:PORT` through the kernel's TCP")
	f.BoolVarP(&keep, "keep-open", "k", false, "stdin/stdout: after one connection wait for the next")
	f.IntVar(&backlog, "backlog", 128, "connections that may wait to be accepted")
	tun.register(cmd)
	return cmd
}

// listenStdio joins one connection, or with keep one after the other, to stdin
// and stdout.
func listenStdio(s *session, l net.Listener, keep bool) error {
	in := newStdinPump(s.app.in)
	for {
		nc, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		if !keep {
			l.Close()
		}
		c := nc.(halfCloser)
		s.app.log.Debug("accepted", "from", c.RemoteAddr().String())
		err = relay(s.stop.soft, c, in, s.app.out, keep)
		if errors.Is(err, errStdout) {
			reset(c)
			return err
		}
		c.Close()
		if !keep {
			return err
		}
		if err != nil {
			s.app.log.Warn("connection ended", "from", c.RemoteAddr().String(), "why", err.Error())
		}
	}
}
