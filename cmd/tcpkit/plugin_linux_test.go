package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/need"
)

// shout sends n octets through an echo and reads them back.
func shout(t *testing.T, host, port string, n int) {
	t.Helper()
	c := kernelDial(t, host, port)
	sent := bytes.Repeat([]byte("all work and no play makes jack a dull boy\n"), n/43+1)[:n]
	go func() {
		c.Write(sent)
		c.CloseWrite()
	}()
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	got, err := io.ReadAll(c)
	require.NoError(t, err)
	require.True(t, bytes.Equal(sent, got), "%d octets of %d came back, and whole", len(got), n)
}

// TestPluginsOnTUN has the kernel talk to tcpkit under several plugins at once: a
// congestion controller, one that drops, one that writes an option. The data is
// whole, tshark finds the option with a right checksum, and the capture's comments
// name the plugin and its verdict.
func TestPluginsOnTUN(t *testing.T) {
	tshark := need.Tool(t, "tshark", "tshark")
	n := newNet(t)
	file := filepath.Join(t.TempDir(), "plugins.pcapng")
	p := n.program(t, "listen", "--echo", "-k", ":80", "-w", file,
		"--plugin", "aimd", "--plugin", "drop-nth,n=50", "--plugin", "option-stamp")
	p.says("name=aimd place=").says("name=drop-nth place=").says("listening")
	shout(t, n.local4, "80", 1<<20)
	shout(t, n.local6, "80", 1<<18)
	p.signal(syscall.SIGINT)
	p.exits(exitInterrupt)

	show := func(filter string, fields ...string) []string {
		args := []string{"-r", file, "-o", "tcp.check_checksum:TRUE", "-Y", filter, "-T", "fields"}
		for _, f := range fields {
			args = append(args, "-e", f)
		}
		out, err := exec.Command(tshark, args...).Output()
		require.NoError(t, err)
		return strings.Split(strings.TrimSpace(string(out)), "\n")
	}
	stamped := show("tcp.srcport == 80 && tcp.option_kind == 253", "tcp.checksum.status")

	require.Greater(t, len(stamped), 500, "each segment that leaves has the option")
	for _, status := range stamped {
		require.Equal(t, "1", status, "the checksum is right")
	}
	require.Empty(t, show("tcp.checksum.status == 0 || _ws.malformed", "frame.number")[0])
	comments := strings.Join(show("frame.comment", "frame.comment"), "\n")
	require.Contains(t, comments, "plugin option-stamp at options_write: mutated")
	require.Contains(t, comments, "plugin drop-nth at segment_leaving: drop")
}

// TestPluginReload swaps a plugin under load: the data is whole, and the new one is
// at work from then on.
func TestPluginReload(t *testing.T) {
	n := newNet(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "mine.wasm")
	put := func(name string) {
		spec := pluginSpec{file: name}
		wasm, err := spec.read()
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file+".new", wasm, 0o600))
		require.NoError(t, os.Rename(file+".new", file))
	}
	put("logger")
	p := n.program(t, "listen", "--echo", "-k", ":80", "--plugin", file)
	p.says("listening")
	done := make(chan struct{})
	go func() {
		defer close(done)
		shout(t, n.local4, "80", 16<<20)
	}()
	put("option-stamp")
	p.signal(syscall.SIGHUP)
	p.says("the plugin is replaced")
	require.NoError(t, os.WriteFile(file, []byte("no module"), 0o600))
	p.signal(syscall.SIGHUP)
	p.says("the plugin is not replaced").says("not a WASM module")
	<-done
	shout(t, n.local4, "80", 1<<16)
	p.signal(syscall.SIGINT)
	p.exits(exitInterrupt)
}

// TestPluginRefused tells what is wrong before anything is opened, with a code of
// its own.
func TestPluginRefused(t *testing.T) {
	n := newNet(t)
	for flag, want := range map[string]string{
		"nosuch.wasm":     "there is no such file",
		"drop-nth,m=7":    "it has no option",
		"two-way":         "allow=lab",
		t.TempDir():       "is a folder",
		"/dev/null":       "load plugin null: this is not a WASM module",
		"mss-clamp,mss=x": "'tcpkit plugin check mss-clamp,mss=x' lists all",
	} {
		p := n.program(t, "listen", "--echo", ":80", "--plugin", flag)
		p.exits(exitPlugin)
		require.Contains(t, p.stderr(), want, flag)
		noDevice(t, n.tun)
	}
	p := n.program(t, "listen", "--echo", ":80", "--plugin", "drop-nth,allow=everything")
	p.exits(exitUsage)
	require.Contains(t, p.stderr(), "there is no grant")
}

// TestPluginStrikes tells the user of each fault of a plugin when it happens, and
// says that it is called no more. The connection has nothing of it.
func TestPluginStrikes(t *testing.T) {
	n := newNet(t)
	const module = "../../plugins/internal/hostile/modules/trap.wasm"
	p := n.program(t, "listen", "--echo", ":80", "--plugin", module)
	p.says("listening")
	shout(t, n.local4, "80", 1000)
	p.says("a strike: plugin trap at tcpkit_")
	p.says("trapped: ")
	p.signal(syscall.SIGINT)
	p.exits(exitInterrupt)
}

// TestReadmePluginOnTUN is the last command of the README's chapter on plugins.
func TestReadmePluginOnTUN(t *testing.T) {
	need.Tool(t, "wat2wasm", "wabt")
	n := newNet(t)
	commands := pluginCommands(t, "wat")
	t.Chdir(t.TempDir())
	for _, words := range commands[:2] {
		var out, errs bytes.Buffer
		require.Zero(t, run(words, strings.NewReader(""), &out, &errs), "%s", errs.String())
	}
	p := n.program(t, commands[6]...)
	p.says("listening")
	shout(t, n.local4, "7", 1000)
	p.says("a connection is established")
	p.signal(syscall.SIGINT)
	p.exits(exitInterrupt)
}
