package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
)

// The same scripts, judged on the kernel.
func TestScriptKernel(t *testing.T) {
	netnstest.Need(t)
	code, out, errs := try("script", "--kernel", "--tolerance_usecs=30000", "testdata/script")
	require.Equal(t, exitExpectation, code, errs)
	require.Contains(t, out, "states    Linux FIN-WAIT-1, script ESTABLISHED")
	require.True(t, strings.HasSuffix(out, "\n4 passed, 2 failed, 1 unsupported\n"), out)
}

func TestScriptBoth(t *testing.T) {
	netnstest.Need(t)
	dir := t.TempDir()
	const handshake = `0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0  bind(3, ..., ...) = 0
+0  listen(3, 1) = 0
+0  < S 0:0(0) win 65535 <mss 1000>
`
	same, differs := filepath.Join(dir, "same.pkt"), filepath.Join(dir, "differs.pkt")
	require.NoError(t, os.WriteFile(same, []byte(handshake+"+0 > S. 0:0(0) ack 1 <mss 1460>"), 0o600))
	// Neither has the MSS that this one expects.
	require.NoError(t, os.WriteFile(differs, []byte(handshake+"+0 > S. 0:0(0) ack 1 <mss 1400>"), 0o600))
	code, out, errs := try("script", "--both", "--tolerance_usecs=30000", same)
	require.Equal(t, exitOK, code, out+errs)
	require.Equal(t, "1 the same, 0 differ, 0 unsupported\n", out)

	code, out, errs = try("script", "--both", "--tolerance_usecs=30000", "-w", dir, same, differs)
	require.Equal(t, exitExpectation, code, errs)
	require.Contains(t, out, "tcpkit failed, Linux failed")
	require.Contains(t, out, "the options: expected <mss 1400>, actual <mss 1460>")
	require.True(t, strings.HasSuffix(out, "\n1 the same, 1 differ, 0 unsupported\n"), out)
	captures, err := filepath.Glob(filepath.Join(dir, "*same-ipv4-*.pcapng"))
	require.NoError(t, err)
	require.Len(t, captures, 2, "one of tcpkit and one of the kernel")
}

func TestScriptKernelWrong(t *testing.T) {
	for _, c := range []struct{ args, says string }{
		{"--kernel --both", "exclude each other"},
		{"--kernel --profile=rfc9293", "the kernel has the profile linux"},
		{"--kernel --limit=0s", "bad --limit 0s"},
		{"--kernel --retries=-1", "bad --retries -1"},
	} {
		code, out, errs := try(append([]string{"script", "testdata/script/pass.pkt"}, strings.Fields(c.args)...)...)
		require.Equal(t, exitUsage, code)
		require.Contains(t, errs, c.says)
		require.Empty(t, out)
	}
}
