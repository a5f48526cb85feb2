package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/pcapng"
	"github.com/tcpkit/tcpkit/core/scenario"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/ladder"
	"github.com/tcpkit/tcpkit/internal/narrate"
)

func TestTrace(t *testing.T) {
	dir := t.TempDir()
	record, timeline := filepath.Join(dir, "x.trace"), filepath.Join(dir, "timeline.json")
	code, _, errs := try("sim", "run", "H10", "--with", "seed 77", "--record", record)
	require.Equal(t, exitOK, code, errs)
	for _, command := range []string{"verify", "replay"} {
		code, out, errs := try("trace", command, record)
		require.Equal(t, exitOK, code, errs+out)
		require.Regexp(t, `: (ok|the same), \d+ events, \d+ packets, hash [0-9a-f]{16}\n$`, out)
	}
	code, out, _ := try("trace", "show", record, "--lang", "en")
	require.Equal(t, exitOK, code)
	require.Contains(t, out, "SYN (again)")
	for _, end := range []string{"pcapng", "json", "txt"} {
		to := filepath.Join(dir, "out."+end)
		code, _, errs := try("trace", "convert", record, to)
		require.Equal(t, exitOK, code, errs)
		if end == "txt" {
			continue
		}
		if end == "pcapng" {
			b, err := os.ReadFile(to)
			require.NoError(t, err)
			var p pcapng.Packet
			require.True(t, pcapng.NewReader(b).Next(&p))
			require.EqualValues(t, scenario.Epoch, p.At, "as in the capture that sim run -w writes")
		}
		code, out, errs := try("trace", "show", to, "--lang", "en")
		require.Equal(t, exitOK, code, errs)
		require.Contains(t, out, " SYN ")
		code, out, errs = try("trace", "verify", to)
		require.Equal(t, exitOK, code, errs+out)
	}
	code, _, errs = try("trace", "convert", filepath.Join(dir, "out.pcapng"), timeline)
	require.Equal(t, exitOK, code, errs)
}

// A recorded run that has been changed is found out, and the first event that differs
// is named.
func TestReplayFindsOut(t *testing.T) {
	dir := t.TempDir()
	record := filepath.Join(dir, "x.trace")
	code, _, errs := try("sim", "run", "H1", "--record", record)
	require.Equal(t, exitOK, code, errs)
	b, err := os.ReadFile(record)
	require.NoError(t, err)
	whole := string(b)
	for name, c := range map[string]struct{ from, to, command, says string }{
		"event":    {`"to":"SYN-SENT"`, `"to":"LISTEN"`, "replay", "differs\n  on file: "},
		"hash":     {`"hash":"` + hashOf(t, whole), `"hash":"0123456789abcdef`, "replay", "the hash on file is 0123456789abcdef"},
		"seed":     {`\nseed 1\n`, `\nseed 2\n`, "replay", "differs"},
		"order":    {`{"i":1,`, `{"i":7,`, "verify", "events are missing or doubled"},
		"checksum": {`"octets":"RQ`, `"octets":"RR`, "verify", "checksum"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(whole, c.from, c.to, 1)
			require.NotEqual(t, whole, changed, "the change changes something")
			path := filepath.Join(dir, name)
			write(t, path, changed)
			code, out, errs := try("trace", c.command, path)
			require.Equal(t, exitExpectation, code, errs+out)
			require.Contains(t, out, c.says)
		})
	}
}

func hashOf(t *testing.T, file string) string {
	t.Helper()
	_, h, ok := strings.Cut(file, `"hash":"`)
	require.True(t, ok)
	return h[:16]
}

