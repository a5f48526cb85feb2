package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/pcapng"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/hosts/native/netns"
	"github.com/tcpkit/tcpkit/internal/ladder"
	"github.com/tcpkit/tcpkit/internal/narrate"
)

// In memory the demo says the same each time, to the last octet.
func TestDemoTranscript(t *testing.T) {
	for name, args := range map[string]string{
		"en.txt":         "--lang en",
		"zh.txt":         "--lang zh",
		"en-120.txt":     "--lang en --role server",
		"zh-rules.txt":   "--lang zh --role client --ipv6 --msl 1s -v",
		"server.json":    "--role server --json",
		"en-ipv6.txt":    "--lang en --role client -6",
		"en-verbose.txt": "--lang en --role client -v",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("COLUMNS", "80")
			if strings.Contains(name, "120") {
				t.Setenv("COLUMNS", "120")
			}
			args := append([]string{"demo", "--memory"}, strings.Fields(args)...)
			code, out, errs := try(args...)
			require.Equal(t, exitOK, code, errs)
			require.Empty(t, errs)
			golden(t, "demo/"+name, out)
			_, again, _ := try(args...)
			require.Equal(t, out, again, "nothing is left to chance")
		})
	}
}

// No line is wider than the terminal, whatever its width; where it is 80, each
// step is one line.
func TestDemoFits(t *testing.T) {
	for _, columns := range []string{"76", "80", "100", "120", "500"} {
		t.Setenv("COLUMNS", columns)
		for _, lang := range []string{"en", "zh"} {
			_, out, _ := try("demo", "--memory", "-v", "-6", "--lang", lang)
			width := map[string]int{"76": 75, "80": 79, "100": 99}[columns]
			if width == 0 {
				width = ladder.MaxWidth - 1
			}
			for line := range strings.Lines(out) {
				line = strings.TrimSuffix(line, "\n")
				require.LessOrEqual(t, narrate.Width(line), width, line)
				require.Equal(t, strings.TrimRight(line, " "), line, "spaces at the end")
			}
		}
	}
	for l, name := range map[narrate.Lang]string{narrate.English: "the kernel", narrate.Chinese: "tcpkit"} {
		for step := narrate.Syn; step <= narrate.Delayed; step++ {
			s := l.Say(step, "from", name, "to", name, "n", "225", "d", "40 ms")
			require.LessOrEqual(t, narrate.Width(s), 79-len(ladder.Indent), s)
		}
	}
}

// Colour is for terminals; a pipe gets plain text.
func TestDemoIsPlain(t *testing.T) {
	_, out, _ := try("demo", "--memory")
	require.NotContains(t, out, "\x1b")
	require.NotContains(t, out, "\r")
}

func TestDemoColours(t *testing.T) {
	t.Setenv("COLUMNS", "80")
	var plain, painted bytes.Buffer
	for _, c := range []struct {
		out    *bytes.Buffer
		colour bool
	}{{&plain, false}, {&painted, true}} {
		p := memoryPlay(t, narrate.English)
		s := newScreen(c.out, narrate.English)
		s.Colour, s.Live = c.colour, c.colour
		s.names, s.heads, s.msl = p.names, p.heads, p.msl
		s.title(&p.cast)
		_, err := p.act(context.Background(), s, 1, peerEnd, nil)
		require.NoError(t, err)
		require.NoError(t, s.failed())
	}
	require.Contains(t, painted.String(), "    \x1b[1;36mSYN-SENT\x1b[0m")
	require.Contains(t, painted.String(), "s left\x1b[K", "a terminal sees TIME-WAIT run out")
	require.Equal(t, plain.String(), render(painted.String()))
}

// render gives what a terminal shows in the end.
func render(s string) string {
	var out strings.Builder
	for line := range strings.Lines(s) {
		if i := strings.LastIndex(line, "\r"); i >= 0 {
			line = line[i+1:]
		}
		for {
			before, rest, ok := strings.Cut(line, "\x1b[")
			out.WriteString(before)
			if !ok {
				break
			}
			line = rest[strings.IndexAny(rest, "mK")+1:]
		}
	}
	return out.String()
}

