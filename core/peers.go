package core

import "github.com/tcpkit/tcpkit/core/wire"

// peers is how many connections there are with each address, where
// Config.MaxPerPeer bounds them; else nil. It is looked up in, never walked: the
// order of a map is nobody's.
type peers map[wire.Addr]int

func newPeers(cfg *Config) peers {
	if cfg.MaxPerPeer == 0 {
		return nil
	}
	return peers{}
}

func (p peers) join(a wire.Addr) {
	if p != nil {
		p[a]++
	}
}

func (p peers) leave(a wire.Addr) {
	if p == nil {
		return
	}
	if p[a]--; p[a] == 0 {
		delete(p, a)
	}
}

// clone counts anew, from connections in the order of their slots.
func (p peers) clone(conns []*Conn) peers {
	if p == nil {
		return nil
	}
	d := peers{}
	for _, c := range conns {
		if c != nil {
			d[c.Remote().Addr]++
		}
	}
	return d
}
