package script

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/wire"
)

// intOf is the number that an expression stands for.
func intOf(e *Expr) (int64, bool) {
	switch e.Kind {
	case Int:
		return e.Int, true
	case Word:
		v, ok := constants[e.Text]
		return v, ok
	case Or:
		var all int64
		for i := range e.Items {
			v, ok := intOf(&e.Items[i])
			if !ok {
				return 0, false
			}
			all |= v
		}
		return all, true
	case Apply:
		if (e.Text == "htons" || e.Text == "htonl") && len(e.Items) == 1 {
			return intOf(&e.Items[0])
		}
	}
	return 0, false
}

// single is what stands in [x], or x itself.
func single(e *Expr) *Expr {
	if e.Kind == List && len(e.Items) == 1 {
		return &e.Items[0]
	}
	return e
}

// isNull reports whether an argument is NULL.
func isNull(e *Expr) bool { return e.Kind == Word && e.Text == "NULL" }

// arg is the i-th argument as a number; what is missing or ... is def.
func arg(c *Call, i int, def int64) (int64, bool) {
	if i >= len(c.Args) || c.Args[i].Kind == Default {
		return def, true
	}
	return intOf(single(&c.Args[i]))
}

// field is a member NAME=VALUE or NAME(N)=VALUE of a struct; nil if it has none.
func field(e *Expr, names ...string) *Expr {
	if e.Kind != Struct {
		return nil
	}
	for i := range e.Items {
		x := &e.Items[i]
		for _, name := range names {
			if x.Kind == Assign && x.Items[0].Text == name {
				return &x.Items[1]
			}
		}
	}
	return nil
}

// number is a member of a struct as a number, 0 if it is not there; false: it is no
// number that is known.
func number(e *Expr, names ...string) (int64, bool) {
	x := field(e, names...)
	if x == nil || x.Kind == Default {
		return 0, true
	}
	return intOf(single(x))
}

// span is a struct timeval.
func span(e *Expr) (d clock.Duration, ok bool) {
	if e.Kind != Struct {
		return 0, false
	}
	var s, us int64
	if field(e, "tv_sec") == nil && len(e.Items) == 2 && e.Items[0].Kind != Assign {
		var ok1, ok2 bool
		s, ok1 = intOf(&e.Items[0])
		us, ok2 = intOf(&e.Items[1])
		ok = ok1 && ok2
	} else {
		var ok1, ok2 bool
		s, ok1 = number(e, "tv_sec")
		us, ok2 = number(e, "tv_usec")
		ok = ok1 && ok2
	}
	ok = ok && s >= 0 && s < 1<<31 && us >= 0 && us < 1<<31
	return clock.Duration(s)*clock.Second + clock.Duration(us)*clock.Microsecond, ok
}

// sockaddr is an address argument.
type sockaddr struct {
	wire.AddrPort
	family int64 // 0: AF_UNSPEC
	given  bool  // it was not ...
}

// family is the address family of the script's sockets.
func (p *Place) family() int64 {
	if p.local.Is6() || p.mapped {
		return constants["AF_INET6"]
	}
	return constants["AF_INET"]
}

// address reads a sockaddr; ... is def.
func (p *Place) address(c *Call, i int, def wire.AddrPort) (a sockaddr, ok bool) {
	a = sockaddr{AddrPort: def, family: p.family()}
	if i >= len(c.Args) || c.Args[i].Kind == Default {
		return a, true
	}
	a.given = true
	e := &c.Args[i]
	if e.Kind != Struct {
		return a, false
	}
	for j := range e.Items {
		item := &e.Items[j]
		if item.Kind == Apply && item.Text == "inet_pton" { // inet_pton(AF_INET6, "fe80::1", &sin6_addr)
			if len(item.Items) < 2 || !a.parse(&item.Items[1]) {
				return a, false
			}
			continue
		}
		if item.Kind != Assign || item.Items[0].Kind != Word {
			return a, false
		}
		value := &item.Items[1]
		if value.Kind == Default {
			continue
		}
		switch item.Items[0].Text {
		case "sa_family", "sin_family", "sin6_family":
			if a.family, ok = intOf(value); !ok {
				return a, false
			}
		case "sin_port", "sin6_port":
			port, ok := intOf(value)
			if !ok || port < 0 || port > 65535 {
				return a, false
			}
			a.Port = uint16(port)
		case "sin_addr", "sin6_addr", "s_addr":
			if !a.parse(value) {
				return a, false
			}
		}
	}
	return a, true
}

