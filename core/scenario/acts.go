package scenario

import (
	"slices"
	"strconv"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// An Act is what is known of one call of a plugin, beside the verdict.
type Act struct {
	Used    uint64 // fuel, by this call
	Calls   uint64 // until then
	Fuel    uint64 // used by all of them
	Said    string // what it has logged, a line each
	Changes []Change
}

// A Change is a field of a segment that a plugin has changed. Sequence numbers count
// from the initial ones where there is a connection; options are their octets, and so
// is the payload, from the first that differs.
type Change struct {
	Field   string // seq ack flags window urgent options payload tos ttl
	Was, Is string
}

// An acting is an Act that no event has told of yet.
type acting struct {
	Act
	plugin int
	step   tcp.Step
}

// shownOctets is how many of a payload a Change has at most.
const shownOctets = 24

// watch has the plugins of a world tell the recorder what they do. After a crash they
// are others.
func (r *recorder) watch(w *sim.World) {
	for i := range r.hosts {
		if hook, ok := w.Hook(i).(tcp.Watched); ok {
			r.hosts[i].sums = slices.Grow(r.hosts[i].sums, len(r.s.Hosts[i].Plugins))[:len(r.s.Hosts[i].Plugins)]
			hook.Watch(func(a *tcp.Act) { r.acted(&r.hosts[i], a) })
		}
	}
}

// acted keeps an act until the events of the same call come.
func (r *recorder) acted(h *hostBook, a *tcp.Act) {
	made := acting{Act{Used: a.Used, Calls: a.Calls, Fuel: a.Fuel, Said: a.Said}, a.Plugin, a.Step}
	if a.Plugin < len(h.sums) {
		h.sums[a.Plugin] = Act{Calls: a.Calls, Fuel: a.Fuel}
	}
	if a.Before != nil && a.Verdict != tcp.Pass {
		made.Changes = changes(a.Before, a.After)
	}
	h.acts = append(h.acts, made)
}

// take gives the act that an event tells of: its index in r.acts and 1, or 0. One that
// was taken has no calls.
func (r *recorder) take(host, plugin int, step tcp.Step) uint64 {
	h := &r.hosts[host]
	for k := range h.acts {
		if a := &h.acts[k]; a.plugin == plugin && a.step == step && a.Calls != 0 {
			r.acts = append(r.acts, a.Act)
			a.Act = Act{}
			return uint64(len(r.acts))
		}
	}
	return 0
}

// actsLeft tells of acts without an event, if something was said at them.
func (r *recorder) actsLeft(host int, at clock.Duration) {
	h := &r.hosts[host]
	for k := range h.acts {
		if a := &h.acts[k]; a.Said != "" {
			r.tellAct(at, host, a)
		}
	}
	h.acts = h.acts[:0]
}

// tellAct adds an item for an act that no event tells of.
func (r *recorder) tellAct(at clock.Duration, host int, a *acting) {
	r.acts = append(r.acts, a.Act)
	i := r.item(Plugin, at, host, 0)
	i.Text, i.From, i.C = r.pluginName(host, a.plugin), uint8(a.step), uint64(len(r.acts))
	r.add(i)
}

// sums tells, at the end, of all that each plugin has used.
func (r *recorder) sums(at clock.Duration) {
	for host := range r.hosts {
		for k := range r.hosts[host].sums {
			r.tellAct(at, host, &acting{r.hosts[host].sums[k], k, tcp.Steps})
		}
	}
}

// Act is what else is known of a Plugin item, nil if that is nothing.
func (r *Run) Act(i *Item) *Act {
	if i.Kind != Plugin || i.C == 0 {
		return nil
	}
	return &r.rec.acts[i.C-1]
}

// changes are the fields in which two records differ.
func changes(was, is *tcp.Record) (list []Change) {
	number := func(field string, m, n int64) {
		if m != n {
			list = append(list, Change{field, strconv.FormatInt(m, 10), strconv.FormatInt(n, 10)})
		}
	}
	octets := func(field string, m, n string) {
		if m != n {
			list = append(list, Change{field, octetText(m, n), octetText(n, m)})
		}
	}
	seqWas, ackWas := relative(was)
	seqIs, ackIs := relative(is)
	number("seq", seqWas, seqIs)
	number("ack", ackWas, ackIs)
	if was.TCP.Flags != is.TCP.Flags {
		list = append(list, Change{"flags", was.TCP.Flags.String(), is.TCP.Flags.String()})
	}
	number("window", int64(was.TCP.Window), int64(is.TCP.Window))
	number("urgent", int64(was.TCP.Urgent), int64(is.TCP.Urgent))
	octets("options", rawOptions(was), rawOptions(is))
	octets("payload", string(was.Payload), string(is.Payload))
	number("tos", int64(was.TOS), int64(is.TOS))
	number("ttl", int64(was.TTL), int64(is.TTL))
	return list
}

// relative are the numbers of a record's segment, from the initial ones on where there
// is a connection.
func relative(r *tcp.Record) (seq, ack int64) {
	if r.Conn == 0 {
		return int64(r.TCP.Seq), int64(r.TCP.Ack)
	}
	own, other := r.Send.ISS, r.Receive.IRS
	if !r.Leaving {
		own, other = other, own
	}
	return int64(int32(r.TCP.Seq.From(own))), int64(int32(r.TCP.Ack.From(other)))
}

// rawOptions are those of a record as they stand in the header.
func rawOptions(r *tcp.Record) string {
	if len(r.Options) > 0 {
		return string(r.Options)
	}
	return string(wire.AppendOptions(nil, &r.TCP.Options))
}

// octetText has octets in base 16, from the first that is not as in other.
func octetText(b, other string) string {
	from := 0
	for from < len(b) && from < len(other) && b[from] == other[from] {
		from++
	}
	if len(b) <= shownOctets {
		from = 0
	}
	text := []byte(strconv.Itoa(len(b)))
	for k := from; k < min(from+shownOctets, len(b)); k++ {
		const hex = "0123456789abcdef"
		if k == from {
			text = append(text, ':')
			if from > 0 {
				text = append(text, ' ', '+')
				text = strconv.AppendInt(text, int64(from), 10)
			}
		}
		text = append(text, ' ', hex[b[k]>>4], hex[b[k]&15])
	}
	return string(text)
}