func TestDemoUsage(t *testing.T) {
	for args, says := range map[string]string{
		"now":                     "is one word too many",
		"--lang fr":               `bad --lang "fr": give en or zh`,
		"--role king":             `bad --role "king": give server, client or both`,
		"--msl 0":                 "bad --msl 0",
		"--msl -1s":               "bad --msl -1s",
		"--msl 2h":                "at most 1h",
		"--memory --require-tun":  "exclude each other",
		"--memory --wait":         "there is no kernel",
		"--memory -w -":           "stdout is for the drawing",
		"--memory -w /no/such/it": "",
	} {
		code, out, errs := try(append([]string{"demo"}, strings.Fields(args)...)...)
		require.NotEqual(t, exitOK, code, args)
		if says != "" {
			require.Equal(t, exitUsage, code, args)
		}
		require.Contains(t, errs, says, args)
		require.Empty(t, out, args)
	}
	code, out, errs := try("demo", "--help")
	require.Equal(t, exitOK, code)
	require.Empty(t, errs)
	golden(t, "help/tcpkit-demo.txt", out)
}

// The language of the locale is the demo's, unless the flag says otherwise.
func TestDemoLocale(t *testing.T) {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		t.Setenv(name, "")
	}
	t.Setenv("LANG", "zh_CN.UTF-8")
	_, out, _ := try("demo", "--memory", "--role", "server")
	require.Contains(t, out, "三次握手")
	_, out, _ = try("demo", "--memory", "--role", "server", "--lang", "en")
	require.Contains(t, out, "Three-way handshake")
	t.Setenv("LC_ALL", "C")
	_, out, _ = try("demo", "--memory", "--role", "server")
	require.Contains(t, out, "Three-way handshake")
}

func TestDemoCapture(t *testing.T) {
	path := filepath.Join(t.TempDir(), "demo.pcapng")
	code, _, errs := try("demo", "--memory", "-w", path)
	require.Equal(t, exitOK, code, errs)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	r := pcapng.NewReader(b)
	var p pcapng.Packet
	var comments strings.Builder
	n := 0
	for ; r.Next(&p); n++ {
		comments.WriteString(p.Comment + "\n")
	}
	require.NoError(t, r.Err())
	require.Equal(t, 22, n)
	for _, change := range []string{"LISTEN → SYN-RECEIVED", "CLOSED → SYN-SENT", "LAST-ACK → CLOSED", "FIN-WAIT-2 → TIME-WAIT"} {
		require.Contains(t, comments.String(), change)
	}
}

// A stdout that is gone ends the demo with the code that a shell knows.
func TestDemoStdoutGone(t *testing.T) {
	var errs bytes.Buffer
	code := run([]string{"demo", "--memory"}, strings.NewReader(""), brokenWriter{}, &errs)
	require.Equal(t, exitRuntime, code)
	require.Contains(t, errs.String(), "write to stdout")
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func memoryPlay(t *testing.T, lang narrate.Lang) *play {
	t.Helper()
	d := &demo{app: &app{out: io.Discard, err: io.Discard, log: quiet}, lang: lang, role: "both"}
	p, err := d.inMemory(false)
	require.NoError(t, err)
	return p
}

// deafEnd does not get some of the segments, as on a bad link.
type deafEnd struct {
	endpoint
	loses func(n int, t *wire.TCP) bool
	n     int
}

func (e *deafEnd) receive(now clock.Instant, p *packet.Packet) error {
	var ip wire.IP
	var seg wire.TCP
	wire.ParseIP(p.Bytes, &ip)
	wire.ParseTCP(p.Bytes[ip.HeaderLen:], &seg)
	e.n++
	if e.loses(e.n, &seg) {
		return nil
	}
	return e.endpoint.receive(now, p)
}

// loseOnce loses the first segment with the flags.
func loseOnce(f wire.Flags) func(int, *wire.TCP) bool {
	done := false
	return func(_ int, t *wire.TCP) bool {
		lose := !done && t.Flags.Has(f)
		done = done || lose
		return lose
	}
}

// playDeaf plays an act in which an end does not get everything.
func playDeaf(t *testing.T, client, deaf int, loses func(int, *wire.TCP) bool) (*record, string) {
	t.Helper()
	p := memoryPlay(t, narrate.English)
	honest := p.ends
	p.ends = func(act int) ([2]endpoint, func(), error) {
		ends, closeAll, err := honest(act)
		ends[deaf] = &deafEnd{endpoint: ends[deaf], loses: loses}
		return ends, closeAll, err
	}
	var out bytes.Buffer
	s := newScreen(&out, narrate.English)
	s.names, s.heads, s.msl = p.names, p.heads, p.msl
	r, err := p.act(context.Background(), s, 1, client, nil)
	require.NoError(t, err)
	return r, out.String()
}

// A segment that gets lost is sent again, the demo says so, and finds nothing
// wrong with that.
func TestDemoLoss(t *testing.T) {
	for _, c := range []struct {
		name  string
		deaf  int
		flags wire.Flags
	}{
		{"SYN", kitEnd, wire.SYN},
		{"SYN ACK", peerEnd, wire.SYN},
		{"request", kitEnd, wire.PSH},
		{"response", peerEnd, wire.PSH},
		{"first FIN", kitEnd, wire.FIN},
		{"second FIN", peerEnd, wire.FIN},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, out := playDeaf(t, peerEnd, c.deaf, loseOnce(c.flags))
			require.Empty(t, judge(1, r), out)
			require.Contains(t, out, "once more: no acknowledgment came in time", out)
		})
	}
	t.Run("last ACK", func(t *testing.T) {
		fins := 0
		r, out := playDeaf(t, peerEnd, kitEnd, func(n int, seg *wire.TCP) bool {
			if seg.Flags.Has(wire.FIN) {
				fins = n
			}
			return fins > 0 && n == fins+1
		})
		require.Empty(t, judge(1, r), out)
		require.Contains(t, out, "once more")
	})
}

