package drill

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vishvananda/netlink"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/script"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/hosts/native"
	"github.com/tcpkit/tcpkit/hosts/native/sockdiag"
)

// Run plays a script against this machine's kernel. An error says what the
// machine lacks for it; all else is in the Result.
func Run(s *script.Script, cfg script.Config, o Options) (res script.Result, err error) {
	if o.Limit == 0 {
		o.Limit = defaultLimit
	}
	if d := time.Duration(Length(s)); d > o.Limit {
		return script.Result{
			Outcome: script.Unsupported,
			Detail:  fmt.Sprintf("%s: it takes %v in real time, and the limit is %v", s.Name, d.Round(time.Second), o.Limit),
		}, nil
	}
	cfg.MaxQuiet = quiet
	for range 1 + o.Retries {
		if res, err = run(s, cfg, o.Limit); err != nil || res.Outcome != script.Failed {
			break
		}
	}
	return res, err
}

// run plays a script once.
func run(s *script.Script, cfg script.Config, limit time.Duration) (res script.Result, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		// The thread has a namespace that nothing else may run in, so it is never
		// unlocked and ends with the goroutine.
		runtime.LockOSThread()
		k, bad := open(limit)
		if bad != nil {
			err = bad
			return
		}
		defer k.close()
		res = script.RunOn(k, s, cfg)
		if k.broken != nil {
			err = k.broken
		}
	}()
	<-done
	return res, err
}

// kernel is the script.System that is the kernel: its clock is the real one.
type kernel struct {
	script.Place
	judge script.Judge
	limit time.Duration
	begin time.Time // where the clock is at script.Origin

	tun     *native.TUN
	diag    *sockdiag.Diag
	packets chan sniffed
	broken  error // what the machine lacks

	congestion string            // of new sockets
	socks      map[int64]*socket // by the script's descriptor
	connecting *socket           // whose SYN comes next
	returned   chan returned
}

// sniffed is a packet that the kernel has sent.
type sniffed struct {
	at    time.Time
	bytes []byte
}

// baseline is what every run begins with: Linux's own defaults depend on the
// machine's memory; these are those of one with 1 to 8 GiB, and of the profile
// linux. The key of cookies is the one that scripts expect.
var baseline = [...]struct{ name, value string }{
	{"tcp_rmem", "4096 131072 6291456"},
	{"tcp_wmem", "4096 16384 4194304"},
	{"tcp_fastopen_key", script.FastOpenKey},
}

// open makes a network namespace for this thread.
func open(limit time.Duration) (*kernel, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("making a network namespace: %w", err)
	}
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return nil, fmt.Errorf("bringing up the loopback: %w", err)
	}
	for _, x := range baseline {
		if err := os.WriteFile(filepath.Join("/proc/sys/net/ipv4", x.name), []byte(x.value), 0); err != nil {
			return nil, fmt.Errorf("setting %s: %w", x.name, err)
		}
	}
	return &kernel{
		limit: limit, congestion: "cubic", begin: time.Now(), packets: make(chan sniffed, 1024), socks: map[int64]*socket{}, returned: make(chan returned, 64),
	}, nil
}

// close ends what is open. What still blocks in a call is woken up by shutdown,
// or ends by itself.
func (k *kernel) close() {
	for _, s := range k.socks {
		unix.Shutdown(s.fd, unix.SHUT_RDWR)
		linger := unix.Linger{Onoff: 1}
		unix.SetsockoptLinger(s.fd, unix.SOL_SOCKET, unix.SO_LINGER, &linger)
		unix.Close(s.fd)
	}
	if k.tun != nil {
		k.tun.Close()
		for range k.packets { // so that sniff sees it
		}
	}
	if k.diag != nil {
		k.diag.Close()
	}
}

// Name implements script.System.
func (k *kernel) Name() string { return "Linux" }

// Profile implements script.System.
func (k *kernel) Profile(name string) *script.Problem {
	if name != "linux" {
		return script.NotSupported("the kernel has no profile " + name)
	}
	return nil
}

