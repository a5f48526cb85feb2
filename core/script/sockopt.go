package script

import (
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// option is the level, name and value of a socket option call.
type option struct {
	level, name int64
	words       string // "TCP_NODELAY", for messages
	arg         *Expr  // the value, out of its brackets
	value       int64
	isNumber    bool
	size        int64 // the length that is given; -1: none
}

// readOption reads the arguments of setsockopt and getsockopt.
func readOption(c *Call) (o option, ok bool) {
	if len(c.Args) < 4 || len(c.Args) > 5 {
		return o, false
	}
	level, ok1 := intOf(&c.Args[1])
	name, ok2 := intOf(&c.Args[2])
	o = option{level: level, name: name, words: c.Args[2].String(), arg: single(&c.Args[3]), size: -1}
	o.value, o.isNumber = intOf(o.arg)
	if len(c.Args) == 5 {
		if n, ok := intOf(single(&c.Args[4])); ok {
			o.size = n
		}
	}
	return o, ok1 && ok2
}

// on reports whether a flag is to be switched on.
func (o *option) on() bool { return o.value != 0 }

// sockopt is what an option does. An option that cannot be set has no set, one that
// cannot be got has no get.
type sockopt struct {
	level, name string
	wide        bool // its value is something other than one number
	set         func(r *runner, s *socket, o *option) CallResult
	get         func(r *runner, s *socket) int64
	same        func(r *runner, s *socket, o *option) CallResult // getsockopt of a wide one
}

// A value out of its bounds is EINVAL.
func bounded(low, high int64, set func(r *runner, s *socket, v int64) CallResult) func(r *runner, s *socket, o *option) CallResult {
	return func(r *runner, s *socket, o *option) CallResult {
		if o.value < low || o.value > high {
			return fails("EINVAL")
		}
		return set(r, s, o.value)
	}
}

// noted is an option that changes nothing here and gives back what was set.
func noted(level, name string, low, high, def int64) sockopt {
	return sockopt{
		level: level, name: name,
		set: bounded(low, high, func(r *runner, s *socket, v int64) CallResult {
			s.store(constants[level], constants[name], v)
			return returns(0)
		}),
		get: func(r *runner, s *socket) int64 {
			for _, x := range s.stored {
				if x.level == constants[level] && x.name == constants[name] {
					return x.value
				}
			}
			return def
		},
	}
}

// telling is an option that only tells something.
func telling(level, name string, get func(r *runner, s *socket) int64) sockopt {
	return sockopt{level: level, name: name, get: get}
}

// configured is an option that is a field of the configuration.
func configured(level, name string, low, high int64, set func(c *tcp.Config, v int64), get func(c *tcp.Config) int64) sockopt {
	return sockopt{
		level: level, name: name,
		set: bounded(low, high, func(r *runner, s *socket, v int64) CallResult {
			r.adjust(s, func(c *tcp.Config) { set(c, v) })
			return returns(0)
		}),
		get: func(r *runner, s *socket) int64 { return get(s.config()) },
	}
}

// then does more behind the set of x, where there is a connection.
func (x sockopt) then(more func(r *runner, s *socket) error) sockopt {
	set := x.set
	x.set = func(r *runner, s *socket, o *option) CallResult {
		out := set(r, s, o)
		if out.ret == 0 && out.stop == nil && s.conn != nil {
			_ = more(r, s) // the connection may be over
		}
		return out
	}
	return x
}

const anyInt = 1 << 32

// sockopts are the socket options that are known.
var sockopts = index(socketOptions(), tcpOptions(), ipOptions(), foreignOptions())

func index(tables ...[]sockopt) map[[2]int64]sockopt {
	m := map[[2]int64]sockopt{}
	for _, table := range tables {
		for _, x := range table {
			m[[2]int64{constants[x.level], constants[x.name]}] = x
		}
	}
	return m
}

// find is the option of a call; nil: the outcome says why there is none. A name that
// the kernel does not know for its level is ENOPROTOOPT.
func (o *option) find() (*sockopt, CallResult) {
	if x, ok := sockopts[[2]int64{o.level, o.name}]; ok {
		return &x, CallResult{}
	}
	if _, known := constants[o.words]; known && isOptionOf(o.words, o.level) {
		return nil, cannot("the socket option " + o.words + " is not supported")
	}
	return nil, fails("ENOPROTOOPT")
}

// isOptionOf reports whether the name of an option belongs to a level.
func isOptionOf(name string, level int64) bool {
	for _, x := range [...]struct{ prefix, level string }{{"SO_", "SOL_SOCKET"}, {"TCP_", "SOL_TCP"}, {"IP_", "SOL_IP"}, {"IPV6_", "SOL_IPV6"}} {
		if len(name) > len(x.prefix) && name[:len(x.prefix)] == x.prefix {
			return level == constants[x.level]
		}
	}
	return true
}

// optionCall reads the arguments of setsockopt or getsockopt. Without a row of the
// table the call is over, with the outcome.
func (r *runner) optionCall(s *socket, c *Call, set bool) (o option, x *sockopt, out CallResult) {
	if out, done := r.sockoptFast(s, c, set); done {
		return o, nil, out
	}
	o, ok := readOption(c)
	switch {
	case !ok:
		return o, nil, notThis(c)
	case o.level != constants["SOL_IPV6"] || s.domain == constants["AF_INET6"]:
		x, out = o.find()
		return o, x, out
	case set:
		return o, nil, fails("ENOPROTOOPT")
	}
	return o, nil, fails("EOPNOTSUPP")
}

func (r *runner) setsockopt(s *socket, p *PendingCall) CallResult {
	c := p.call
	o, x, out := r.optionCall(s, c, true)
	switch {
	case x == nil:
		return out
	case x.set == nil:
		return fails("ENOPROTOOPT")
	case isNull(o.arg) && o.size != 0:
		return fails("EFAULT")
	case !x.wide && o.size >= 0 && o.size < 4 && (o.level != constants["SOL_IP"] || o.size < 1):
		return fails("EINVAL")
	case !x.wide && !o.isNumber:
		return notThis(c)
	}
	return x.set(r, s, &o)
}

func (r *runner) getsockopt(s *socket, p *PendingCall) CallResult {
	c := p.call
	o, x, out := r.optionCall(s, c, false)
	switch {
	case x == nil:
		return out
	case x.get == nil && x.same == nil:
		return fails("ENOPROTOOPT")
	case o.size < 0 && len(c.Args) == 5 && isNumber(single(&c.Args[4])):
		return fails("EINVAL")
	case x.same != nil:
		return x.same(r, s, &o)
	}
	if (o.is("SOL_IP", "IP_MTU") || o.is("SOL_IPV6", "IPV6_MTU")) && s.conn == nil {
		return fails("ENOTCONN")
	}
	v := x.get(r, s)
	out = returns(0)
	if o.arg.Kind != Default && (!o.isNumber || v != o.value) {
		out.differ = differs(o.words, c.Args[3].String(), v)
	}
	if o.size > 4 && out.differ == "" && len(c.Args) == 5 && c.Args[4].Kind == List {
		out.differ = differs("optlen", c.Args[4].String(), 4)
	}
	return out
}

func isNumber(e *Expr) bool { return e.Kind == Int }

// is reports whether o is the option of these words.
func (o *option) is(level, name string) bool {
	return o.level == constants[level] && o.name == constants[name]
}

func flag(on bool) int64 {
	if on {
		return 1
	}
	return 0
}

// keepalive tells the connection what the options have made of its keepalive.
func (s *socket) keepalive(now clock.Instant) error {
	c := s.config()
	return s.conn.SetKeepalive(now, c.Keepalive, c.KeepaliveIdle, c.KeepaliveInterval, c.KeepaliveCount)
}

// setController is TCP_CONGESTION.
func setController(r *runner, s *socket, o *option) CallResult {
	if o.arg.Kind != String {
		return fails("EINVAL")
	}
	controller, ok := controllerOf(o.arg.Text)
	if !ok {
		if isController(o.arg.Text) {
			return cannot("the congestion control " + o.arg.Text + " is not supported")
		}
		return fails("ENOENT")
	}
	if s.conn != nil && s.config().Controller.Name() != controller.Name() {
		return cannot("another congestion control in the middle of a connection is not supported")
	}
	r.adjust(s, func(c *tcp.Config) { c.Controller = controller })
	return returns(0)
}

// controllerOf is a congestion control by Linux's name.
func controllerOf(name string) (cc.Controller, bool) {
	if name == "reno" {
		name = "newreno"
	}
	return cc.ByName(name)
}

// isController reports whether Linux or FreeBSD has a congestion control of a name.
func isController(name string) bool {
	switch name {
	case "bbr", "bic", "cdg", "chd", "dctcp", "hd", "highspeed", "htcp", "hybla", "illinois", "lp", "nv", "scalable", "vegas", "veno", "westwood", "yeah":
		return true
	}
	return false
}

func sameController(r *runner, s *socket, o *option) CallResult {
	out := returns(0)
	name := s.config().Controller.Name()
	if o.arg.Kind == String && name != o.arg.Text && !(name == "newreno" && o.arg.Text == "reno") {
		out.differ = "expected  " + o.arg.Text + "\n  actual    " + name
	}
	return out
}

// setLinger is SO_LINGER: {onoff=1, linger=0}, or a number of seconds.
func setLinger(r *runner, s *socket, o *option) CallResult {
	on, ok1 := number(o.arg, "onoff", "l_onoff")
	sec, ok2 := number(o.arg, "linger", "l_linger")
	switch {
	case o.arg.Kind != Struct || !ok1 || !ok2 || sec < 0:
		return fails("EINVAL")
	case o.size >= 0 && o.size < 8:
		return fails("EINVAL")
	}
	wait := clock.Duration(sec) * clock.Second
	r.adjust(s, func(c *tcp.Config) { c.Linger, c.LingerTime = on != 0, wait })
	return returns(0)
}

func sameLinger(r *runner, s *socket, o *option) CallResult {
	out := returns(0)
	on, _ := number(o.arg, "onoff", "l_onoff")
	sec, _ := number(o.arg, "linger", "l_linger")
	c := s.config()
	if got := int64(c.LingerTime / clock.Second); o.arg.Kind == Struct && (flag(c.Linger) != flag(on != 0) || got != sec) {
		out.differ = "expected  " + o.arg.String() + "\n  actual    {onoff=" + string('0'+byte(flag(c.Linger))) + ", linger=" + string(appendSeconds(nil, c.LingerTime)) + "}"
	}
	return out
}

// timeout is SO_RCVTIMEO and SO_SNDTIMEO.
func timeout(name string, of func(s *socket) *clock.Duration) sockopt {
	return sockopt{
		level: "SOL_SOCKET", name: name, wide: true,
		set: func(r *runner, s *socket, o *option) CallResult {
			if o.arg.Kind != Struct {
				return fails("EINVAL")
			}
			d, ok := span(o.arg)
			if !ok {
				return fails("EDOM")
			}
			*of(s) = d
			return returns(0)
		},
		same: func(r *runner, s *socket, o *option) CallResult {
			out := returns(0)
			if d, ok := span(o.arg); ok && d != *of(s) {
				out.differ = "expected  " + o.arg.String() + "\n  actual    " + string(appendSeconds(nil, *of(s))) + " s"
			}
			return out
		},
	}
}
