package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/narrate"
)

const handshake = `scenario T
host client 10.0.0.1
host server 10.0.0.2
link client server delay 50ms
listen server 80
flow web client server:80
  client hold
  server hold
end 1s
`

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

func TestSimRun(t *testing.T) {
	const three, two = "testdata/sim/three.scenario", "testdata/sim/two.scenario"
	for _, c := range []struct{ name, columns, args string }{
		{"three-en.txt", "80", three + " --lang en"},
		{"three-zh.txt", "120", three + " --lang zh"},
		{"three-rules-en.txt", "80", three + " --lang en -v"},
		{"compare-en.txt", "80", "--compare " + three + " " + two + " --lang en"},
		{"compare-wide-en.txt", "130", "--compare " + three + " " + two + " --lang en"},
		{"compare-wide-zh.txt", "130", "--compare " + three + " " + two + " --lang zh"},
	} {
		t.Setenv("COLUMNS", c.columns)
		code, out, errs := try(append([]string{"sim", "run"}, strings.Fields(c.args)...)...)
		require.Equal(t, exitOK, code, errs)
		require.Empty(t, errs)
		golden(t, "sim/"+c.name, out)
	}
	code, out, _ := try("sim", "run", "H1", "--lang", "zh")
	require.Equal(t, exitOK, code)
	require.True(t, strings.HasPrefix(out, "H1  三次握手\n"), out)
	_, out, _ = try("sim", "run", "X2", "--lang", "en")
	_, plain, _ := try("sim", "run", "X2", "--lang", "en", "--plain")
	require.NotEqual(t, out, plain)
}

// Every scenario can be drawn, in both languages: nothing is wider than the terminal,
// no id stands where words should, no spaces end a line.
func TestSimRunDrawsAll(t *testing.T) {
	c := shipped()
	for _, s := range c.Scenarios() {
		source := &simSource{name: s.ID, text: s.Text}
		r, err := source.play()
		require.NoError(t, err)
		for _, lang := range []narrate.Lang{narrate.English, narrate.Chinese} {
			var out bytes.Buffer
			p := &simPlan{app: &app{out: &out}, lang: lang}
			page, err := p.page(c, []*simRun{r})
			require.NoError(t, err)
			for columns, most := range map[string]int{"80": 79, "120": 107} {
				t.Setenv("COLUMNS", columns)
				out.Reset()
				require.NoError(t, p.draw(page))
				for line := range strings.Lines(out.String()) {
					line = strings.TrimSuffix(line, "\n")
					require.LessOrEqual(t, narrate.Width(line), most, "%s: %s", s.ID, line)
					require.Equal(t, strings.TrimRight(line, " "), line)
				}
				require.NotRegexp(t, `(?m)^ +`+s.ID+`\.[a-z]`, out.String(), "an id without words")
			}
		}
	}
}

// Extra lines and the seed change the run; the same text has the same hash.
func TestSimRunWith(t *testing.T) {
	hash := func(args ...string) string {
		_, out, errs := try(append([]string{"sim", "run", "H1", "--lang", "en"}, args...)...)
		require.Empty(t, errs)
		_, h, ok := strings.Cut(out, "trace hash ")
		require.True(t, ok)
		return h
	}
	require.Equal(t, hash(), hash())
	_, _, errs := try("sim", "run", "H1", "--with", "fault client -> server SYN 99 lose")
	require.Contains(t, errs, `a fault has met no packet fault="fault client -> server SYN 99 lose"`)
	require.NotEqual(t, hash(), hash("--seed", "9"))
	require.Equal(t, hash("--with", "seed 9"), hash("--seed", "9"))
	lost := []string{"--with", "fault client -> server SYN 1 lose"}
	require.NotEqual(t, hash(), hash(lost...))
	code, out, _ := try(append([]string{"sim", "run", "H1", "--lang", "en"}, lost...)...)
	require.Equal(t, exitExpectation, code, "what the scenario expects does not hold then")
	require.Contains(t, out, "✗ expect segments = 3\n    found: 4")
	require.Contains(t, out, "lost, as planned")
}