// Set implements script.System: what has a sysctl in the namespace is set there.
func (k *kernel) Set(setting string) *script.Problem {
	name, value, ok := strings.Cut(setting, "=")
	name, value = strings.TrimSpace(name), strings.Trim(strings.TrimSpace(value), `"'`)
	name = strings.TrimPrefix(strings.ReplaceAll(name, ".", "/"), "/")
	name = strings.TrimPrefix(name, "proc/sys/")
	if !strings.HasSuffix(name, "tcp_fastopen_key") {
		value = strings.ReplaceAll(value, ",", " ")
	}
	switch own := strings.TrimPrefix(name, "tcpkit/"); {
	case !ok:
		return script.NotSupported("the setting " + setting + " is not supported")
	case own == "fastopen_flush":
		if err := flushMetrics(); err != nil {
			return script.Broken(err.Error())
		}
		return nil
	case own == "receive_buffer":
		// Half of a receive buffer is for data.
		n, err := strconv.Atoi(value)
		if err != nil {
			return script.NotSupported("the setting " + setting + " is not supported")
		}
		name, value = "net/ipv4/tcp_rmem", fmt.Sprintf("4096 %d %d", 2*n, 2*n)
	case strings.HasSuffix(name, "tcp_congestion_control"):
		// A namespace may not choose for itself; a socket may.
		k.congestion = value
		return nil
	case !strings.Contains(name, "/"):
		name = "net/ipv4/" + name
	case name != own || !strings.HasPrefix(name, "net/") || strings.Contains(name, ".."):
		return script.NotSupported("the kernel has no setting " + name)
	}
	err := os.WriteFile(filepath.Join("/proc/sys", name), []byte(value), 0)
	if n, bad := strconv.ParseInt(value, 10, 32); errors.Is(err, unix.EINVAL) && bad == nil && n < 0 {
		err = os.WriteFile(filepath.Join("/proc/sys", name), strconv.AppendUint(nil, uint64(uint32(n)), 10), 0) // it has no sign
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		return script.NotSupported("the kernel has no setting " + name + " for a network namespace")
	case errors.Is(err, os.ErrPermission):
		return script.NotSupported("the setting " + name + " may not be changed here")
	case err != nil:
		return script.Broken("setting " + name + " to " + value + ": " + err.Error())
	}
	return nil
}

// Start implements script.System.
func (k *kernel) Start(p script.Place, j script.Judge) *script.Problem {
	k.Place, k.judge = p, j
	local, remote := netAddr(p.Local()), netAddr(p.Remote())
	cfg := native.TUNConfig{
		MTU:    p.MTU(),
		Peer:   []netip.Prefix{netip.PrefixFrom(local, local.BitLen())},
		Routes: []netip.Prefix{netip.PrefixFrom(remote, remote.BitLen())},
	}
	if k.tun, k.broken = native.OpenTUN(cfg); k.broken != nil {
		return script.Broken(k.broken.Error())
	}
	if k.diag, k.broken = sockdiag.Open(); k.broken != nil {
		return script.Broken(k.broken.Error())
	}
	go k.sniff()
	k.begin = time.Now()
	return nil
}

func netAddr(a wire.Addr) netip.Addr {
	if a.Is4() {
		return netip.AddrFrom4(a.As4())
	}
	return netip.AddrFrom16(a.As16())
}

func netAddrPort(a wire.AddrPort) netip.AddrPort { return netip.AddrPortFrom(netAddr(a.Addr), a.Port) }

// sniff hands on what the kernel sends, until the TUN is closed.
func (k *kernel) sniff() {
	defer close(k.packets)
	for {
		var p packet.Packet
		if k.tun.ReadPacket(&p) != nil {
			return
		}
		k.packets <- sniffed{time.Now(), p.Bytes}
	}
}

// instant is a time on the script's clock.
func (k *kernel) instant(t time.Time) clock.Instant {
	return script.Origin.Add(clock.Duration(t.Sub(k.begin)))
}

