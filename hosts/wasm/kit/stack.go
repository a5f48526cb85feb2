package kit

import (
	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/pcapng"
	"github.com/tcpkit/tcpkit/core/scenario"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
)

// A stack is a core.Stack and what its caller holds of it.
type stack struct {
	*core.Stack
	now       clock.Instant // of the latest call
	conns     map[uint32]*core.Conn
	listeners table[*core.Listener]
	set       *plugins.Set // nil: no plugin was added
	mtu       int
	events    []event.Event
	capture   *capture // nil: there is none
}

const errBackwards plugins.Error = "time does not run backwards: it was later already when this stack was called last, or it is negative"

// at finds a stack, for a call at a time.
func (k *Kit) at(handle int32, now int64) (*stack, clock.Instant, error) {
	s := k.stacks.find(handle)
	if s == nil {
		return nil, 0, errHandle
	}
	t := clock.Instant(now)
	if t < s.value.now || t == clock.Never {
		return nil, 0, errBackwards
	}
	s.value.now = t
	return s.value, t, nil
}

// StackNew makes a stack of what the buffer says, words as in the line of a host in a
// scenario but without its name: 10.0.0.1 fd00::1 mtu 1500 set time-wait=2s. The
// secret is the 16 octets behind that text.
func (k *Kit) StackNew(size uint32) int32 {
	b, err := k.given(size)
	const secret = 16
	if err == nil && len(b) < secret {
		err = errNotGiven
	}
	if err != nil {
		return k.fail(err)
	}
	h, err := scenario.ParseHost(string(b[:len(b)-secret]))
	if err != nil {
		return k.fail(err)
	}
	config := h.Config()
	copy(config.Secret[:], b[len(b)-secret:])
	s := &stack{conns: make(map[uint32]*core.Conn), mtu: h.MTU}
	if s.Stack, err = core.New(config, packet.Link{MTU: h.MTU}); err != nil {
		return k.fail(err)
	}
	for _, a := range h.Addrs {
		if err := s.AddAddr(wire.Prefix{Addr: a, Bits: prefixBits(a)}); err != nil {
			return k.fail(plugins.Error("the address " + a.String() + " does not fit the stack: " + err.Error()))
		}
	}
	handle := k.addStack(s)
	for _, spec := range h.Plugins {
		if err := k.attach(s, spec); err != nil {
			k.stacks.remove(handle)
			return k.fail(err)
		}
	}
	return handle
}

func (k *Kit) addStack(s *stack) int32 {
	handle := k.stacks.add(s, stacksMost)
	if handle == 0 {
		return k.fail(plugins.Error("there are too many stacks; free some"))
	}
	return handle
}

// StackFree forgets a stack and ends its plugins.
func (k *Kit) StackFree(handle int32) int32 {
	s := k.stacks.find(handle)
	if s == nil {
		return k.fail(errHandle)
	}
	set := s.value.set
	k.stacks.remove(handle)
	if set != nil {
		return k.done(set.Close())
	}
	return 0
}

// StackClone makes a stack with the same past, of which connections and listeners
// have the same numbers.
func (k *Kit) StackClone(handle int32) int32 {
	s := k.stacks.find(handle)
	if s == nil {
		return k.fail(errHandle)
	}
	from := s.value
	c := &stack{Stack: from.Clone(), now: from.now, conns: make(map[uint32]*core.Conn), mtu: from.mtu, capture: from.capture.clone()}
	for id, conn := range from.conns {
		if copied := c.Conn(conn.Slot()); copied != nil && copied.ID() == id {
			c.conns[id] = copied
		}
	}
	c.listeners.free = append(c.listeners.free, from.listeners.free...)
	for _, l := range from.listeners.slots {
		if l.used {
			l.value = c.Listener(l.value.Slot())
		}
		c.listeners.slots = append(c.listeners.slots, l)
	}
	if hook, _ := c.Hook(); hook != nil {
		c.set, _ = hook.(*plugins.Set)
	}
	return k.addStack(c)
}

// prefixBits is the length of the prefix of every link: that of most networks.
func prefixBits(a wire.Addr) uint8 {
	if a.Is4() {
		return 24
	}
	return 64
}

// Input brings the packet that the buffer holds.
func (k *Kit) Input(handle int32, now int64, size uint32) int32 {
	const largest = 65535
	b, err := k.given(size)
	if err == nil && size > largest {
		err = plugins.Error("no IP packet is larger than 65535 octets")
	}
	if err != nil {
		return k.fail(err)
	}
	s, t, err := k.at(handle, now)
	if err != nil {
		return k.fail(err)
	}
	k.packet.Reset()
	k.packet.Bytes = append(k.packet.Bytes, b...)
	s.capture.add(t, b, pcapng.Inbound)
	s.Input(t, &k.packet)
	return 0
}

// Output leaves the next packet in the buffer and returns its size, 0 without one.
func (k *Kit) Output(handle int32, now int64) int32 {
	s, t, err := k.at(handle, now)
	if err != nil {
		return k.fail(err)
	}
	if !s.Output(t, &k.packet) {
		return 0
	}
	s.capture.add(t, k.packet.Bytes, pcapng.Outbound)
	return k.give(k.packet.Bytes)
}