// An exchange that comes to no end is an expectation that failed.
func TestDemoStuck(t *testing.T) {
	r, _ := playDeaf(t, peerEnd, kitEnd, func(int, *wire.TCP) bool { return true })
	found := judge(1, r)
	require.NotEmpty(t, found)
	require.Equal(t, checkEnd, found[0].check)
	require.Contains(t, found[0].what, "handshake: nothing happens any more")
}

// liar is an end whose program reads something else.
type liar struct{ endpoint }

func (e *liar) read(now clock.Instant, b []byte) (int, error) {
	n, err := e.endpoint.read(now, b)
	if n > 0 {
		b[0] ^= 1
	}
	return n, err
}

func TestDemoExpectationFails(t *testing.T) {
	p := memoryPlay(t, narrate.English)
	var out bytes.Buffer
	p.app.out = &out
	honest := p.ends
	p.ends = func(act int) ([2]endpoint, func(), error) {
		ends, closeAll, err := honest(act)
		ends[peerEnd] = &liar{ends[peerEnd]}
		return ends, closeAll, err
	}
	require.Equal(t, exitExpectation, codeOf(p.run()))
	require.Contains(t, out.String(), "✗ request and response arrived octet for octet\n")
	require.Contains(t, out.String(), "act 1: 225 octets arrived of 225 that were written, or others")
	require.True(t, strings.HasSuffix(out.String(), "Not all was as RFC 9293 wants it: 1 of 10 checks failed.\n"), out.String())
	p.app.json = true
	out.Reset()
	require.Equal(t, exitExpectation, codeOf(p.run()))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var last recitalLine
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &last))
	require.False(t, *last.OK)
	require.Len(t, last.Failed, 2)
}

