package explore

import (
	"slices"
	"strconv"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// script tells what happened at one end, the one of the last moment, so that
// tcpkit script does the same again. What is wrong is said behind the last line;
// where it is not a packet, only who reads the script sees it.
func (st *story) script(what string) string {
	who, from := 0, 0
	if n := len(st.moments); n > 0 {
		who = st.moments[n-1].who
	}
	// What has become of the past is a connection at the second end, or a packet.
	for who != 1 || st.x.world.Past != Crash {
		if from == len(st.moments) || st.moments[from].when != past {
			break
		}
		from++
	}
	w := &scriptWriter{st: st, who: who}
	st.known, st.unsaid = [2]bool{}, ""
	world := &st.x.world
	w.text("// explore, world " + world.Name + ", end " + letters[who:who+1] + ": " + what + ".\n")
	w.text("--profile=explore\n--set=max_mss=")
	w.number(segment)
	w.text("\n--set=send_buffer=")
	w.number(8 * segment)
	w.text("\n--set=receive_buffer=")
	w.number(int(st.x.cfg.TCP.ReceiveBuffer))
	if world.SACK {
		w.text("\n--set=tcp_sack=1")
	}
	if world.RACK {
		w.text("\n--set=rack=1\n--set=tcp_early_retrans=3")
	}
	if world.NoDelay {
		w.text("\n--set=nagle=0")
	}
	if world.Keepalive {
		w.text("\n--set=keepalive=1")
	}
	if slices.ContainsFunc(slices.Concat(world.Users[0].Ops, world.Users[1].Ops), func(o Op) bool { return o.Do == WriteUrgent }) {
		st.unsaid = "a socket's read ends at the mark of urgent data"
	}
	if world.Hook != [2]tcp.Hook{} {
		st.unsaid = "a hook has a hand in it"
	}
	if world.Users[0].Prompt || world.Users[1].Prompt {
		st.unsaid = "its users make calls of which the script has nothing"
	}
	w.text("\n\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n")
	w.text("+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n")
	if world.Users[who].Listens {
		w.text("+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n")
		w.fd = 4
	} else {
		w.fd = 3
	}
	for i := from; i < len(st.moments) && i < from+maxRungs; i++ {
		m := &st.moments[i]
		if i > 0 && m.when != past && st.moments[i-1].when == past && from == 0 {
			w.gap += clock.Hour
		}
		w.gap += m.took[who]
		if m.who == who && m.do != lose {
			w.moment(m)
		}
	}
	w.text("// here: " + what + "\n")
	return string(w.b)
}

type scriptWriter struct {
	st  *story
	who int
	fd  int            // of the connection
	gap clock.Duration // since the line before
	b   []byte

	syn     seq.Value // the last that has come
	hasSyn  bool
	synced  bool // it has been acknowledged by other than a SYN
	rebased bool // numbers count from the SYN of another connection than the first
}

func (w *scriptWriter) text(s string) { w.b = append(w.b, s...) }

func (w *scriptWriter) number(n int) { w.b = strconv.AppendInt(w.b, int64(n), 10) }

// line begins a line at the end's time.
func (w *scriptWriter) line() {
	us := int64(w.gap / clock.Microsecond)
	w.gap -= clock.Duration(us) * clock.Microsecond
	w.b = append(w.b, '+')
	w.b = strconv.AppendInt(w.b, us/1e6, 10)
	w.b = append(w.b, '.')
	for unit := int64(1e5); unit > 0; unit /= 10 {
		w.b = append(w.b, byte('0'+us/unit%10))
	}
	w.b = append(w.b, ' ')
}

// call writes a call on the connection and what it returns.
func (w *scriptWriter) call(name, more string, result int) {
	w.line()
	w.text(name + "(")
	w.number(w.fd)
	w.text(more + ") = ")
	w.number(result)
	w.text("\n")
}

// hears and says keep the numbers as core/script does: they count from the first
// SYN of each end, until one of another connection is acknowledged.
func (w *scriptWriter) hears(p *parcel) {
	t, _ := p.header()
	if t.Flags&wire.SYN == 0 {
		return
	}
	if o := 1 - w.who; !w.st.known[o] {
		w.st.iss[o], w.st.known[o] = t.Seq, true
	} else if w.rebased {
		w.st.unsaid = "there are more than two connections"
	}
	w.syn, w.hasSyn = t.Seq, true
}

func (w *scriptWriter) says(p *parcel) {
	t, _ := p.header()
	o, fresh := 1-w.who, false
	if t.Flags&wire.ACK != 0 && t.Flags&wire.RST == 0 && w.hasSyn && t.Ack == w.syn.Add(1) && (!w.synced || t.Flags&wire.SYN != 0) {
		fresh = w.st.iss[o] != w.syn
		w.rebased = w.rebased || fresh
		w.st.iss[o] = w.syn
		w.synced = t.Flags&wire.SYN == 0
	}
	if t.Flags&wire.SYN != 0 && (!w.st.known[w.who] || fresh) {
		w.st.iss[w.who], w.st.known[w.who] = t.Seq, true
	} else if t.Flags&wire.SYN != 0 && t.Seq != w.st.iss[w.who] {
		w.st.unsaid = "one SYN has opened two connections"
	}
}

func (w *scriptWriter) moment(m *moment) {
	d := m.after
	switch m.do {
	case deliver, duplicate:
		w.hears(m.packet)
		w.line()
		w.b = w.st.segment(append(w.b, "< "...), m.packet)
		w.text("\n")
	case proceed:
		w.proceed(m)
	case fire, lose:
	}
	for _, p := range m.out {
		w.says(p)
		w.line()
		w.b = w.st.segment(append(w.b, "> "...), p)
		w.text("\n")
	}
	if m.before.slot == 0 && d.slot != 0 && w.st.x.world.Users[w.who].Listens {
		w.line()
		w.text("accept(3, ..., ...) = ")
		w.number(w.fd)
		w.text("\n")
	}
	if d.slot == 0 {
		return
	}
	if n := int(d.read - m.before.read); n > 0 && m.called(w.st.x) != Read {
		w.call("read", ", ..., "+strconv.Itoa(n), n)
	}
	if d.eof && !m.before.eof {
		w.call("read", ", ..., 1", 0)
	}
}

// proceed writes what the user does.
func (w *scriptWriter) proceed(m *moment) {
	d := m.after
	switch m.called(w.st.x) {
	case Dial:
		w.line()
		w.text("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n")
	case Write:
		if m.before.view.State == tcp.SynSent {
			w.st.unsaid = "a socket takes no data before it is connected"
		}
		n := int(d.wrote - m.before.wrote)
		w.call("write", ", ..., "+strconv.Itoa(n), n)
	case WriteUrgent:
		n := int(d.wrote - m.before.wrote)
		w.call("send", ", ..., "+strconv.Itoa(n)+", MSG_OOB", n)
	case Read:
		n := int(d.read - m.before.read)
		w.call("read", ", ..., "+strconv.Itoa(n), n)
	case Shut:
		w.call("shutdown", ", SHUT_WR", 0)
	case Abort:
		w.call("setsockopt", ", SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8", 0)
		w.call("close", "", 0)
	case Close:
		w.call("close", "", 0)
		if w.st.x.world.Users[w.who].Again {
			w.fd++
		}
	case Nothing, AwaitConnected, AwaitEOF:
	}
}
