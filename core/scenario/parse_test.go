package scenario

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/wire"
)

// everything has each line of the language at least once.
const everything = `# a comment
scenario H1-all
row H1 H2
compare H1
lesson handshake 1
corrects C1 C23
seed 7
end 300s
tolerate
host client 10.0.0.1 fd00::1 profile linux
host server 10.0.0.2 fd00::2 profile rfc9293 set time-wait=60s set keepalive-idle=2h set controller=cubic mtu 1400
plugin server "two-way,allow=lab"
link client server delay 50ms rate 1.25M queue 64k loss 1% jitter 5ms reorder 2% hold 20ms duplicate 1% corrupt 0.05% mtu 1500
link server -> client silent delay 1.5s
listen server 80
listen server 81 backlog 2 deaf
flow web client server:80 at 500us port 40000
  client write 500
  client write 2k chunk 100 every 20ms
  client await-eof
  client set-keepalive 2h 75s 9
  client set-keepalive 10s
  client set-user-timeout 30s
  client set-no-delay
  client set-linger 0s
  server await-read 500
  server wait 200ms
  server pace 1000 100ms
  server never-read
  server read-on
  server write-urgent 1
  server await-connected
  server close-read
  server close-write
  server hold
  server abort
  server close
flow both client server:1001 port 1000 skew 10ms ipv6
flow many client server:80 times 3 every 1s
fault client -> server 1 lose
fault client -> server SYN 1 delay 30s
fault client -> server FIN all lose from 1s until 130s
fault server -> client ANY all double
fault packet 5 double 10s
fault packet 6 spoil
cut client server from 1s until 20s
cut client -> server unreachable
crash server at 10s
boot server at 20s
shut client at 5s
flood server:80 at 1s count 100 every 1ms
flood server:80 count 2 flags RST+ACK
expect path client SYN-SENT ESTABLISHED flow web
expect state server ESTABLISHED at 75ms
expect segment 1 client -> server SYN seq 0 len 0 win 64240 at 0s
expect segment 3 client -> server ACK seq -1 ack 1 at 0s within 10ms
expect segments = 7
expect count client -> server SYN 6
expect lost server -> client SYN+ACK >= 1
expect edge client SYN-SENT ESTABLISHED rule syn-sent-syn-ack at 100ms
expect error client ETIMEDOUT at 63s within 100ms flow many.2
expect error client none
expect read server 500
expect stream server whole
expect ghosts server 1
expect half-open server 8 at 2s
expect conns server 5 at 3h
expect time-waits client 1 at 1s
expect held server <= 1000 at 1s
expect segment 2 server -> client SYN+ACK with mss=1460,timestamps without sack
expect drop server paws 1
expect timer client retransmit fired 5
expect retransmits client 5
expect tcb client rto = 1.5s at 1s
expect know client both at 100ms
expect silence from 1s until 3h
expect silence
expect violation 1
expect quiet-at 120s
say h1.start on start
say h1.syn on segment 1 filter "tcp.flags.syn == 1 && tcp.flags.ack == 0" rows 1 at server
say h1.done on state client ESTABLISHED 2
say h1.t on time 5s
say h1.timer on timer client retransmit 3
say h1.drop on drop server paws
say h1.err on error client
say h1.lost on lose 3
say h1.come on arrive 3
say h1.end on end
mark segment 1 seq
`

func parse(t testing.TB, text string, extra ...string) *Scenario {
	t.Helper()
	s, err := Parse(text, extra...)
	require.NoError(t, err)
	return s
}

// unplaced forgets where the lines stood.
func unplaced(s *Scenario) *Scenario {
	for i := range s.Expects {
		s.Expects[i].Where = Place{}
	}
	return s
}

