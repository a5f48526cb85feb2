package sim

import (
	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// turn is what happens to a host as a whole.
func (w *World) turn(t *Turn) {
	if t.What == Crash || t.What == Boot && !w.hosts[t.Host].off {
		w.crash(t.Host)
	}
	if w.observer != nil {
		w.see(Sight{What: Turned, Host: t.Host, Turn: t.What})
		w.remember(t.Host)
	}
	switch t.What {
	case Crash:
	case Boot:
		w.boot(t.Host)
	case Shut:
		w.closeAll(t.Host)
		w.unlisten(t.Host)
		w.settle(t.Host)
	default:
		panic("sim: no such turn")
	}
}

// crash takes all that a host knows. What it has sent is on its way.
func (w *World) crash(h int) {
	w.remember(h)
	one := &w.hosts[h]
	log := one.stack.Log()
	one.past = siphash.Words2(siphash.Key{K0: one.past}, log.Hash(), log.Count())
	one.lives++
	one.off = true
	one.books, one.owner, one.deaf = nil, nil, nil
	edges := one.seen.edges
	if err := w.start(h, one); err != nil {
		panic("sim: a host that has started once does not start again: " + err.Error())
	}
	one.seen.edges = edges
	for i := range w.ends {
		if e := &w.ends[i]; e.host == h && e.state == atWork {
			e.state = done
		}
	}
}

// boot lets a host listen again.
func (w *World) boot(h int) {
	w.hosts[h].off = false
	if err := w.listen(h, &w.hosts[h]); err != nil {
		panic("sim: a host that has listened once does not listen again: " + err.Error())
	}
	w.settle(h)
}

// closeAll is the end of all programs of a host: its connections are closed.
func (w *World) closeAll(h int) {
	for i := range w.ends {
		if e := &w.ends[i]; e.host == h && e.state == atWork {
			w.letGo(int32(i))
		}
	}
	one := &w.hosts[h]
	for slot := range one.owner {
		if one.endAt(slot) == stranger {
			w.dropStranger(h, one.stack.Conn(slot))
		}
	}
}

// unlisten closes all ports of a host.
func (w *World) unlisten(h int) {
	s := w.hosts[h].stack
	for slot := range w.hosts[h].deaf {
		if l := s.Listener(slot); l != nil {
			l.Close(w.now)
		}
	}
}

// stranger is who holds a connection that nobody has opened: see Config.KeepStrangers.
const stranger = -2

// takeStranger is for such a connection.
func (w *World) takeStranger(h int, c *core.Conn) {
	if !w.cfg.KeepStrangers {
		c.Abort(w.now)
		return
	}
	one := &w.hosts[h]
	for len(one.owner) <= c.Slot() {
		one.owner = append(one.owner, 0)
	}
	one.owner[c.Slot()] = stranger + 1
	w.calledStranger(h, c, "accept", tcp.NoError)
	w.serveStranger(h, c)
}

// serveStranger reads all that there is, and closes when there will be no more.
func (w *World) serveStranger(h int, c *core.Conn) {
	for !w.stopped {
		n, err := c.Read(w.now, w.scratch[:])
		if n > 0 && w.observer != nil {
			w.see(Sight{What: Read, Host: h, Flow: -1, Conn: c.ID(), N: uint64(n), Wrong: true})
			w.show(h)
		}
		switch asError(err) {
		case tcp.NoError:
		case tcp.ErrWouldBlock:
			return
		default:
			w.calledStranger(h, c, "read", asError(err))
			w.dropStranger(h, c)
			return
		}
	}
}

func (w *World) dropStranger(h int, c *core.Conn) {
	err := c.Close(w.now)
	w.hosts[h].owner[c.Slot()] = 0
	w.calledStranger(h, c, "close", asError(err))
}

func (w *World) calledStranger(h int, c *core.Conn, call string, err tcp.Error) {
	if w.observer != nil {
		w.see(Sight{What: Called, Host: h, Flow: -1, Conn: c.ID(), Call: call, Err: err})
		w.remember(h)
	}
}