func TestTraceRefuses(t *testing.T) {
	dir := t.TempDir()
	empty, text, wrong, torn := filepath.Join(dir, "empty"), filepath.Join(dir, "text"), filepath.Join(dir, "wrong"), filepath.Join(dir, "torn.pcapng")
	write(t, empty, "")
	write(t, text, "hello")
	write(t, wrong, `{"items":`+"\n"+`[}`)
	_, _, errs := try("sim", "run", "H1", "-w", torn)
	require.Empty(t, errs)
	b, err := os.ReadFile(torn)
	require.NoError(t, err)
	write(t, torn, string(b[:len(b)-20]))
	for args, says := range map[string]string{
		"":                              "trace needs one of: convert, replay, show, verify",
		"show":                          "something is missing: the form is 'tcpkit trace show FILE'",
		"show /no/such":                 "there is no file /no/such",
		"show " + dir:                   "is a folder",
		"show " + empty:                 "is empty; 'tcpkit sim run ID --record FILE'",
		"show " + text:                  "neither a recorded run nor a capture",
		"show " + wrong:                 "is no recorded run: line 2: ",
		"replay " + torn:                "is a capture: it holds no scenario",
		"convert " + torn + " x.json":   "only what came before it could be converted",
		"convert " + torn + " x.pcapng": "only what came before",
	} {
		code, out, errs := try(append([]string{"trace"}, strings.Fields(args)...)...)
		require.Equal(t, exitUsage, code, args)
		require.Contains(t, errs, says)
		require.Empty(t, out)
	}
	code, out, _ := try("trace", "verify", torn)
	require.Equal(t, exitExpectation, code)
	require.Contains(t, out, "the file ends within a block")
}

// Whatever a file holds, it is refused or drawn, and never more than that.
func FuzzTrace(f *testing.F) {
	dir := f.TempDir()
	record, capture := filepath.Join(dir, "x.trace"), filepath.Join(dir, "x.pcapng")
	code, _, _ := try("sim", "run", "H10", "--record", record, "-w", capture)
	require.Equal(f, exitOK, code)
	for _, path := range []string{record, capture} {
		b, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte(`{"hosts":[{"name":"a"}],"items":[{"k":"send","d":-5,"h":99,"t":-1,"f":7},{"k":"arrive"},{"k":"state","h":-3}]}`))
	f.Add([]byte(`{"scenario":"\u001b[2J","hosts":[{"name":"\u009b2J"}],"items":[{"k":"send","d":-1},{"k":"lose","why":"\u001b]0;x\u0007"},{"k":"violation","what":"\r\u202e"}]}`))
	x := &tracing{app: &app{}}
	f.Fuzz(func(t *testing.T, b []byte) {
		one, err := parseTrace("x", b)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		one.wrong()
		var out bytes.Buffer
		x.draw(ladder.NewPen(&out, narrate.Chinese), one)
		steers := bytes.ContainsFunc(out.Bytes(), func(r rune) bool { return r != '\n' && unicode.Is(unicode.C, r) })
		require.False(t, steers, "nothing steers the terminal: %q", out.String())
		if one.rec != nil {
			one.rec.pcapng()
		}
	})
}

// In a capture of a flood each packet is from somebody else.
func TestTraceOfAFlood(t *testing.T) {
	const packets = 10_000
	w := pcapng.Writer{}
	file := w.AppendHeader(nil)
	for i := range packets {
		ip := wire.IP{Src: wire.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), Dst: wire.AddrFrom4([4]byte{192, 0, 2, 1}), Protocol: wire.ProtocolTCP, TTL: 64}
		syn := wire.AppendTCP(nil, &wire.TCP{SrcPort: 1024, DstPort: 80, Flags: wire.SYN})
		packet := append(wire.AppendIP(nil, &ip, len(syn)), syn...)
		wire.FinishTCP(packet, &ip, wire.IPv4HeaderLen, false)
		file = w.AppendPacket(file, clock.Instant(i), packet, pcapng.Inbound, "")
	}
	one, err := parseTrace("flood", file)
	require.NoError(t, err)
	require.Empty(t, one.wrong())
	line := one.timeline()
	require.Len(t, line.Hosts, packets+1)
	require.Equal(t, "10.0.39.15", line.Hosts[line.Items[packets-1].Host].Name)
}