func TestSimRunFiles(t *testing.T) {
	dir := t.TempDir()
	page, capture, record := filepath.Join(dir, "x.html"), filepath.Join(dir, "x.pcapng"), filepath.Join(dir, "x.trace")
	code, drawn, errs := try("sim", "run", "H1", "--html", page, "-w", capture, "--at", "server", "--record", record)
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, drawn, "Wireshark: tcp.flags.syn == 1", "what to look at in the capture")
	b, err := os.ReadFile(page)
	require.NoError(t, err)
	require.NotRegexp(t, `(?i)<script|src=|href=|url\(|@import|https?:`, string(b))
	code, out, _ := try("trace", "show", capture, "--lang", "en")
	require.Equal(t, exitOK, code)
	require.Contains(t, out, " SYN ACK ")
	code, out, _ = try("sim", "run", "H1", "--json")
	require.Equal(t, exitOK, code)
	require.True(t, json.Valid([]byte(out)))
	code, _, errs = try("sim", "run", "--compare", "H5", "--html", page)
	require.Equal(t, exitOK, code, errs)
	b, err = os.ReadFile(page)
	require.NoError(t, err)
	require.Contains(t, string(b), `class="runs two"`)
}

// What makes no sense is refused, with what to do.
func TestSimRunRefuses(t *testing.T) {
	dir := t.TempDir()
	bad, huge, binary := filepath.Join(dir, "bad.scenario"), filepath.Join(dir, "huge"), filepath.Join(dir, "binary")
	write(t, bad, "scenario T\nhost client 10.0.0.1\nlink client servr\n")
	write(t, huge, strings.Repeat("# much\n", 60_000))
	write(t, binary, "\x7fELF\x00\x01")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{}, "something is missing: the form is 'tcpkit sim run SCENARIO [WHAT-IF]', for example: tcpkit sim run H1"},
		{[]string{"--compare", "H5", "H5-two-way", "H6"}, `"H6" is one word too many`},
		{[]string{"--compare", "H5", "h5"}, "H5 is compared with itself: give two scenarios"},
		{[]string{"H99"}, `there is no scenario "H99", and no file of that name`},
		{[]string{"H1", "H2"}, "two scenarios are for --compare"},
		{[]string{"/no/such/file"}, "there is no file /no/such/file"},
		{[]string{dir}, "is a folder; give the path of a scenario in it"},
		{[]string{huge}, "is too large for a scenario"},
		{[]string{binary}, "line 1"},
		{[]string{bad}, bad + ", line 3: "},
		{[]string{"H1", "--with", "fault client -> servr SYN 1 lose"}, `bad --with "fault client -> servr SYN 1 lose": `},
		{[]string{"H1", "--with", "warp 9"}, `bad --with "warp 9": `},
		{[]string{"H1", "--with", "plugin client no-such-plugin"}, "no-such-plugin"},
		{[]string{"H1", "--seed", "-1"}, `bad --seed "-1": give a whole number from 0 to 18446744073709551615`},
		{[]string{"H1", "--lang", "fr"}, `bad --lang "fr": give en or zh`},
		{[]string{"H1", "-w", "-"}, "stdout is for what is shown"},
		{[]string{"H1", "-w", dir}, "it is a folder; name a file in it"},
		{[]string{"H1", "--html", dir + "/no/such/x.html"}, "name a file that can be made"},
		{[]string{"H1", "--at", "server"}, "--at is for a capture"},
		{[]string{"H1", "-w", dir + "/x", "--at", "nobody"}, `bad --at "nobody": the hosts are client, server`},
		{[]string{"--compare", "H2", bad}, "line 3"},
		{[]string{"--compare", bad}, "--compare with one scenario needs an id"},
		{[]string{"--compare", "H5", "H5-two-way", "-w", dir + "/x"}, "--compare makes two"},
	} {
		simRunRefuses(t, c.says, c.args...)
	}
}

func simRunRefuses(t *testing.T, says string, args ...string) {
	t.Helper()
	code, out, errs := try(append([]string{"sim", "run"}, args...)...)
	require.NotEqual(t, exitOK, code, args)
	require.NotEqual(t, exitExpectation, code, args)
	require.Contains(t, errs, says, args)
	require.Empty(t, out, args)
}

func TestSimList(t *testing.T) {
	code, out, errs := try("sim", "list", "--lang", "en")
	require.Equal(t, exitOK, code, errs)
	require.True(t, strings.HasPrefix(out, "The handshake\n"), out)
	for _, s := range shipped().Scenarios() {
		require.Contains(t, out, "  "+s.ID+" ")
	}
	code, out, _ = try("sim", "list", "close", "--lang", "zh")
	require.Equal(t, exitOK, code)
	require.Contains(t, out, "关闭连接")
	require.NotContains(t, out, "H1 ")
	code, _, errs = try("sim", "list", "dance")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, `no chapter "dance": there are handshake, data`)
	code, out, _ = try("sim", "list", "--json")
	require.Equal(t, exitOK, code)
	require.True(t, json.Valid([]byte(out)))
}