func TestEveryLineComesBack(t *testing.T) {
	s := parse(t, everything)
	text := string(s.AppendText(nil))
	again := parse(t, text)
	require.Equal(t, text, string(again.AppendText(nil)))
	require.Equal(t, unplaced(s), unplaced(again))
	for _, line := range strings.Split(everything, "\n") {
		if first := strings.Fields(line); len(first) > 0 && first[0] != "#" {
			require.Contains(t, text, first[0])
		}
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]clock.Duration{
		"0s": 0, "200ms": 200 * clock.Millisecond, "1.5s": 1500 * clock.Millisecond, "2h": 2 * clock.Hour, "0.25h": 15 * clock.Minute,
		"1.000001s": clock.Second + clock.Microsecond, "7ns": 7, "1000h": longest,
	} {
		d, ok := parseDuration(text)
		require.True(t, ok, text)
		require.Equal(t, want, d, text)
	}
	for _, text := range []string{"", "5", "-1s", "1.5ns", "1001h", "99999999999999999999s", ".5s", "1.s", "1s5", "1e3s", "0.0000001s"} {
		_, ok := parseDuration(text)
		require.False(t, ok, text)
	}
	for text, want := range map[string]uint64{"0": 0, "1000": 1000, "64k": 65536, "1.25M": 1310720, "1G": 1 << 30, "0.5k": 512} {
		n, ok := parseSize(text)
		require.True(t, ok, text)
		require.Equal(t, want, n, text)
	}
	for _, text := range []string{"", "k", "1.5", "-1", "1K", "99999999999999999999", "9007199254740993G", "0x10"} {
		_, ok := parseSize(text)
		require.False(t, ok, text)
	}
	for text, want := range map[string]uint32{"1%": 10_000, "0.05%": 500, "100%": sim.Million, "0%": 0} {
		n, ok := parsePercent(text)
		require.True(t, ok, text)
		require.Equal(t, want, n, text)
		back, _ := parsePercent(string(appendPercent(nil, n)))
		require.Equal(t, n, back)
	}
	for _, text := range []string{"1", "%", "101%", "0.00001%", "-1%"} {
		_, ok := parsePercent(text)
		require.False(t, ok, text)
	}
}

const two = "scenario X\nhost client 10.0.0.1\nhost server 10.0.0.2\n"

func TestErrorsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		text, err string
		column    int
	}{
		{"", "there is no scenario; write one; its first line is: scenario ID", 0},
		{"host client 10.0.0.1", "line 1: a scenario begins with its id; write: scenario H1", 1},
		{"scenario X", "there is no host; add a line such as: host client 10.0.0.1", 0},
		{two + "listen servr 80", `line 4: host "servr" is not defined; the hosts are client, server`, 8},
		{two + "lisen server 80", `line 4: no line begins with "lisen"; did you mean listen? lines begin with `, 1},
		{two + "link client server dely 5ms", `line 4: a link has no "dely"; it has delay, `, 20},
		{two + "link client server delay 5", `line 4: "5" is not a delay; give a time of at most 1000h, such as 200ms, 1.5s or 2h`, 26},
		{two + "link client server delay", "line 4: the line ends too soon; give a delay", 25},
		{two + "link client client", "line 4: a link joins two hosts; give two that differ", 13},
		{two + "link client server loss 101%", `line 4: "101%" is not a loss; give one from 0% to 100%, such as 0.5%`, 25},
		{two + "  client write 5", "line 4: an indented line is what a program does, and there is no flow above it; begin with: flow NAME CLIENT SERVER:PORT", 3},
		{two + "flow web client server", `line 4: "server" has no port; give HOST:PORT, such as server:80`, 17},
		{two + "flow web client server:80\n  client wrte 5", `line 5: no program does "wrte"; did you mean write? it does one of `, 10},
		{two + "host server profile linx", `line 4: there is no profile "linx"; the profiles are `, 21},
		{two + "host server set timewait=60s", `line 4: there is no setting "timewait"; did you mean time-wait? `, 17},
		{two + "host server set time-wait=60", `line 4: time-wait cannot be "60"; give a time such as 200ms, 5s or 2h`, 17},
		{two + "host third 10.0.0.2", "line 4: 10.0.0.2 is the address of server already; give each host its own", 12},
		{two + "fault client server 1 lose", "line 4: an arrow is missing; write: client -> HOST", 14},
		{two + "fault client -> server 1 loose", `line 4: a fault cannot "loose"; give lose, delay TIME, double TIME or spoil`, 26},
		{two + "fault packet 0 lose", "line 4: 0 is not the id of a packet, from 1; the first is 1", 14},
		{two + "expect state server ESTAB", `line 4: there is no state "ESTAB"; the states are `, 21},
		{two + "expect state server LISTEN flow web", `line 4: flow "web" is not defined; the flows are `, 0},
		{two + "expect edge client CLOSED SYN-SENT rule open-activ", `line 4: there is no rule "open-activ"; did you mean open-active? `, 41},
		{two + `say h1 on segment 1 filter "tcp`, `line 4: the quotes are not closed; put a " at the end of the words that belong together`, 28},
		{"scenario X\nhost a\x1b[2J 10.0.0.1", "there is a control character; write plain text", 7},
		{"scenario X\nsay a on start filter \"x\x1b[2J\"", "there is a control character; write plain text", 25},
		{"scenario X\nsay a on start filter \"\u009b2J\"", "there is a control character; write plain text", 24},
		{two + "expect segment 1 client -> server SYN with ms=5", `line 4: "ms=5" is no option that can be expected; `, 44},
		{two + "expect segment 1 client -> server SYN without mss=5", `line 4: "mss=5" is no option that can be expected; `, 47},
		{two + "tolerate it", `line 4: what does "it" mean here?; the line was complete before it`, 10},
		{two + "scenario Y", "line 4: a text is one scenario, and this is X; leave out the second line that begins with scenario", 1},
		{two + "flow a client server:80 times 200\nflow b client server:80 times 57", "the flows are more than 256 connections; leave some out", 0},
		{two + "flow a client server:80 times 257", "no flow is 257 connections; all flows together are 256 at most", 31},
		{two + "flow a client server:80 times 2147483648", "no flow is 2147483648 connections; all flows", 31}, // more than an int of 32 bits
		{two + "flow a client server:80 times 2\n  client write 16M\n  server write 17M", "the programs write more than 64M in all; have them write less", 0},
		{two + "flood server:80 count 4096\nflood server:80 count 1", "the floods are more than 4096 segments; make them smaller", 0},
		{two + "seed 18446744073709551616", `line 4: "18446744073709551616" is not the seed, a number; give a number below 2 to the 64`, 6},
	} {
		_, err := Parse(c.text)
		require.Error(t, err, c.text)
		require.Contains(t, err.Error(), c.err, c.text)
		require.Equal(t, c.column, err.(*Error).Column, c.text)
	}
	_, err := Parse(two, "seed 5", "\nseed x")
	require.EqualError(t, err, `extra lines 2, line 2: "x" is not the seed, a number; give a number below 2 to the 64`)
}

