package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/pcapng"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/plugins"
)

// A capture is the -w file: a native.Tap that turns each packet into a block of
// pcapng with a comment made of the packet's events. The tap runs under the
// stack's lock, so it only appends to memory; a goroutine writes. A disk that is
// full or slow costs the capture and never a connection.
type capture struct {
	file  *os.File
	log   *slog.Logger
	limit int64 // octets of file; 0: none

	mu      sync.Mutex
	wake    sync.Cond
	writer  pcapng.Writer
	began   bool
	pending []byte
	spare   []byte
	size    int64 // of the file and what is pending
	dropped uint64
	ended   error // why nothing is taken any more
	closing bool
	done    chan struct{}

	carry   []event.Event // that came without a packet
	comment strings.Builder
	plugins []string // their names, by index
}

const (
	captureBacklog = 64 << 20        // octets that may wait for the disk
	captureWait    = 5 * time.Second // for the disk, once the command is over
)

var errCaptureFull = errors.New("size reached")

// openCapture makes the file. Only its owner may read it: it holds everything
// that was said.
func openCapture(path, tun string, limit int64, log *slog.Logger) (*capture, error) {
	// Non-blocking is for FIFOs: one without a reader is refused, and one whose
	// reader sleeps can be closed.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NONBLOCK, 0o600)
	if errors.Is(err, syscall.ENXIO) {
		return nil, fmt.Errorf("-w: %w; start the reader of the FIFO first", err)
	}
	if err != nil {
		return nil, fmt.Errorf("-w: %w; name a file that can be made", err)
	}
	if st, err := f.Stat(); err == nil && st.Mode().IsRegular() {
		if err := f.Chmod(0o600); err != nil { // it may have been there before
			log.Warn("the capture may be read by others", "file", path, "why", err.Error())
		}
	}
	c := &capture{
		file: f, log: log, limit: limit, done: make(chan struct{}), carry: make([]event.Event, 0, 64),
		writer: pcapng.Writer{Application: "tcpkit " + readVersion().Version, Interface: tun, Description: "tcpkit's side of a TUN"},
	}
	c.wake.L = &c.mu
	c.pending = c.writer.AppendHeader(c.pending)
	c.size = int64(len(c.pending))
	go c.run()
	return c, nil
}

// namePlugins tells what the plugins are called that events speak of.
func (c *capture) namePlugins(names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plugins = names
}

// Packet takes one packet; see native.Tap.
func (c *capture) Packet(now clock.Instant, dir packet.Direction, ip []byte, events []event.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil || c.closing {
		return
	}
	if ip == nil { // what no packet caused or carried stands with the next one
		if len(c.carry) < cap(c.carry) {
			c.carry = append(c.carry, events...)
		}
		return
	}
	before := len(c.pending)
	if !c.began {
		c.began = true
		c.writer.Epoch = clock.Duration(time.Now().UnixNano() - int64(now))
	}
	way := pcapng.Inbound
	if dir == packet.Out {
		way = pcapng.Outbound
	}
	c.pending = c.writer.AppendPacket(c.pending, now, ip, way, c.describe(c.carry, events))
	c.carry = c.carry[:0]
	switch n := c.size + int64(len(c.pending)-before); {
	case c.limit > 0 && n > c.limit:
		c.pending = c.pending[:before]
		c.ended = errCaptureFull
	case len(c.pending) > captureBacklog:
		c.pending = c.pending[:before]
		c.dropped++
	default:
		c.size = n
	}
	c.wake.Signal()
}

// run writes what is pending until the capture ends. A write that fails takes
// the block that it broke off the file again, so that what stands there can
// be read.
func (c *capture) run() {
	defer close(c.done)
	var whole int64 // octets of the file that are whole blocks
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		for len(c.pending) == 0 && !c.closing && c.ended == nil {
			c.wake.Wait()
		}
		if len(c.pending) == 0 {
			if errors.Is(c.ended, errCaptureFull) {
				c.log.Warn("the capture has reached its size and stops; connections go on", "file", c.file.Name(), "size", formatSize(c.size))
			}
			return
		}
		b := c.pending
		c.pending, c.spare = c.spare[:0], nil
		c.mu.Unlock()
		_, err := c.file.Write(b)
		c.mu.Lock()
		if err != nil {
			c.ended = err
			c.pending = nil
			c.file.Truncate(whole)
			c.log.Error("the capture stops: "+mendWrite(err)+"; connections go on", "file", c.file.Name())
			return
		}
		whole += int64(len(b))
		c.spare = b
	}
}

