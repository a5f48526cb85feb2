package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// A service is what listen does with each connection. It returns when the
// conversation is over; the caller closes the connection.
type service func(ctx context.Context, c halfCloser) error

// echoService sends back what comes.
func echoService(_ context.Context, c halfCloser) error {
	_, err := io.Copy(plainWriter{c}, plainReader{c})
	return drainAfter(c, err)
}

// discardService reads and forgets (RFC 863).
func discardService(_ context.Context, c halfCloser) error {
	_, err := io.Copy(io.Discard, plainReader{c})
	return err
}

// chargenService sends lines of 72 characters out of a ring of 95, each line
// beginning one further, until the peer has enough (RFC 864).
func chargenService(_ context.Context, c halfCloser) error {
	buf := chargenBlock()
	go func() { // what the peer says is thrown away, until it says goodbye
		io.Copy(io.Discard, plainReader{c})
		c.CloseWrite()
	}()
	for {
		if _, err := c.Write(buf); err != nil {
			return nil // the only way a chargen ends
		}
	}
}

// chargenBlock is one full turn of the ring: 95 lines.
func chargenBlock() []byte {
	const first, count, width = ' ', 95, 72
	var b []byte
	for line := range count {
		for i := range width {
			b = append(b, first+byte((line+i)%count))
		}
		b = append(b, '\r', '\n')
	}
	return b
}

// proxyService forwards each connection to a kernel socket's peer. A FIN goes
// through alone and a reset goes through as one, both ways.
func proxyService(target string, log *slog.Logger) service {
	var d net.Dialer
	return func(ctx context.Context, c halfCloser) error {
		up, err := d.DialContext(ctx, "tcp", target)
		if err != nil {
			reset(c)
			return fmt.Errorf("proxy %s to %s: %w", c.RemoteAddr(), target, err)
		}
		defer up.Close()
		log.Debug("proxy", "from", c.RemoteAddr().String(), "to", target)
		return splice(c, up.(*net.TCPConn))
	}
}

// splice copies both ways until both directions have ended.
func splice(a, b halfCloser) error {
	one := func(dst, src halfCloser) error {
		buf := make([]byte, 64<<10)
		_, err := io.CopyBuffer(plainWriter{dst}, plainReader{src}, buf)
		if err == nil {
			return ignoreEnded(dst.CloseWrite())
		}
		if errors.Is(err, os.ErrClosed) || errors.Is(err, net.ErrClosed) {
			return nil
		}
		// Either end died: so does the other.
		reset(a)
		reset(b)
		return err
	}
	back := make(chan error, 1)
	go func() { back <- one(a, b) }()
	err := one(b, a)
	return errors.Join(err, <-back)
}

// plainWriter hides a connection's ReadFrom.
type plainWriter struct{ io.Writer }

// drainAfter is for a service that could not write on: after our FIN (the
// command was told to stop) the rest of what the peer sends is read and
// forgotten, so that the end is a FIN and no reset.
func drainAfter(c net.Conn, err error) error {
	if err == nil {
		return nil
	}
	if _, rest := io.Copy(io.Discard, plainReader{c}); rest == nil {
		return nil
	}
	return err
}

// reset ends a connection with RST where it can.
func reset(c net.Conn) {
	if l, ok := c.(interface{ SetLinger(int) error }); ok {
		l.SetLinger(0)
	}
	c.Close()
}

// serve accepts until l is closed and gives each connection to f in a goroutine
// of its own; it returns when all have ended.
func serve(ctx context.Context, l net.Listener, log *slog.Logger, f service) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		nc, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("accept: %w", err)
		}
		c := nc.(halfCloser)
		wg.Go(func() {
			defer c.Close()
			log.Debug("accepted", "from", c.RemoteAddr().String())
			if err := f(ctx, c); err != nil {
				log.Warn("connection ended", "from", c.RemoteAddr().String(), "why", err.Error())
			}
		})
	}
}

// serveHTTP serves the files under dir. os.Root holds it there: neither ".."
// nor a symbolic link leads out.
func serveHTTP(ctx context.Context, l net.Listener, log *slog.Logger, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("--http %s: %w", dir, err)
	}
	defer root.Close()
	files := http.FileServerFS(root.FS())
	srv := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			log.Debug("http", "from", r.RemoteAddr, "method", r.Method, "path", r.URL.Path, "range", r.Header.Get("Range"))
			files.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	select {
	case err := <-done:
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		return fmt.Errorf("serve http: %w", err)
	case <-ctx.Done():
	}
	// Idle connections are closed, those in use finish; the session bounds how long.
	if err := srv.Shutdown(context.Background()); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("stop http: %w", err)
	}
	return nil
}

// splitListen reads [HOST]:PORT as listen takes it; a bare PORT is taken too.
func splitListen(s string) (host, port string, err error) {
	if !strings.Contains(s, ":") {
		s = ":" + s
	}
	host, port, err = net.SplitHostPort(s)
	if err != nil {
		return "", "", usagef("bad address %q: %v; give [HOST]:PORT, an IPv6 host in brackets", s, err)
	}
	return host, port, checkPort(port, s)
}
