package core

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// keys are the keys of each use of randomness, all drawn from Config.Secret.
type keys struct {
	table, conn, port, listen, cookie, source, fastOpen siphash.Key
}

// The purposes that the keys are drawn for. Ids are stable, since a run is
// repeated from its secret.
const (
	purposeTable siphash.Purpose = iota + 1
	purposeConn
	purposePort
	purposeListen
	purposeCookie
	purposeSource
	purposeFastOpen
)

func newKeys(secret [16]byte) keys {
	root := siphash.KeyFrom(secret)
	draw := func(p siphash.Purpose) siphash.Key {
		return siphash.Key{K0: siphash.PRF(root, p, 0, 0), K1: siphash.PRF(root, p, 0, 1)}
	}
	return keys{
		table: draw(purposeTable), conn: draw(purposeConn), port: draw(purposePort),
		listen: draw(purposeListen), cookie: draw(purposeCookie), source: draw(purposeSource),
		fastOpen: draw(purposeFastOpen),
	}
}

// prf is a keyed function of a connection's name and one more number.
func prf(key siphash.Key, t *tcp.Tuple, more uint64) uint64 {
	localHi, localLo := t.Local.Addr.Words()
	remoteHi, remoteLo := t.Remote.Addr.Words()
	h := siphash.New(key)
	h.WriteUint64(localHi)
	h.WriteUint64(localLo)
	h.WriteUint64(remoteHi)
	h.WriteUint64(remoteLo)
	h.WriteUint64(uint64(t.Local.Addr.Family())<<32 | uint64(t.Local.Port)<<16 | uint64(t.Remote.Port))
	h.WriteUint64(more)
	return h.Sum64()
}

// isn is RFC 6528 §3: ISN = M + F(localip, localport, remoteip, remoteport,
// secretkey). RFC 9293 §3.4.1 MUST-8, MUST-9, SHLD-1: M is a clock that ticks
// each four microseconds, F a pseudorandom function nobody outside can compute.
//
// offset is from the other half of F's value. It is added to the timestamp clock
// of the connection, so that its peer does not learn how long this stack has run
// nor how it stands with others (RFC 7323 §7.1, THREATS S11). One name keeps one
// offset: a new connection continues the timestamps of the old, which RFC 6191
// builds on.
func (s *Stack) isn(now clock.Instant, t *tcp.Tuple) (iss seq.Value, offset uint32) {
	m := uint64(now) / uint64(s.cfg.ISNTick)
	f := prf(s.keys.conn, t, 0)
	return seq.Value(m) + seq.Value(f) + seq.Value(s.cfg.ISNShift), uint32(f >> 32)
}

// stampOffset is isn's offset alone.
func (s *Stack) stampOffset(t *tcp.Tuple) uint32 {
	_, offset := s.isn(0, t)
	return offset
}
