package native

import (
	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
)

// A manner is how octets are written.
type manner uint8

const (
	plain  manner = iota
	more          // others follow at once: MSG_MORE
	urgent        // MSG_OOB
)

func (m manner) put(c *core.Conn, now clock.Instant, b []byte) (int, error) {
	switch m {
	case more:
		return c.WriteMore(now, b)
	case urgent:
		return c.WriteUrgent(now, b)
	}
	return c.Write(now, b)
}

// WriteMore is Write, when more will be written at once: as with MSG_MORE what is
// less than a segment waits for that, but not for long.
func (c *Conn) WriteMore(b []byte) (int, error) { return c.writeAs(b, more) }

// WriteUrgent is Write of urgent data, up to the end of b (RFC 9293 §3.8.5), as with
// MSG_OOB. New applications should not use it (RFC 6093).
func (c *Conn) WriteUrgent(b []byte) (int, error) { return c.writeAs(b, urgent) }

// ReadUrgent returns the last octet of urgent data, which Read leaves out, as recv does
// with MSG_OOB: it does not wait. EINVAL says that there is none, or that it is in the
// stream, and EAGAIN that it has been announced.
func (c *Conn) ReadUrgent() (b byte, err error) {
	err = c.do("read", "recvfrom", func(clock.Instant) error {
		b, err = c.core.ReadUrgent(0, false)
		return err
	})
	return b, err
}

// SetUrgentInline leaves urgent data in the stream for Read, as SO_OOBINLINE (RFC 6093
// §6), or keeps its last octet for ReadUrgent, as Linux does by default.
func (c *Conn) SetUrgentInline(on bool) error {
	return c.set(func(now clock.Instant) error { return c.core.SetUrgentInline(now, on) })
}

// SetCork holds back what is less than a segment, as TCP_CORK, or lets it go.
func (c *Conn) SetCork(on bool) error {
	return c.set(func(now clock.Instant) error { return c.core.SetCork(now, on) })
}