// parse takes an address: "1.2.3.4", inet_addr("1.2.3.4"), INADDR_ANY.
func (a *sockaddr) parse(e *Expr) bool {
	for e.Kind == Apply && len(e.Items) > 0 && e.Text != "htonl" {
		e = &e.Items[min(len(e.Items), 2)-1] // inet_addr("..."), inet_pton(AF_INET, "...")
	}
	if e.Kind != String {
		v, ok := intOf(e)
		a.Addr = wire.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
		return ok
	}
	text := e.Text
	const mapped = "::ffff:" // ipv4-mapped-ipv6
	if len(text) > len(mapped) && text[:len(mapped)] == mapped {
		text = text[len(mapped):]
	}
	addr, err := wire.ParseAddr(text)
	a.Addr = addr
	return err == nil
}

// maxTransfer bounds one read or write.
const maxTransfer = 64 << 20

// transfer is what a read or a write is about.
type transfer struct {
	n       int64  // octets
	text    string // which ones, where the script says so; else zeros
	null    bool   // the buffer is NULL
	flags   int64
	msg     *Expr // the msghdr of recvmsg and sendmsg
	control *Expr // its msg_control; nil: it has none
}

// size is how many octets a call is about and which ones, for who only wants to
// know that.
func size(c *Call) (n int64, text string, ok bool) {
	t, ok := transferOf(c)
	return t.n, t.text, ok
}

// flagsOf is the flags argument of a call that reads or writes.
func flagsOf(c *Call) (int64, bool) {
	t, ok := transferOf(c)
	return t.flags, ok
}

// transferOf reads the arguments of a read or a write.
func transferOf(c *Call) (t transfer, ok bool) {
	flagsAt := -1
	switch c.Name {
	case "readv", "writev":
		if len(c.Args) < 2 {
			return t, false
		}
		if isNull(&c.Args[1]) {
			t.null = true
			t.n, ok = arg(c, 2, 0)
			return t, ok
		}
		ok = t.vectors(&c.Args[1])
	case "recvmsg", "sendmsg":
		if len(c.Args) < 2 {
			return t, false
		}
		flagsAt, ok = 2, true
		if t.msg = &c.Args[1]; isNull(t.msg) {
			t.null, t.msg = true, nil
			break
		}
		if t.msg.Kind != Struct {
			return t, false
		}
		if iov := field(t.msg, "msg_iov"); iov != nil && iov.Kind != Default && !isNull(iov) {
			ok = t.vectors(iov)
		}
		if t.control = field(t.msg, "msg_control"); t.control != nil && (t.control.Kind == Default || isNull(t.control)) {
			t.control = nil
		}
	case "read", "write", "recv", "send", "recvfrom", "sendto":
		if len(c.Args) < 3 {
			return t, false
		}
		flagsAt = 3
		if c.Args[1].Kind == String {
			t.text = c.Args[1].Text
		}
		t.null = isNull(&c.Args[1])
		if t.n, ok = intOf(&c.Args[2]); c.Args[2].Kind == Default {
			t.n, ok = int64(len(t.text)), true
		}
	default:
		return t, false
	}
	if flagsAt >= 0 && c.Name != "read" && c.Name != "write" {
		v, known := arg(c, flagsAt, 0)
		t.flags, ok = v, ok && known
	}
	return t, ok && t.n >= 0 && t.n <= maxTransfer
}

// vectors adds up [{..., 10}, {"abc", 3}].
func (t *transfer) vectors(e *Expr) bool {
	if e.Kind != List {
		return false
	}
	for i := range e.Items {
		v := &e.Items[i]
		if v.Kind != Struct || len(v.Items) != 2 {
			return false
		}
		base, length := &v.Items[0], &v.Items[1]
		if base.Kind == Assign {
			base = &base.Items[1]
		}
		if length.Kind == Assign {
			length = &length.Items[1]
		}
		one, ok := intOf(length)
		if !ok || one < 0 || one > maxTransfer {
			return false
		}
		t.null = t.null || isNull(base) && one > 0
		if base.Kind == String {
			t.text += base.Text
		} else if t.text != "" || i+1 < len(e.Items) {
			t.text += string(make([]byte, one))
		}
		t.n += one
	}
	return true
}