// Each check fails when there is something to find.
func TestDemoChecks(t *testing.T) {
	good := func() *record {
		p := memoryPlay(t, narrate.English)
		r, err := p.act(context.Background(), &recital{out: json.NewEncoder(io.Discard)}, 1, peerEnd, nil)
		require.NoError(t, err)
		require.Empty(t, judge(1, r))
		require.Len(t, r.segments, 11)
		return r
	}
	// The segments: 0 SYN, 1 SYN ACK, 2 ACK, 3 request, 4 ACK, 5 response, 6 ACK,
	// 7 FIN, 8 ACK, 9 FIN, 10 ACK.
	for _, c := range []struct {
		name  string
		check demoCheck
		spoil func(r *record)
	}{
		{"a segment was dropped", checkEnd, func(r *record) { r.refused = append(r.refused, rule.DropPAWS) }},
		{"a reset", checkEnd, func(r *record) { r.segments[10].header.Flags = wire.RST | wire.ACK }},
		{"stuck", checkEnd, func(r *record) { r.stuck = errDemoStuck }},
		{"a SYN with ACK", checkHandshake, func(r *record) { r.segments[0].header.Flags |= wire.ACK }},
		{"no ACK of the SYN", checkHandshake, func(r *record) { r.segments[1].header.Flags = wire.SYN }},
		{"data in the SYN", checkHandshake, func(r *record) { r.segments[0].length = 1 }},
		{"data without ACK", checkHandshake, func(r *record) { r.segments[5].header.Flags &^= wire.ACK }},
		{"a second SYN", checkHandshake, func(r *record) { r.segments[6].header.Flags |= wire.SYN }},
		{"two segments", checkHandshake, func(r *record) { r.segments = r.segments[:2] }},
		{"a number left out", checkSequence, func(r *record) { r.segments[3].header.Seq++ }},
		{"a number used twice", checkSequence, func(r *record) { r.segments[7].header.Seq-- }},
		{"an ACK of too much", checkAck, func(r *record) { r.segments[4].header.Ack++ }},
		{"an ACK that goes back", checkAck, func(r *record) { r.segments[8].header.Ack -= 5 }},
		{"an octet is not acknowledged", checkAck, func(r *record) { r.segments[10].header.Ack-- }},
		{"an option that nobody offered", checkOptions, func(r *record) { r.segments[0].header.Options.Has &^= wire.HasSACKPermitted }},
		{"timestamps here and there", checkOptions, func(r *record) { r.segments[5].header.Options.Has = 0 }},
		{"an MSS later", checkOptions, func(r *record) { r.segments[5].header.Options.Has |= wire.HasMSS }},
		{"no MSS", checkOptions, func(r *record) { r.segments[0].header.Options.Has &^= wire.HasMSS }},
		{"malformed options", checkOptions, func(r *record) { r.segments[2].header.Options.Has |= wire.HasMalformed }},
		{"a timestamp that goes back", checkOptions, func(r *record) { r.segments[7].header.Options.TSVal -= 1000 }},
		{"an echo of nothing", checkOptions, func(r *record) { r.segments[4].header.Options.TSEcr += 1000 }},
		{"a bad checksum", checkIntact, func(r *record) { r.segments[5].intact = false }},
		{"another page", checkPage, func(r *record) { r.response[100] ^= 1 }},
		{"a short request", checkPage, func(r *record) { r.request = r.request[1:] }},
		{"more octets on the way", checkPage, func(r *record) { r.segments[5].length++ }},
		{"no FIN", checkClose, func(r *record) { r.segments[9].header.Flags &^= wire.FIN }},
		{"no ACK of the FIN", checkClose, func(r *record) { r.segments = r.segments[:10] }},
		{"data after the FIN", checkClose, func(r *record) { r.segments[10].length = 1 }},
		{"no such edge", checkStates, func(r *record) { r.path[kitEnd] = slices.Delete(r.path[kitEnd], 2, 3) }},
		{"not all the way", checkStates, func(r *record) { r.path[kitEnd] = r.path[kitEnd][:5] }},
		{"no TIME-WAIT", checkWait, func(r *record) {
			r.path[peerEnd] = []tcp.State{tcp.Closed, tcp.SynSent, tcp.Established, tcp.FinWait1, tcp.FinWait2, tcp.Closed}
		}},
		{"a short TIME-WAIT", checkWait, func(r *record) { r.waitEnded = r.waitEnded.Add(-clock.Second) }},
		{"another timer", checkWait, func(r *record) { r.waitOver, r.waitLeft = false, clock.Second }},
	} {
		r := good()
		r.segments = slices.Clone(r.segments)
		c.spoil(r)
		var checks []demoCheck
		for _, f := range judge(1, r) {
			checks = append(checks, f.check)
			require.NotEmpty(t, f.what)
		}
		require.Contains(t, checks, c.check, c.name)
	}
	for c := range demoChecks {
		require.NotEmpty(t, checkWords[c].words[narrate.English], c)
		require.NotEmpty(t, checkWords[c].words[narrate.Chinese], c)
	}
}