// mendWrite says what a failed write means and what to do.
func mendWrite(err error) string {
	if errors.Is(err, os.ErrClosed) {
		return "whoever reads it has stopped reading"
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return err.Error() + "; free some space, or bound the file with --write-max"
	}
	return err.Error()
}

// close writes out what is pending and gives the error that cut the capture
// short, if there was one.
func (c *capture) close() error {
	c.mu.Lock()
	c.closing = true
	c.wake.Signal()
	c.mu.Unlock()
	select {
	case <-c.done:
	case <-time.After(captureWait):
	}
	err := c.file.Close()
	<-c.done
	if c.dropped > 0 {
		c.log.Warn("the disk was slower than the link; the capture has gaps", "packets", c.dropped)
	}
	if c.ended != nil && !errors.Is(c.ended, errCaptureFull) {
		err = c.ended
	}
	if err != nil {
		return fmt.Errorf("-w: %w", err)
	}
	return nil
}

// captureEvents are the kinds that comments are made of.
var captureEvents = event.Of(event.Transition, event.Drop, event.Retransmit, event.Recovery, event.TimerFired, event.SoftError, event.RTT, event.Congestion, event.Plugin)

// describe makes a packet's comment: a line for each event that a reader of the
// capture can't see in the packet itself, or else whose packet it is.
func (c *capture) describe(before, events []event.Event) string {
	s := &c.comment
	s.Reset()
	for _, part := range [...]struct {
		word   string
		events []event.Event
	}{{"before: ", before}, {"", events}} {
		for i := range part.events {
			if captureEvents>>part.events[i].Kind&1 == 0 {
				continue
			}
			if s.Len() > 0 {
				s.WriteByte('\n')
			}
			s.WriteString(part.word)
			describeEvent(s, &part.events[i], c.plugins)
		}
	}
	if s.Len() == 0 && len(events) > 0 && events[0].Conn != 0 {
		fmt.Fprintf(s, "connection %d", events[0].Conn)
	}
	return s.String()
}

// describeEvent writes one event in words with the rule behind it. names are those of
// the plugins, by index.
func describeEvent(s *strings.Builder, e *event.Event, names []string) {
	because := e.Rule
	switch e.Kind {
	case event.Transition:
		fmt.Fprintf(s, "%v → %v by %v", tcp.State(e.From), tcp.State(e.To), tcp.Cause(e.By))
	case event.Drop:
		d := rule.Drop(e.From)
		fmt.Fprintf(s, "dropped: %v", d)
		if because == rule.None {
			because = d.Rule()
		}
	case event.TimerFired:
		fmt.Fprintf(s, "timer %s fired", tcp.TimerName(e.By))
	case event.Retransmit:
		fmt.Fprintf(s, "sent again: %d octets", uint32(e.A))
	case event.RTT:
		fmt.Fprintf(s, "RTT %v, smoothed %v, RTO %v", time.Duration(e.A), time.Duration(e.B), time.Duration(e.D))
	case event.Congestion:
		fmt.Fprintf(s, "cwnd %d, ssthresh %d, in flight %d", e.A, e.B, e.C)
	case event.Plugin:
		s.WriteString(plugins.Told(e, names))
	case event.SoftError:
		fmt.Fprintf(s, "soft error: %v", tcp.Error(e.By))
	default:
		s.WriteString(e.Kind.String())
	}
	if e.Conn != 0 {
		fmt.Fprintf(s, " (connection %d)", e.Conn)
	}
	if row, ok := rule.Lookup(because); ok {
		fmt.Fprintf(s, ": %s [RFC %d §%s", row.Text, row.RFC, row.Section)
		if row.Requirement != "" {
			fmt.Fprintf(s, " %s", row.Requirement)
		}
		s.WriteByte(']')
	}
}