// Expire does what is due.
func (k *Kit) Expire(handle int32, now int64) int32 {
	s, t, err := k.at(handle, now)
	if err == nil {
		s.Expire(t)
	}
	return k.done(err)
}

// Deadline is when Expire has something to do; -1 says that there is no such stack.
func (k *Kit) Deadline(handle int32) int64 {
	s := k.stacks.find(handle)
	if s == nil {
		return -1
	}
	return int64(s.value.Deadline())
}

// Ready leaves in the buffer what became possible next, as three little-endian words
// of 32 bits: a core.ReadyMask, and the connection or the listener, the other being 0.
// It returns 0 when nothing has.
func (k *Kit) Ready(handle int32) int32 {
	found := k.stacks.find(handle)
	if found == nil {
		return k.fail(errHandle)
	}
	s := found.value
	for {
		r, ok := s.NextReady()
		if !ok {
			return 0
		}
		var record [12]byte
		wire.PutLe32(record[:], uint32(r.What))
		switch {
		case r.Conn != nil && s.conns[r.Conn.ID()] == r.Conn:
			wire.PutLe32(record[4:], r.Conn.ID())
		case r.Listener != nil:
			wire.PutLe32(record[8:], uint32(s.listenerHandle(r.Listener)))
		default:
			continue // nobody holds it any more
		}
		return k.give(record[:])
	}
}

func (s *stack) listenerHandle(l *core.Listener) int32 {
	for i := range s.listeners.slots {
		if e := &s.listeners.slots[i]; e.used && e.value == l {
			return e.turn<<placeBits | int32(i) + 1
		}
	}
	return 0
}

// Record collects events of the kinds in a mask from now on.
func (k *Kit) Record(handle int32, mask uint32) int32 {
	s := k.stacks.find(handle)
	if s == nil {
		return k.fail(errHandle)
	}
	s.value.Log().SetMask(event.Mask(mask))
	return 0
}

// eventOctets is the size of an event's record.
const eventOctets = 56

// Events leaves the events that have come since it was called last in the buffer, as
// records of seven little-endian words of 64 bits. More of them may be left.
func (k *Kit) Events(handle int32) int32 {
	found := k.stacks.find(handle)
	if found == nil {
		return k.fail(errHandle)
	}
	s := found.value
	const atOnce = bufferMost / eventOctets
	if len(s.events) == 0 {
		s.events = s.Log().Take(s.events)
	}
	n := min(len(s.events), atOnce)
	b := make([]byte, 0, n*eventOctets)
	for i := range s.events[:n] {
		for _, w := range s.events[i].Words() {
			at := len(b)
			b = b[:at+8]
			wire.PutLe64(b[at:], w)
		}
	}
	s.events = append(s.events[:0], s.events[n:]...)
	return k.give(b)
}

// Hash covers all events recorded so far: it is left in the buffer, as 8 octets,
// the most significant first.
func (k *Kit) Hash(handle int32) int32 {
	s := k.stacks.find(handle)
	if s == nil {
		return k.fail(errHandle)
	}
	return k.give64(s.value.Log().Hash())
}

// Fingerprint covers all that decides the stack's future, left as Hash's.
func (k *Kit) Fingerprint(handle int32, now int64) int32 {
	s, t, err := k.at(handle, now)
	if err != nil {
		return k.fail(err)
	}
	return k.give64(s.Fingerprint(t))
}

func (k *Kit) give64(v uint64) int32 {
	var b [8]byte
	wire.PutBe64(b[:], v)
	return k.give(b[:])
}

// Plugin adds the plugin that the buffer names, with its options.
func (k *Kit) Plugin(handle int32, now int64, size uint32) int32 {
	spec, err := k.text(size)
	if err != nil {
		return k.fail(err)
	}
	s, _, err := k.at(handle, now)
	if err == nil {
		err = k.attach(s, spec)
	}
	return k.done(err)
}

func (k *Kit) attach(s *stack, spec string) error {
	secret := s.Config().Secret
	key := siphash.Key{K0: wire.Le64(secret[:]), K1: wire.Le64(secret[8:])}
	p, err := k.load(k.Engine, spec, plugins.Options{Key: key, Now: s.now, MTU: s.mtu})
	if err != nil {
		return err
	}
	if s.set == nil {
		s.set = plugins.NewSet()
	}
	s.set.Add(p)
	s.SetHook(s.set, s.set.Mask())
	return nil
}

// PluginErrors leaves a line for each plugin that is not called any more: its name,
// a tab, and why.
func (k *Kit) PluginErrors(handle int32) int32 {
	s := k.stacks.find(handle)
	if s == nil {
		return k.fail(errHandle)
	}
	var b []byte
	if s.value.set != nil {
		for _, p := range s.value.set.Plugins() {
			if err := p.Err(); err != nil {
				b = append(b, p.Name()...)
				b = append(b, '\t')
				b = append(b, err.Error()...)
				b = append(b, '\n')
			}
		}
	}
	return k.give(b)
}
