package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// A halfCloser is a connection whose sending side closes alone, with a FIN.
type halfCloser interface {
	net.Conn
	CloseWrite() error
}

// A stdinPump reads stdin once for a whole process, so that a `listen -k` can
// hand what comes to one connection after the other: a blocked read of stdin
// can't be taken back from a connection that has gone.
type stdinPump struct {
	in     io.Reader
	once   sync.Once
	chunks chan []byte
	free   chan []byte
	rest   []byte // what the last reader left of a chunk
	whole  []byte // that chunk, to be given back
	err    error  // why chunks was closed; nil is end of file
}

func newStdinPump(in io.Reader) *stdinPump {
	p := &stdinPump{in: in, chunks: make(chan []byte), free: make(chan []byte, 2)}
	for range cap(p.free) {
		p.free <- make([]byte, 64<<10)
	}
	return p
}

func (p *stdinPump) pump() {
	defer close(p.chunks)
	for {
		b := (<-p.free)
		n, err := p.in.Read(b[:cap(b)])
		if n > 0 {
			p.chunks <- b[:n]
		} else {
			p.free <- b
		}
		if err != nil {
			if err != io.EOF {
				p.err = fmt.Errorf("read stdin: %w", err)
			}
			return
		}
	}
}

// read is like io.Reader's Read, until ctx ends. One reader at a time.
func (p *stdinPump) read(ctx context.Context) ([]byte, error) {
	p.once.Do(func() { go p.pump() })
	if p.whole != nil && len(p.rest) == 0 {
		p.free <- p.whole
		p.whole = nil
	}
	if len(p.rest) > 0 {
		return p.rest, nil
	}
	select {
	case b, ok := <-p.chunks:
		if !ok {
			if p.err != nil {
				return nil, p.err
			}
			return nil, io.EOF
		}
		p.whole, p.rest = b, b
		return b, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// took says that the first n octets of what read gave are used up.
func (p *stdinPump) took(n int) { p.rest = p.rest[n:] }

// relay joins a connection to stdin and stdout. The end of stdin sends a FIN
// and reading goes on; relay returns when both sides have sent theirs. With
// oneSided the peer's FIN is answered with ours at once, stdin or not. When
// soft ends, the FIN is sent as if stdin had ended.
func relay(soft context.Context, c halfCloser, in *stdinPump, out io.Writer, oneSided bool) error {
	ctx, stopSending := context.WithCancelCause(soft)
	defer stopSending(nil)
	sent := make(chan error, 1)
	go func() {
		sent <- func() error {
			for {
				b, err := in.read(ctx)
				if errors.Is(context.Cause(ctx), errAbandoned) {
					return nil // no FIN: what follows is a reset
				}
				if err != nil {
					closeErr := c.CloseWrite()
					if err == io.EOF || ctx.Err() != nil {
						return ignoreEnded(closeErr)
					}
					return err
				}
				n, err := c.Write(b)
				in.took(n)
				if err != nil {
					return err
				}
			}
		}()
	}()
	received := make(chan error, 1)
	go func() {
		_, err := io.Copy(stdoutWriter{out}, plainReader{c})
		received <- err
	}()
	if err := <-received; err != nil {
		// A reset, or nowhere to put what comes: the sender has no reason left.
		// The pump takes one reader at a time, so it is waited for.
		stopSending(errAbandoned)
		c.SetWriteDeadline(time.Unix(1, 0))
		<-sent
		return err
	}
	if oneSided {
		stopSending(nil)
	}
	if err := <-sent; err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

var errAbandoned = errors.New("abandoned")

// ignoreEnded drops the error of a CloseWrite on a connection that has ended
// by itself: its other direction tells why, if there is a why.
func ignoreEnded(err error) error {
	var op *net.OpError
	if errors.Is(err, net.ErrClosed) || errors.As(err, &op) {
		return nil
	}
	return err
}

// plainReader hides a connection's WriteTo, so that io.Copy's errors say which
// side they come from.
type plainReader struct{ io.Reader }

// A stdoutWriter marks the errors of stdout.
type stdoutWriter struct{ io.Writer }

func (w stdoutWriter) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	if err != nil {
		err = fmt.Errorf("%w: %w", errStdout, err)
	}
	return n, err
}
