package script

import (
	"strconv"
	"strings"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// TCP Fast Open, RFC 7413, as Linux offers it to programs.

// fastSocket is what a socket has of it.
type fastSocket struct {
	connect  bool              // TCP_FASTOPEN_CONNECT
	deferred bool              // connect has returned; the first write will open
	peer     wire.AddrPort     // to this address
	queue    int               // TCP_FASTOPEN
	keys     core.FastOpenKeys // TCP_FASTOPEN_KEY
}

// FastOpenKey is the key of servers that set no other, so that scripts can tell
// what a cookie is: the one of upstream's defaults.sh.
const FastOpenKey = "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4"

// parseFastOpenKeys reads one key or two, as tcp_fastopen_key has them.
func parseFastOpenKeys(s string) (k core.FastOpenKeys, ok bool) {
	for one := range strings.SplitSeq(s, ",") {
		words := strings.Split(one, "-")
		if len(words) != 4 || k.Number == 2 {
			return k, false
		}
		var b []byte
		for _, w := range words {
			v, err := strconv.ParseUint(w, 16, 32)
			if err != nil {
				return k, false
			}
			b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
		}
		k.Key[k.Number] = siphash.KeyFrom([16]byte(b))
		k.Number++
	}
	return k, true
}

// setFastOpen carries out the settings of Fast Open; done is false for others.
func (r *runner) setFastOpen(name, value string) (done, ok bool) {
	v, err := strconv.ParseInt(value, 0, 32)
	ok = err == nil && v >= 0
	switch name {
	case "tcp_fastopen":
		const known = core.FastOpenClient | core.FastOpenServer | core.FastOpenClientNoCookie |
			core.FastOpenServerNoCookie | core.FastOpenAllListeners
		r.core.FastOpen = core.FastOpenMode(v) & known
	case "tcp_fastopen_key":
		r.core.FastOpenKeys, ok = parseFastOpenKeys(value)
	case "tcp_fastopen_blackhole_timeout_sec", "tcp_fastopen_blackhole_timeout":
		r.core.FastOpenBlackhole = clock.Duration(v) * clock.Second
	case "fastopen_pause_ms": // ours
		r.core.FastOpenPause = clock.Duration(v) * clock.Millisecond
	case "fastopen_flush": // ours: what ip tcp_metrics flush does
		if r.stack != nil {
			r.stack.FlushFastOpen()
		}
	default:
		return false, false
	}
	if ok && r.stack != nil {
		ok = r.stack.SetConfig(r.core) == nil
	}
	return true, ok
}

// cookies are words that stand for a server's cookies under known keys.
func (j *judge) cookie(word string) []byte {
	key := siphash.Key{} // TFO_COOKIE_ZERO
	if word == "TFO_COOKIE" {
		k, _ := parseFastOpenKeys(FastOpenKey)
		key = k.Key[0]
	}
	c := core.FastOpenCookie(key, j.remote, j.local)
	return c.Octets[:c.Len]
}

// isCookieWord reports whether a word stands for a cookie.
func isCookieWord(s string) bool { return s == "TFO_COOKIE" || s == "TFO_COOKIE_ZERO" }

// withCookies is e with cookies in the place of such words.
func (j *judge) withCookies(e *Event) *Event {
	if e.Packet == nil || e.Packet.TCP == nil {
		return e
	}
	for i := range e.Packet.TCP.Options {
		if o := &e.Packet.TCP.Options[i]; o.cookieWord() {
			own, packet, segment := *e, *e.Packet, *e.Packet.TCP
			segment.Options = append([]TCPOption(nil), segment.Options...)
			segment.Options[i].Hex, segment.Options[i].Word = j.cookie(o.Word), ""
			packet.TCP, own.Packet = &segment, &packet
			return &own
		}
	}
	return e
}

func (o *TCPOption) cookieWord() bool {
	return (o.Kind == OptFastOpen || o.Kind == OptFastOpenExp) && o.Word != ""
}

// cookieSize is the length of a cookie option's cookie.
func (o *TCPOption) cookieSize() int {
	if o.Word != "" {
		return 8
	}
	return len(o.Hex)
}

// dialFast opens the connection of a socket with Fast Open.
func (r *runner) dialFast(s *socket, remote wire.AddrPort, data []byte) (int, error) {
	own := *s.cfg
	conn, n, err := r.stack.DialFastOpen(r.now, s.local, remote, &own, data)
	if err != nil {
		return 0, err
	}
	s.conn, s.local, s.bound, s.fast.deferred = conn, conn.Local(), true, false
	r.judge.Connects(conn.Local(), conn.Remote())
	return n, nil
}

// connectFast is the first connect of a socket with TCP_FASTOPEN_CONNECT: where
// there is a cookie it returns at once, and the first write opens.
func (r *runner) connectFast(s *socket, remote wire.AddrPort) (deferred bool, err error) {
	if r.stack.CanFastOpen(r.now, s.local, remote, s.cfg) {
		s.fast.deferred, s.fast.peer = true, remote
		return true, nil
	}
	_, err = r.dialFast(s, remote, nil)
	return false, err
}

// sendFast is what a write of b does before it is a plain one, if it has
// MSG_FASTOPEN or follows such a connect. With done it is over.
func (r *runner) sendFast(s *socket, p *PendingCall, flags int64, b []byte) (o CallResult, done bool) {
	blocking := !s.nonblock && flags&constants["MSG_DONTWAIT"] == 0
	opening := s.conn != nil && (s.conn.State() == tcp.SynSent || s.conn.State() == tcp.SynReceived)
	switch {
	case p.opens:
		// It waits for the connection, and goes on to write.
		if s.conn.Err() != nil {
			return r.openFailed(s), true
		}
		s.connected = s.connected || !opening
		return blocks, opening && b == nil
	case flags&constants["MSG_FASTOPEN"] == 0 && !s.fast.deferred:
		return o, false
	case r.core.FastOpen&core.FastOpenClient == 0 || unspecified(p.call):
		return fails("EOPNOTSUPP"), true
	case s.listener != nil || s.conn != nil && s.connected:
		return fails("EISCONN"), true
	case opening && !blocking:
		return fails("EALREADY"), true
	case opening:
		p.opens = true
		return blocks, b == nil
	case s.conn != nil && s.conn.State() == tcp.Closed:
		return r.openFailed(s), true
	case s.conn != nil:
		s.connected = true
		return o, false
	}
	remote := s.fast.peer
	if !s.fast.deferred {
		var ok bool
		if remote, ok = r.destination(p.call); !ok {
			return fails("EINVAL"), true
		}
	}
	n, err := r.dialFast(s, remote, b)
	switch {
	case err != nil:
		return failsWith(err), true
	case blocking:
		p.opens, p.done = true, n
		return blocks, b == nil
	case n == 0:
		return fails("EINPROGRESS"), true
	}
	return returns(int64(n)), true
}

// openFailed is why an open has failed; the socket can open another.
func (r *runner) openFailed(s *socket) CallResult {
	errno := s.takeError()
	if errno == "" {
		errno = "ECONNABORTED"
	}
	r.unconnect(s)
	return fails(errno)
}

// addressOf is the address among the arguments of a call that sends, msg_name in
// sendmsg; nil if there is none.
func addressOf(c *Call) *Expr {
	switch {
	case c.Name == "sendto" && len(c.Args) > 4:
		return &c.Args[4]
	case c.Name == "sendmsg" && len(c.Args) > 1 && c.Args[1].Kind == Struct:
		for i := range c.Args[1].Items {
			item := &c.Args[1].Items[i]
			if item.Kind == Assign && strings.HasPrefix(item.Items[0].Text, "msg_name") {
				return &item.Items[1]
			}
		}
	}
	return nil
}

// destination is where a call sends to; false if it does not say.
func (r *runner) destination(c *Call) (wire.AddrPort, bool) {
	a := addressOf(c)
	if a == nil || a.Kind == Word || a.Kind == Int { // NULL
		return wire.AddrPort{}, false
	}
	to, ok := r.address(&Call{Args: []Expr{*a}}, 0, wire.AddrPort{Addr: r.remote, Port: r.connectPort})
	return to.AddrPort, ok
}

// unspecified reports whether a call sends to an address of AF_UNSPEC.
func unspecified(c *Call) bool {
	a := addressOf(c)
	if a == nil || a.Kind != Struct {
		return false
	}
	for i := range a.Items {
		if x := &a.Items[i]; x.Kind == Assign && strings.HasSuffix(x.Items[0].Text, "_family") && x.Items[1].Text == "AF_UNSPEC" {
			return true
		}
	}
	return false
}

// sockoptFast is setsockopt or getsockopt of an option of Fast Open; done is false
// for others.
func (r *runner) sockoptFast(s *socket, c *Call, set bool) (out CallResult, done bool) {
	if len(c.Args) != 5 {
		return out, false
	}
	level, _ := intOf(&c.Args[1])
	name, _ := intOf(&c.Args[2])
	if level != constants["SOL_TCP"] {
		return out, false
	}
	if name == constants["TCP_FASTOPEN_KEY"] {
		return r.sockoptFastKey(s, c, set), true
	}
	o, ok := readOption(c)
	fresh := s.conn == nil && !s.fast.deferred
	bit := o.value == 0 || o.value == 1
	old := int64(0)
	switch {
	case !ok:
		return out, false
	case name == constants["TCP_FASTOPEN"]:
		old = int64(s.fast.queue)
		if s.listener != nil {
			old = int64(s.listener.FastOpen())
		}
		if set {
			if o.value < 0 || !fresh {
				return fails("EINVAL"), true
			}
			s.fast.queue = int(min(o.value, int64(r.core.MaxBacklog)))
			s.listenFast()
		}
	case name == constants["TCP_FASTOPEN_CONNECT"]:
		old = flag(s.fast.connect)
		if set {
			switch {
			case !bit:
				return fails("EINVAL"), true
			case r.core.FastOpen&core.FastOpenClient == 0:
				return fails("EOPNOTSUPP"), true
			case !fresh || s.listener != nil:
				return fails("EINVAL"), true
			}
			s.fast.connect = o.value == 1
		}
	case name == constants["TCP_FASTOPEN_NO_COOKIE"]:
		old = flag(s.cfg.FastOpenNoCookie)
		if set {
			if !bit || !fresh {
				return fails("EINVAL"), true
			}
			s.cfg.FastOpenNoCookie = o.value == 1
			if s.listener != nil {
				own := *s.cfg
				s.listener.SetConfig(&own)
			}
		}
	default:
		return out, false
	}
	out = returns(0)
	if !set && c.Args[3].Kind != Default && old != o.value {
		out.differ = "expected  " + o.words + " = " + c.Args[3].String() + "\n  actual    " + o.words + " = " + strconv.FormatInt(old, 10)
	}
	return out, true
}

// listenFast tells a listener what has been set.
func (s *socket) listenFast() {
	if s.listener != nil {
		s.listener.SetFastOpen(s.fast.queue, s.fast.keys)
	}
}

// sockoptFastKey is setsockopt or getsockopt of TCP_FASTOPEN_KEY, whose value is a
// string of 16 octets, or 32 with the key before.
func (r *runner) sockoptFastKey(s *socket, c *Call, set bool) CallResult {
	size := &c.Args[4]
	if size.Kind == List && len(size.Items) == 1 {
		size = &size.Items[0]
	}
	n, ok := intOf(size)
	if size.Kind == Default {
		n, ok = int64(len(c.Args[3].Text)), true
	}
	if !ok || n != 16 && n != 32 {
		return fails("EINVAL")
	}
	b := make([]byte, n)
	switch v := &c.Args[3]; {
	case v.Kind == String && len(v.Text) <= len(b):
		copy(b, v.Text)
	case v.Kind == Default:
	default:
		return cannot("this key is not supported: " + c.Args[3].String())
	}
	var k core.FastOpenKeys
	for ; k.Number < len(b)/16; k.Number++ {
		k.Key[k.Number] = siphash.KeyFrom([16]byte(b[16*k.Number:]))
	}
	if set {
		s.fast.keys = k
		s.listenFast()
		return returns(0)
	}
	now := s.fast.keys
	if now.Number == 0 {
		now = r.core.FastOpenKeys
	}
	o := returns(0)
	if c.Args[3].Kind != Default && now != k {
		o.differ = "expected  the key " + c.Args[3].String() + "\n  actual    another"
	}
	return o
}

func (o *TCPOption) appendCookie(b []byte) []byte {
	if o.Word != "" {
		return append(append(b, ' '), o.Word...)
	}
	return appendHex(b, o.Hex)
}
