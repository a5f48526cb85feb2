package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/pcapng"
)

func TestScript(t *testing.T) {
	t.Chdir("testdata")
	run := func(args string) string {
		code, out, errs := try(strings.Fields("script " + args)...)
		require.Equal(t, exitExpectation, code, errs)
		require.Empty(t, errs)
		return out
	}
	plain, verbose := run("script"), run("script -v")
	require.Equal(t, plain, run("script"), "the output is in the order of the files")
	t.Chdir("..")
	golden(t, "script.txt", plain)
	golden(t, "script-verbose.txt", verbose)
}

// What is not supported is no failure, and what passes needs no word.
func TestScriptExitCodes(t *testing.T) {
	for _, c := range []struct {
		args string
		code int
		last string
	}{
		{"pass.pkt", exitOK, "2 passed, 0 failed, 0 unsupported\n"},
		{"pass.pkt --ip_version=ipv6", exitOK, "1 passed, 0 failed, 0 unsupported\n"},
		{"pass.pkt --ip-version ipv4-mapped-ipv6", exitOK, "1 passed, 0 failed, 0 unsupported\n"},
		{"pass.pkt --ip_version both --judge upstream", exitOK, "2 passed, 0 failed, 0 unsupported\n"},
		{"must_fail.pkt", exitOK, "1 passed, 0 failed, 0 unsupported\n"},
		{"unsupported.pkt", exitOK, "0 passed, 0 failed, 1 unsupported\n"},
		{"more/mistake.pkt", exitExpectation, "0 passed, 1 failed, 0 unsupported\n"},
		{"more/lenient.pkt", exitOK, "1 passed, 0 failed, 0 unsupported\n"},
		{"more/lenient.pkt --judge=strict", exitExpectation, "0 passed, 2 failed, 0 unsupported\n"},
		{"more/lenient.pkt --tolerance_usecs=2000", exitExpectation, "0 passed, 1 failed, 0 unsupported\n"},
		{"fail.pkt -D R=F", exitOK, "1 passed, 0 failed, 0 unsupported\n"},
		{"pass.pkt fail.pkt", exitExpectation, "2 passed, 1 failed, 0 unsupported\n"},
		{"pass.pkt --set=no_such_number=1", exitOK, "0 passed, 0 failed, 2 unsupported\n"},
		{"pass.pkt --profile=rfc9293 --non_fatal=packet --mss=1000 --dry_run --psh=strict", exitOK, "2 passed, 0 failed, 0 unsupported\n"},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Chdir("testdata/script")
			code, out, errs := try(append([]string{"script"}, strings.Fields(c.args)...)...)
			require.Equal(t, c.code, code, out+errs)
			require.True(t, strings.HasSuffix("\n"+out, "\n"+c.last), out)
			require.Empty(t, errs)
		})
	}
}

func TestScriptStdin(t *testing.T) {
	var out, errs bytes.Buffer
	code := run([]string{"script", "-"}, strings.NewReader("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n0 ?"), &out, &errs)
	require.Equal(t, exitExpectation, code)
	require.Equal(t, "failed stdin\n  stdin:2:3: expected < or > and a packet, a call, %{ code }% or a `command` behind the time, found \"?\"\n0 passed, 1 failed, 0 unsupported\n", out.String())
	require.Empty(t, errs.String())
}

func TestScriptWrong(t *testing.T) {
	empty := t.TempDir()
	for _, c := range []struct{ args, says string }{
		{"", "something is missing: the form is 'tcpkit script"},
		{"/no/such.pkt", "there is no script /no/such.pkt: no such file or directory"},
		{empty, "there are no scripts (*.pkt) in " + empty},
		{"testdata/script/pass.pkt --ip_version=5", `bad --ip_version "5"`},
		{"testdata/script/pass.pkt --judge=me", `bad --judge "me"`},
		{"testdata/script/pass.pkt --profile=fast", `bad --profile "fast"`},
		{"testdata/script/pass.pkt -D 5", `bad --define:1:1: expected SYMBOL=VALUE in the definition "5"`},
		{"testdata/script/pass.pkt --fly", "unknown flag: --fly"},
	} {
		t.Run(c.args, func(t *testing.T) {
			code, out, errs := try(append([]string{"script"}, strings.Fields(c.args)...)...)
			require.Equal(t, exitUsage, code)
			require.Contains(t, errs, c.says)
			require.Empty(t, out)
		})
	}
}

func TestScriptJSON(t *testing.T) {
	code, out, _ := try("script", "--json", "testdata/script")
	require.Equal(t, exitExpectation, code)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for _, line := range lines {
		require.True(t, json.Valid([]byte(line)), line)
	}
	require.Contains(t, lines[0], `"script":"testdata/script/fail.pkt","ip_version":"ipv4","outcome":"failed","detail":"testdata/script/fail.pkt:13:1: expected`)
	require.JSONEq(t, `{"passed":4,"failed":2,"unsupported":1}`, lines[len(lines)-1])
}

func TestScriptList(t *testing.T) {
	code, out, _ := try("script", "--list", "testdata/script")
	require.Equal(t, exitOK, code)
	require.Contains(t, out, "testdata/script/pass.pkt  ipv4 ipv6  A listener closes. Requirement: RFC 9293 §3.10.4\n")
	require.Contains(t, out, "testdata/script/more/mistake.pkt  testdata/script/more/mistake.pkt:3:16: expected win N")
	code, out, _ = try("script", "--list", "--json", "testdata/script/pass.pkt")
	require.Equal(t, exitOK, code)
	require.JSONEq(t, `{"script":"testdata/script/pass.pkt","ip_versions":["ipv4","ipv6"],"shows":["A listener closes.","Requirement: RFC 9293 §3.10.4"]}`, out)
}

func TestScriptCapture(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	code, _, errs := try("script", "-w", dir, "testdata/script/fail.pkt", "testdata/script/pass.pkt")
	require.Equal(t, exitExpectation, code, errs)
	b, err := os.ReadFile(filepath.Join(dir, "testdata-script-fail-ipv4.pcapng"))
	require.NoError(t, err)
	r, count := pcapng.NewReader(b), 0
	for p := (pcapng.Packet{}); r.Next(&p); count++ {
		require.Equal(t, []pcapng.Direction{pcapng.Inbound, pcapng.Outbound}[count%2], p.Direction)
	}
	require.NoError(t, r.Err())
	require.Equal(t, 4, count, "SYN, SYN-ACK, ACK and FIN")
	require.FileExists(t, filepath.Join(dir, "testdata-script-pass-ipv6.pcapng"))
}