func TestExtraLinesOverride(t *testing.T) {
	s := parse(t, two+`link client server delay 50ms rate 1M
listen server 80 backlog 3
plugin server two-way,allow=lab
flow web client server:80
  client write 500
  server wait 200ms
`, "seed 5\nlink server -> client delay 10ms\nhost server profile lab set ttl=9", "flow web at 2s\n  server wait 1s\n  server close\nplugin server off\nlisten server 80 deaf")
	require.Equal(t, uint64(5), s.Seed)
	require.Len(t, s.Links, 1)
	require.Equal(t, sim.Channel{Delay: 50 * clock.Millisecond, Rate: 1 << 20}, s.Links[0].Ways[0])
	require.Equal(t, sim.Channel{Delay: 10 * clock.Millisecond, Rate: 1 << 20}, s.Links[0].Ways[1])
	require.Equal(t, "lab", s.Hosts[1].Profile)
	require.Equal(t, []Setting{{"ttl", "9"}}, s.Hosts[1].Sets)
	require.Empty(t, s.Hosts[1].Plugins)
	require.Equal(t, []Listen{{Host: 1, Port: 80, Backlog: 8, Deaf: true}}, s.Listens)
	require.Equal(t, 2*clock.Second, s.Flows[0].At)
	require.Equal(t, []sim.Step{{Op: sim.Write, N: 500}}, s.Flows[0].Steps[0], "the client's steps stay")
	require.Equal(t, []sim.Step{{Op: sim.Wait, For: clock.Second}, {Op: sim.Close}}, s.Flows[0].Steps[1])
}

// fields has every number of the Config that a text could say, by the name that the
// command line has for it.
func TestFields(t *testing.T) {
	var c core.Config
	var want []string
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			switch k := v.Field(i).Kind(); {
			case k == reflect.Struct && f.Name != "FastOpenKeys":
				walk(v.Field(i))
			case k == reflect.Struct || k == reflect.Array:
			case k == reflect.Interface && f.Type != reflect.TypeFor[cc.Controller]():
			default:
				want = append(want, kebab(f.Name))
			}
		}
	}
	walk(reflect.ValueOf(&c).Elem())
	var have []string
	for _, f := range fields(&c) {
		have = append(have, f.name)
	}
	require.ElementsMatch(t, want, have)
	c, err := core.Profile("linux")
	require.NoError(t, err)
	for _, f := range fields(&c) {
		value := "1"
		switch f.at.(type) {
		case *bool:
			value = "true"
		case *clock.Duration:
			value = "1s"
		case *cc.Controller:
			value = "newreno"
		}
		require.Empty(t, f.put(value), f.name)
		require.NotEmpty(t, f.put("-1"), f.name)
	}
}

func kebab(name string) string {
	var b strings.Builder
	upper := func(i int) bool { return i < len(name) && name[i] >= 'A' && name[i] <= 'Z' }
	for i := range len(name) {
		if upper(i) && i > 0 && (!upper(i-1) || i+1 < len(name) && !upper(i+1) && name[i+1] >= 'a') {
			b.WriteByte('-')
		}
		b.WriteByte(name[i])
	}
	return strings.ToLower(b.String())
}

