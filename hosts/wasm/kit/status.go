package kit

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// Status leaves all that a stack has in the buffer, as a JSON array: listeners,
// connections, and what is left of those in TIME-WAIT.
func (k *Kit) Status(handle int32, now int64) int32 {
	s, t, err := k.at(handle, now)
	if err != nil {
		return k.fail(err)
	}
	return k.give(appendStatus(nil, s.Stack, t))
}

func appendStatus(b []byte, s *core.Stack, now clock.Instant) []byte {
	b = append(b, '[')
	for i, row := range s.AppendStatus(now, nil) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendRow(b, &row, find(s, row.ID))
	}
	return append(b, ']')
}

// find returns the connection of an id, nil if it has become a record.
func find(s *core.Stack, id uint32) *core.Conn {
	for slot := range s.Slots() {
		if c := s.Conn(slot); c != nil && c.ID() == id {
			return c
		}
	}
	return nil
}

func appendRow(b []byte, row *core.Status, c *core.Conn) []byte {
	b = append(b, `{"id":`...)
	b = strconv.AppendUint(b, uint64(row.ID), 10)
	b = appendWord(b, "state", row.State.String())
	b = appendWord(b, "local", row.Local.String())
	if row.ID == 0 {
		b = appendNumber(b, "waiting", int64(row.Waiting))
		b = appendNumber(b, "halfOpen", int64(row.HalfOpen))
		return append(appendNumber(b, "backlog", int64(row.Backlog)), '}')
	}
	b = appendWord(b, "remote", row.Remote.String())
	if row.Due >= 0 {
		b = appendNumber(b, "due", int64(row.Due))
	}
	if c != nil {
		b = appendConn(b, &row.Info, c)
	}
	return append(b, '}')
}

// appendConn appends what a connection has that is more than a record.
func appendConn(b []byte, info *tcp.Info, c *core.Conn) []byte {
	const microsecond = int64(clock.Microsecond)
	v := c.View()
	for _, n := range [...]struct {
		name  string
		value int64
	}{
		{"unread", int64(c.Readable())}, {"unsent", int64(c.Unsent())}, {"unacked", int64(c.Unacked())},
		{"ISS", int64(v.Send.ISS)}, {"SND.UNA", int64(v.Send.UNA)}, {"SND.NXT", int64(v.Send.NXT)}, {"SND.WND", int64(v.Send.WND)},
		{"IRS", int64(v.Receive.IRS)}, {"RCV.NXT", int64(v.Receive.NXT)}, {"RCV.WND", int64(v.Receive.WND)},
		{"mss", int64(v.MSS)}, {"cwnd", int64(info.Cwnd)}, {"ssthresh", int64(info.Ssthresh)}, {"flight", int64(info.InFlight)},
		{"srtt", int64(info.RTT) * microsecond}, {"rto", int64(info.RTO) * microsecond},
		{"resent", int64(info.TotalRetrans)},
	} {
		b = appendNumber(b, n.name, n.value)
	}
	b = appendWord(b, "congestion", info.Congestion)
	if c.Passive() {
		b = append(b, `,"passive":true`...)
	}
	return b
}

func appendName(b []byte, name string) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	return append(b, '"', ':')
}

func appendNumber(b []byte, name string, v int64) []byte {
	return strconv.AppendInt(appendName(b, name), v, 10)
}

// appendWord appends a text that needs no escapes: a name or an address.
func appendWord(b []byte, name, text string) []byte {
	b = append(appendName(b, name), '"')
	b = append(b, text...)
	return append(b, '"')
}
