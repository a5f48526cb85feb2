package kit

import (
	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A transfer is two stacks joined without a delay, for measuring what a segment
// costs where the module runs. All that the linux profile has is on.
type transfer struct {
	now     clock.Instant
	ends    [2]*core.Stack
	packet  packet.Packet
	packets int
}

// turn is how much time each turn of a transfer takes.
const turn = 5 * clock.Microsecond

// transferMost is what one transfer may send: some seconds of it.
const transferMost = 4 << 30

// Transfer sends octets from one stack to another and returns how many packets that
// took, both ways.
func (k *Kit) Transfer(octets int64, mtu uint32) int32 {
	x := &transfer{now: clock.Instant(clock.Second)}
	if octets < 0 || octets > transferMost {
		return k.fail(tcp.ErrInvalid)
	}
	if err := x.run(octets, int(min(mtu, 1<<16))); err != nil {
		return k.fail(err)
	}
	return int32(min(x.packets, 1<<31-1))
}

func (x *transfer) run(octets int64, mtu int) error {
	var at [2]wire.AddrPort
	for i := range x.ends {
		config, err := core.Profile("linux")
		if err != nil {
			return err
		}
		config.Secret[0] = byte(i)
		if x.ends[i], err = core.New(config, packet.Link{MTU: mtu}); err != nil {
			return err
		}
		at[i] = wire.AddrPort{Addr: wire.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), Port: 80}
		if err := x.ends[i].AddAddr(wire.Prefix{Addr: at[i].Addr, Bits: 24}); err != nil {
			return err
		}
	}
	l, err := x.ends[1].Listen(x.now, wire.AddrPort{Port: at[1].Port}, core.ListenOptions{})
	if err != nil {
		return err
	}
	from, err := x.ends[0].Dial(x.now, wire.AddrPort{}, at[1], nil)
	if err != nil {
		return err
	}
	var to *core.Conn
	for to == nil {
		if err := x.move(); err != nil {
			return err
		}
		if to, err = l.Accept(x.now); err != nil && err != tcp.ErrWouldBlock {
			return err
		}
	}
	return x.pump(from, to, octets)
}

// pump writes and reads until all has come.
func (x *transfer) pump(from, to *core.Conn, octets int64) error {
	room := make([]byte, 64<<10)
	for i := range room {
		room[i] = byte(i)
	}
	into := make([]byte, len(room))
	for unsent, unread := octets, octets; unread > 0; {
		for unsent > 0 {
			n, err := from.Write(x.now, room[:min(unsent, int64(len(room)))])
			unsent -= int64(n)
			if err == tcp.ErrWouldBlock {
				break
			}
			if err != nil {
				return err
			}
		}
		if err := x.move(); err != nil {
			return err
		}
		for {
			n, err := to.Read(x.now, into)
			unread -= int64(n)
			if err == tcp.ErrWouldBlock {
				break
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// move lets both ends send what they have. When nothing moves time goes on to what
// is due next.
func (x *transfer) move() error {
	before := x.packets
	for i, s := range x.ends {
		s.Expire(x.now)
		for s.Output(x.now, &x.packet) {
			x.ends[1-i].Input(x.now, &x.packet)
			x.packets++
		}
	}
	for _, s := range x.ends {
		for _, ok := s.NextReady(); ok; {
			_, ok = s.NextReady()
		}
	}
	x.now = x.now.Add(turn)
	if x.packets == before {
		next := min(x.ends[0].Deadline(), x.ends[1].Deadline())
		if next == clock.Never {
			return tcp.ErrTimeout
		}
		x.now = max(x.now, next)
	}
	return nil
}
