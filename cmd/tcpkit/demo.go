package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"net/netip"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/hosts/native"
	"github.com/tcpkit/tcpkit/hosts/native/netns"
	"github.com/tcpkit/tcpkit/internal/narrate"
)

const demoLong = `The kernel's TCP and tcpkit's TCP talk over a TUN in a private network
namespace, and the exchange is drawn as it happens: handshake, an HTTP request,
four-way close, TIME-WAIT. After each segment both ends' states are asked for,
the kernel's by its socket diagnostics.

There are two acts. In the first the kernel connects, so tcpkit passes
SYN-RECEIVED and the kernel ends in TIME-WAIT; in the second it is the other way
round. The last line says whether all was as RFC 9293 wants it; if not, the exit
code is 3.

No right is needed but that to user namespaces and to open /dev/net/tun. Where
it can't be had, the demo says why, and runs the same exchange between two
stacks in memory, on a virtual clock.`

// A demo is what the flags of the command say.
type demo struct {
	app  *app
	lang narrate.Lang

	language   string
	role       string
	msl        time.Duration
	six        bool
	wait       bool
	memory     bool
	requireTUN bool
	write      string
}

func newDemo(a *app) *cobra.Command {
	d := &demo{app: a}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "The kernel's TCP and tcpkit's shake hands, live, step by step",
		Long:  demoLong,
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return d.run(cmd) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	addLang(cmd, &d.language)
	f.StringVar(&d.role, "role", "both", "what tcpkit is, `ROLE`: server (act 1), client (act 2) or both")
	f.BoolVarP(&d.six, "ipv6", "6", false, "talk over IPv6")
	f.DurationVar(&d.msl, "msl", 0, "tcpkit's MSL, a `DURATION`; TIME-WAIT lasts twice as long (default 500ms over the TUN, in memory RFC 9293's 2m)")
	f.BoolVar(&d.wait, "wait", false, "wait for the kernel's TIME-WAIT too, 60 s")
	f.BoolVar(&d.memory, "memory", false, "without the kernel: two stacks in memory, the same each time")
	f.BoolVar(&d.requireTUN, "require-tun", false, "fail where no TUN can be had, and don't go on in memory")
	f.StringVarP(&d.write, "write", "w", "", "write a capture with comments to `FILE.pcapng`")
	cmd.RegisterFlagCompletionFunc("role", cobra.FixedCompletions([]string{"both", "server", "client"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

var errDemoLinux = errors.New("only Linux tells the states of its sockets and has network namespaces")

// check looks at the command line and opens nothing.
func (d *demo) check() error {
	var err error
	if d.lang, err = pickLang(d.language); err != nil {
		return err
	}
	if d.role != "both" && d.role != "server" && d.role != "client" {
		return usagef("bad --role %q: give server, client or both", d.role)
	}
	if d.msl < 0 || d.msl > time.Hour {
		return usagef("bad --msl %v: give more than 0 and at most 1h, like 500ms", d.msl)
	}
	if d.memory && d.requireTUN {
		return usagef("--memory and --require-tun exclude each other")
	}
	if d.memory && d.wait {
		return usagef("--wait is for the kernel's TIME-WAIT, and with --memory there is no kernel")
	}
	if d.write == "-" {
		return usagef("bad -w -: stdout is for the drawing; name a file or a FIFO")
	}
	return nil
}

func (d *demo) run(cmd *cobra.Command) error {
	if err := d.check(); err != nil {
		return err
	}
	given := cmd.Flags().Changed("msl")
	if given && d.msl == 0 {
		return usagef("bad --msl 0: give more than 0 and at most 1h, like 500ms")
	}
	if d.memory {
		p, err := d.inMemory(given)
		if err != nil {
			return err
		}
		return p.run()
	}
	if runtime.GOOS != "linux" {
		return d.without(errDemoLinux, given)
	}
	if !netns.Inside() {
		// Where the node can't be opened a namespace would not help.
		code, err := 0, thisMachine().openTUN()
		if err == nil {
			code, err = netns.Run(nil)
		}
		if err == nil {
			if code != exitOK {
				return &silentError{code}
			}
			return nil
		}
		return d.without(err, given)
	}
	l, err := openKernelLink(native.TUNConfig{Name: defaultTUN, Peer: []netip.Prefix{d.prefix(peerEnd)}})
	if err != nil {
		return d.without(err, given)
	}
	defer l.close()
	return d.overTUN(l, given)
}

// without says what forbids a TUN and how to allow it, and goes on in memory
// unless the user wants otherwise.
func (d *demo) without(err error, given bool) error {
	text := d.explain(err, thisMachine())
	if d.requireTUN {
		return &exitError{exitPermission, errors.New(text)}
	}
	d.app.log.Warn(text)
	d.app.log.Info(sayGoOn.in(d.lang))
	p, err := d.inMemory(given)
	if err != nil {
		return err
	}
	return p.run()
}

// explain says what forbids a TUN, given the error that it gave.
func (d *demo) explain(err error, m *machine) string {
	text := sayNoTUN.in(d.lang, err.Error())
	for _, f := range whyNoTUN(m) {
		what, colon := f.What, ": "
		if zh := findingsZH[f.Check]; zh != "" && d.lang == narrate.Chinese {
			what, colon = zh, "："
		}
		switch {
		case strings.HasPrefix(f.Check, "its "):
			what = "/dev/net/tun" + colon + what
		case strings.ContainsAny(f.Check, "./"):
			what = f.Check + colon + what
		}
		text += "\n  " + what
		if f.Mend != "" {
			text += "\n    $ " + f.Mend
		}
	}
	return text
}

// whyNoTUN is what the doctor has to say of it, in which no namespace has the
// rights that it brings.
func whyNoTUN(m *machine) []finding {
	if m.os != "linux" {
		return nil // the error has said it
	}
	if mode, there := m.tunMode(); there && mode.Perm()&0o006 == 0o006 && errors.Is(m.openTUN(), syscall.EPERM) {
		// Its mode would allow it: this is the list of a container's devices.
		return []finding{{"container", "missing", "the container was not given the device", "docker run --device /dev/net/tun ..."}}
	}
	found := examineTUN(m)
	if !netns.Inside() {
		found = append(found, examineRights(m)...)
	}
	var why []finding
	for _, f := range found {
		if f.Check != "CAP_NET_ADMIN" && (f.Status == "missing" || f.Check == "container") {
			why = append(why, f)
		}
	}
	return why
}

// The demo's addresses, the kernel's first.
var demoAddrs = [2][2]string{{"10.77.0.1/24", "10.77.0.2/24"}, {"fd77::1/64", "fd77::2/64"}}

const demoPort = 80

func (d *demo) prefix(end int) netip.Prefix {
	if d.six {
		return netip.MustParsePrefix(demoAddrs[1][end])
	}
	return netip.MustParsePrefix(demoAddrs[0][end])
}

func (d *demo) wirePrefix(end int) wire.Prefix {
	p, err := wire.ParsePrefix(d.prefix(end).String())
	if err != nil {
		panic(err) // it is one of ours
	}
	return p
}

// config is what a stack of the demo goes by.
func (d *demo) config(msl clock.Duration) (core.Config, error) {
	cfg, err := core.Profile("linux")
	cfg.TCP.TimeWait = 2 * msl
	return cfg, err
}

// overTUN plays with the kernel.
func (d *demo) overTUN(l *kernelLink, given bool) error {
	msl := mslWords{d: clock.Duration(d.msl), given: given, kernel: true}
	if !given {
		msl.d = 500 * clock.Millisecond
	}
	msl.full = msl.d == fullMSL
	cfg, err := d.config(msl.d)
	if err != nil {
		return err
	}
	if _, err := rand.Read(cfg.Secret[:]); err != nil {
		return fmt.Errorf("no entropy: %w", err)
	}
	p := d.play(msl)
	p.names = [2]string{phrase{"the kernel", "内核"}.in(d.lang), "tcpkit"}
	p.heads = [2]string{phrase{"kernel", "内核"}.in(d.lang), "tcpkit"}
	p.cast.kernel, p.cast.link, p.cast.mtu = l.release, l.name(), l.mtu()
	p.time = l
	p.twoMSL = [2]clock.Duration{kernelTimeWait, 2 * msl.d}
	p.ends = func(act int) (ends [2]endpoint, closeAll func(), err error) {
		kit, err := newStackEnd(cfg, l.link(), d.wirePrefix(kitEnd))
		if err != nil {
			return ends, nil, err
		}
		kernel, closeAll := l.end(d.prefix(peerEnd).Addr())
		return [2]endpoint{kernel, kit}, closeAll, nil
	}
	return p.run()
}

// inMemory is the play without the kernel. Nothing in it is left to chance: the
// clock is virtual and the secrets are fixed.
func (d *demo) inMemory(given bool) (*play, error) {
	msl := mslWords{d: clock.Duration(d.msl), given: given}
	if !given {
		msl.d = fullMSL
	}
	msl.full = msl.d == fullMSL
	cfg, err := d.config(msl.d)
	if err != nil {
		return nil, err
	}
	p := d.play(msl)
	p.names = [2]string{phrase{"the peer", "对端"}.in(d.lang), "tcpkit"}
	p.heads = [2]string{phrase{"peer", "对端"}.in(d.lang), "tcpkit"}
	const delay = 10 * clock.Millisecond
	p.cast.memory, p.cast.delay = true, delay
	p.time = &virtualTime{delay: delay}
	p.twoMSL = [2]clock.Duration{2 * msl.d, 2 * msl.d}
	p.ends = func(act int) (ends [2]endpoint, closeAll func(), err error) {
		for i := range ends {
			cfg := cfg
			cfg.Secret = [16]byte{'d', 'e', 'm', 'o', byte(act), byte(i)}
			if ends[i], err = newStackEnd(cfg, packet.Link{MTU: 1500}, d.wirePrefix(i)); err != nil {
				return ends, nil, err
			}
		}
		return ends, func() {}, nil
	}
	return p, nil
}

// A play is all acts with what they share.
type play struct {
	*demo
	msl    mslWords
	names  [2]string
	heads  [2]string
	cast   cast
	time   demoTime
	twoMSL [2]clock.Duration
	ends   func(act int) ([2]endpoint, func(), error)
}

func (d *demo) play(msl mslWords) *play {
	p := &play{demo: d, msl: msl}
	for i := range p.cast.addrs {
		p.cast.addrs[i] = d.prefix(i).Addr().String()
	}
	return p
}

// run plays the acts and gives the verdict.
func (p *play) run() (err error) {
	stop := watchSignals(context.Background())
	defer stop.stop()
	var see theatre
	if p.app.json {
		see = &recital{out: json.NewEncoder(p.app.out), heads: p.heads}
	} else {
		s := newScreen(p.app.out, p.lang)
		s.names, s.heads, s.msl, s.rules = p.names, p.heads, p.msl, p.app.verbose
		defer s.Leave()
		see = s
	}
	var tap *capture
	if p.write != "" {
		if tap, err = openCapture(p.write, "demo", 0, p.app.log); err != nil {
			return err
		}
		defer func() {
			if e := tap.close(); err == nil {
				err = e
			}
		}()
	}
	see.title(&p.cast)
	v := &verdict{}
	for act, client := range [...]int{peerEnd, kitEnd} {
		if p.role == "server" && client == kitEnd || p.role == "client" && client == peerEnd {
			continue
		}
		r, err := p.act(stop.soft, see, act+1, client, tap)
		if sig := stop.asked(); sig != nil {
			return &silentError{sig.exitOf()}
		}
		if err != nil {
			return fmt.Errorf("act %d: %w", act+1, err)
		}
		v.found = append(v.found, judge(act+1, r)...)
		v.segments += len(r.segments)
	}
	see.verdict(v)
	if err := see.failed(); err != nil {
		return err
	}
	if v.count() > 0 {
		return &silentError{exitExpectation}
	}
	return nil
}

// act plays one act with new ends.
func (p *play) act(ctx context.Context, see theatre, n, client int, tap *capture) (*record, error) {
	ends, closeAll, err := p.ends(n)
	if err != nil {
		return nil, err
	}
	defer closeAll()
	if kit, ok := ends[kitEnd].(*stackEnd); ok && tap != nil {
		kit.tap = tap.Packet
	}
	x := &exchange{
		ends: ends, client: client, port: demoPort, time: p.time, screen: see, twoMSL: p.twoMSL,
		wait:    p.wait || p.cast.memory,
		addr:    [2]wire.Addr{p.wirePrefix(peerEnd).Addr, p.wirePrefix(kitEnd).Addr},
		request: demoRequest(netip.AddrPortFrom(p.prefix(1-client).Addr(), demoPort)), response: demoResponse(),
	}
	see.act(n, client, demoPort, [2]int{len(x.request), len(x.response)})
	if err := x.run(ctx); err != nil {
		return nil, err
	}
	return &x.record, see.failed()
}

// demoRequest is what a browser would say, but for its many headers.
func demoRequest(server netip.AddrPort) []byte {
	host := server.Addr().String()
	if server.Addr().Is6() {
		host = "[" + host + "]"
	}
	return []byte("GET / HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: tcpkit-demo\r\n\r\n")
}

const demoPage = `<!doctype html>
<html lang="en">
<title>tcpkit</title>
<h1>It works.</h1>
<p>This page came in one TCP segment, numbered octet by octet.
</html>
`

func demoResponse() []byte {
	return []byte(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s", len(demoPage), demoPage))
}

// A theatre shows a whole play.
type theatre interface {
	audience
	title(*cast)
	act(n, client int, port uint16, octets [2]int)
	verdict(*verdict)
	failed() error
}

func (s *screen) failed() error {
	if s.Err() != nil {
		return fmt.Errorf("%w: %w", errStdout, s.Err())
	}
	return nil
}

// A verdict is what the checks have found.
type verdict struct {
	found    []violation
	segments int
}

func (v *verdict) failed(c demoCheck) bool {
	for _, f := range v.found {
		if f.check == c {
			return true
		}
	}
	return false
}

// count is how many checks failed.
func (v *verdict) count() int {
	n := 0
	for c := range demoChecks {
		if v.failed(c) {
			n++
		}
	}
	return n
}