// The steps have their names whatever comes.
func TestDemoSteps(t *testing.T) {
	x := &exchange{client: peerEnd}
	const syn, fin, ack, psh, rst = wire.SYN, wire.FIN, wire.ACK, wire.PSH, wire.RST
	for _, c := range []struct {
		from        int
		flags       wire.Flags
		number, ack uint32
		length      int
		want        narrate.Text
	}{
		{peerEnd, syn, 99, 0, 0, narrate.Syn},
		{peerEnd, syn, 99, 0, 0, narrate.Again},
		{kitEnd, syn | ack, 499, 100, 0, narrate.SynAck},
		{peerEnd, ack, 100, 500, 0, narrate.HandshakeAck},
		{peerEnd, ack | psh, 100, 500, 10, narrate.Request},
		{peerEnd, ack | psh, 100, 500, 10, narrate.Again},
		{kitEnd, ack, 500, 110, 0, narrate.RequestAck},
		{kitEnd, ack, 500, 110, 0, narrate.OnlyAck},
		{kitEnd, ack | psh, 500, 110, 20, narrate.Response},
		{peerEnd, ack, 110, 520, 0, narrate.ResponseAck},
		{peerEnd, ack | fin, 110, 520, 0, narrate.FinFirst},
		{kitEnd, ack | fin, 520, 110, 0, narrate.FinBoth},
		{kitEnd, ack | fin, 520, 110, 0, narrate.Again},
		{kitEnd, rst, 520, 0, 0, narrate.Reset},
	} {
		s := segment{from: c.from, length: c.length}
		s.header.Flags, s.header.Seq, s.header.Ack = c.flags, seq.Value(c.number), seq.Value(c.ack)
		x.follow(&s, 0)
		require.Equal(t, c.want, s.step, "%v %d", c.flags, c.number)
	}
	// A FIN that rides on the ACK of the other.
	x = &exchange{client: peerEnd}
	for _, c := range []struct {
		from        int
		flags       wire.Flags
		number, ack uint32
		want        narrate.Text
	}{
		{peerEnd, syn, 0, 0, narrate.Syn},
		{kitEnd, syn | ack, 0, 1, narrate.SynAck},
		{peerEnd, ack | fin, 1, 1, narrate.FinFirst},
		{kitEnd, ack | fin, 1, 2, narrate.FinWithAck},
		{peerEnd, ack, 2, 2, narrate.LastAck},
	} {
		s := segment{from: c.from}
		s.header.Flags, s.header.Seq, s.header.Ack = c.flags, seq.Value(c.number), seq.Value(c.ack)
		x.follow(&s, 0)
		require.Equal(t, c.want, s.step, "%v %d", c.flags, c.number)
	}
}

func TestSayDuration(t *testing.T) {
	for d, want := range map[clock.Duration][2]string{
		4 * clock.Minute:         {"4 minutes", "4 分钟"},
		clock.Minute:             {"60 s", "60 秒"},
		1500 * clock.Millisecond: {"1.5 s", "1.5 秒"},
		40 * clock.Millisecond:   {"40 ms", "40 毫秒"},
		100 * clock.Microsecond:  {"0.1 ms", "0.1 毫秒"},
		500 * clock.Millisecond:  {"500 ms", "500 毫秒"},
	} {
		require.Equal(t, want[0], narrate.English.Span(d))
		require.Equal(t, want[1], narrate.Chinese.Span(d))
	}
	require.Equal(t, "240.1400", ladder.FormatTime(clock.Instant(240*clock.Second+140*clock.Millisecond)))
	require.Equal(t, "0.0001", ladder.FormatTime(clock.Instant(199*clock.Microsecond)))
	require.Equal(t, "SYN ACK", sayFlags(wire.SYN|wire.ACK))
	require.Equal(t, "FIN PSH ACK", sayFlags(wire.FIN|wire.PSH|wire.ACK))
}

// What stands in the way is named, with what mends it, in both languages.
func TestDemoExplains(t *testing.T) {
	node := func(mode fs.FileMode, err error) *machine {
		return &machine{
			os: "linux", read: func(string) (string, bool) { return "", false },
			tunMode: func() (fs.FileMode, bool) { return mode | fs.ModeCharDevice, true },
			openTUN: func() error { return err },
			makeNS:  func() error { return nil },
		}
	}
	filtered := node(0o666, nil)
	filtered.makeNS = func() error { return syscall.EPERM }
	elsewhere := &machine{os: "plan9"}
	for _, c := range []struct {
		name             string
		m                *machine
		english, chinese string
	}{
		{"mode", node(0o600, fs.ErrPermission), "/dev/net/tun: 0600: you may not open it\n    $ sudo chmod 0666 /dev/net/tun", "/dev/net/tun：当前用户无权打开它\n    $ sudo chmod 0666 /dev/net/tun"},
		{"driver", node(0o666, syscall.ENODEV), "no driver behind it\n    $ sudo modprobe tun", "设备节点背后没有驱动\n    $ sudo modprobe tun"},
		{"cgroup", node(0o666, syscall.EPERM), "the container was not given the device\n    $ docker run --device /dev/net/tun", "启动容器时要把这个设备给它\n    $ docker run --device /dev/net/tun"},
		{"seccomp", filtered, "a private network can't be made", "seccomp 过滤器或安全模块禁止建立私有网络"},
		{"elsewhere", elsewhere, "no TUN device can be had here: what failed", "这里得不到 TUN 设备：what failed"},
	} {
		if netns.Inside() && c.m == filtered {
			continue // then namespaces are not what is missing
		}
		for l, want := range map[narrate.Lang]string{narrate.English: c.english, narrate.Chinese: c.chinese} {
			d := &demo{lang: l}
			got := d.explain(errors.New("what failed"), c.m)
			require.Contains(t, got, want, c.name)
			require.Contains(t, got, "what failed")
		}
	}
}