func TestMatches(t *testing.T) {
	const F, S, R, P, A = wire.FIN, wire.SYN, wire.RST, wire.PSH, wire.ACK
	for _, c := range []struct {
		match  string
		flags  wire.Flags
		octets int
		want   bool
	}{
		{"SYN", S, 0, true}, {"SYN", S | wire.ECE | wire.CWR, 0, true}, {"SYN", S | A, 0, false},
		{"SYN+ACK", S | A, 0, true}, {"SYN+ACK", S, 0, false}, {"SYN+ACK", A, 0, false},
		{"ACK", A, 0, true}, {"ACK", A | P, 1, false}, {"ACK", A | F, 0, false}, {"ACK", S | A, 0, false},
		{"FIN", F | A, 0, true}, {"FIN", F | A | P, 10, true}, {"FIN", R | A, 0, false},
		{"RST", R, 0, true}, {"RST", R | A, 0, true}, {"RST+ACK", R, 0, false},
		{"DATA", A, 1, true}, {"DATA", A | F, 1, true}, {"DATA", A, 0, false},
		{"PSH", A | P, 1, true}, {"PSH", A, 1, false}, {"ANY", 0, 0, true}, {"FIN+DATA", F | A, 0, false}, {"ACK+DATA", A, 5, true},
	} {
		m, ok := parseMatch(c.match)
		require.True(t, ok, c.match)
		require.Equal(t, c.want, m.Matches(c.flags, c.octets), "%s of %s with %d", c.match, c.flags, c.octets)
		back, ok := parseMatch(string(appendMatch(nil, m)))
		require.True(t, ok)
		require.Equal(t, m, back)
	}
	for _, text := range []string{"", "syn", "SYN+", "+SYN", "SYN++ACK", "ANY+SYN"} {
		_, ok := parseMatch(text)
		require.False(t, ok, text)
	}
}

// FuzzParse: whatever is read is written so that it is read as the same.
func FuzzParse(f *testing.F) {
	f.Add(everything, "")
	f.Add(two, "seed 5")
	for _, line := range strings.Split(everything, "\n") {
		f.Add(two, line)
	}
	f.Fuzz(func(t *testing.T, text, extra string) {
		s, err := Parse(text, extra)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		printed := string(s.AppendText(nil))
		again, err := Parse(printed)
		require.NoError(t, err, printed)
		require.Equal(t, unplaced(s), unplaced(again))
		require.Equal(t, printed, string(again.AppendText(nil)))
	})
}

// Each bound of a text holds: so many are read, and one more is refused, with the line.
func TestParseBounds(t *testing.T) {
	const begin = "scenario X\nhost client 10.0.0.1\nhost server 10.0.0.2\nlink client server\nflow web client server:80\n"
	for _, c := range []struct {
		most int
		what string
		line func(i int) string
	}{
		{maxHosts - 2, "hosts", func(i int) string { return fmt.Sprintf("host h%d 10.0.1.%d", i, i+1) }},
		{maxAddrs - 1, "addresses of one host", func(i int) string { return fmt.Sprintf("host client 10.0.1.%d", i+1) }},
		{maxPlugins, "plugins on one host", func(int) string { return "plugin client x" }},
		{maxListens, "listeners", func(i int) string { return fmt.Sprintf("listen server %d", i+1) }},
		{maxFlows - 1, "flows", func(i int) string { return fmt.Sprintf("flow f%d client server:80", i) }},
		{maxSteps, "steps of one program", func(int) string { return "  client await-connected" }},
		{maxFaults, "faults", func(i int) string { return fmt.Sprintf("fault packet %d lose", i+1) }},
		{maxCuts, "cuts", func(int) string { return "cut client server" }},
		{maxTurns, "turns of hosts", func(int) string { return "crash client at 1s" }},
		{maxFloods, "floods", func(int) string { return "flood server:80" }},
		{maxExpects, "expectations", func(int) string { return "expect segments = 1" }},
		{maxSays, "sentences", func(int) string { return "say a on start" }},
		{maxSays, "marks", func(int) string { return "mark segment 1 seq" }},
	} {
		var lines []string
		for i := range c.most + 1 {
			lines = append(lines, c.line(i))
		}
		_, err := Parse(begin + strings.Join(lines[:c.most], "\n"))
		require.NoError(t, err, c.what)
		_, err = Parse(begin + strings.Join(lines, "\n"))
		var bad *Error
		require.ErrorAs(t, err, &bad, c.what)
		require.Regexp(t, `^there are more than \d+ `+c.what+`$`, bad.What)
		require.Equal(t, "leave some out", bad.Do)
		require.Equal(t, 6+c.most, bad.Line, c.what)
	}
	require.Less(t, len(fields(new(core.Config))), maxSettings, "each stands once")
	_, err := Parse(begin + strings.Repeat("#", maxText-len(begin)))
	require.NoError(t, err)
	_, err = Parse(begin, strings.Repeat("#", maxText-len(begin)+1))
	require.EqualError(t, err, "extra lines 1, the text is too long; at most 256 KiB")
}