// Now implements script.System.
func (k *kernel) Now() clock.Instant { return k.instant(time.Now()) }

// Idle implements script.System: the kernel does not tell.
func (k *kernel) Idle() bool { return false }

// Lag implements script.System: how long a packet may be on its way to us.
func (k *kernel) Lag() clock.Duration { return 20 * clock.Millisecond }

// Wait implements script.System.
func (k *kernel) Wait(to clock.Instant) (more bool, bad *script.Problem) {
	left := time.Duration(to.Sub(k.Now()))
	if most := k.limit - time.Since(k.begin); left > most {
		if most <= 0 {
			return false, script.Broken("the run has taken longer than " + k.limit.String())
		}
		left = most
	}
	if left <= 0 {
		// What has happened already is still told.
		select {
		case p := <-k.packets:
			k.sent(p)
			return true, nil
		case r := <-k.returned:
			return true, k.tell(r)
		default:
			return false, nil
		}
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case p := <-k.packets:
		k.sent(p)
		return true, nil
	case r := <-k.returned:
		return true, k.tell(r)
	case <-timer.C:
		return k.Now().Before(to), nil
	}
}

// sent tells the judge of a packet, if it is between the script's two addresses:
// the kernel also looks for routers and says what groups it is in.
func (k *kernel) sent(p sniffed) {
	var h wire.IP
	if wire.ParseIP(p.bytes, &h) != rule.NotDropped || h.Src != k.Local() || h.Dst.IsMulticast() {
		return
	}
	var t wire.TCP
	if h.Protocol == wire.ProtocolTCP && wire.ParseTCP(p.bytes[h.HeaderLen:], &t) == rule.NotDropped && k.connecting != nil && t.Flags&(wire.SYN|wire.ACK) == wire.SYN {
		local, remote := wire.AddrPort{Addr: h.Src, Port: t.SrcPort}, wire.AddrPort{Addr: h.Dst, Port: t.DstPort}
		k.connecting.local, k.connecting.remote = local, remote
		k.connecting = nil
		k.judge.Connects(local, remote)
	}
	k.judge.Sent(k.instant(p.at), p.bytes)
}

// Inject implements script.System.
func (k *kernel) Inject(b []byte) *script.Problem {
	p := packet.Packet{Bytes: b}
	for {
		err := k.tun.WritePacket(&p)
		if err == nil {
			return nil
		}
		if errors.Is(err, packet.ErrSize) {
			return script.NotSupported("a packet that is larger than the link takes")
		}
		if !errors.Is(err, packet.ErrFull) || k.tun.WaitWritable() != nil {
			return script.Broken("giving the kernel a packet: " + err.Error())
		}
	}
}

// states are the states by the kernel's numbers.
var states = func() map[sockdiag.State]tcp.State {
	m := make(map[sockdiag.State]tcp.State)
	for s := tcp.Closed; s <= tcp.TimeWait; s++ {
		m[sockdiag.State(s.Linux())] = s
	}
	return m
}()

// State implements script.System. What the kernel has no connection for is
// CLOSED.
func (k *kernel) State(local, remote wire.AddrPort) (s tcp.State, held bool) {
	held = k.holder(local, remote) != nil
	if found, err := k.diag.Lookup(netAddrPort(local), netAddrPort(remote)); err == nil {
		if s, ok := states[found.State]; ok {
			return s, held
		}
	}
	if !held && k.Listens(local) {
		return tcp.Listen, false
	}
	return tcp.Closed, held
}

// holder is the socket that holds a connection, nil if none does.
func (k *kernel) holder(local, remote wire.AddrPort) *socket {
	for _, s := range k.socks {
		if !s.listens && s.local == local && s.remote == remote {
			return s
		}
	}
	return nil
}

// Listens implements script.System.
func (k *kernel) Listens(a wire.AddrPort) bool {
	for _, s := range k.socks {
		if s.listens && s.local.Port == a.Port {
			return true
		}
	}
	return false
}
