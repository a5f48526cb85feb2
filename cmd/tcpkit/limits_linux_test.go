package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// The least limit on the way up counts; "max" is none.
//
// Proves: H05
func TestMemoryMax(t *testing.T) {
	tree := fstest.MapFS{
		"proc/self/cgroup":                {Data: []byte("1:cpu:/x\n0::/a/b/c\n")},
		"sys/fs/cgroup/a/memory.max":      {Data: []byte("1000\n")},
		"sys/fs/cgroup/a/b/memory.max":    {Data: []byte("max\n")},
		"sys/fs/cgroup/a/b/c/memory.max":  {Data: []byte("4000\n")},
		"sys/fs/cgroup/other/memory.max":  {Data: []byte("1\n")},
		"sys/fs/cgroup/other/memory.high": {Data: []byte("1\n")},
	}
	least, ok := memoryMax(tree)
	require.True(t, ok)
	require.Equal(t, int64(1000), least)
	delete(tree, "sys/fs/cgroup/a/memory.max")
	delete(tree, "sys/fs/cgroup/a/b/c/memory.max")
	_, ok = memoryMax(tree)
	require.False(t, ok, "no limit anywhere")
	_, ok = memoryMax(fstest.MapFS{})
	require.False(t, ok, "no control groups")
}

// A command on a TUN leaves no core dump.
//
// Proves: H05
func TestNoCoreDump(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	p := n.program(t, "listen", ":7", "--echo").says("listening")
	limits, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "limits"))
	require.NoError(t, err)
	require.Regexp(t, regexp.MustCompile(`Max core file size\s+0\s+0\s`), string(limits))
	p.signal(syscall.SIGINT)
	p.exits(exitInterrupt)
}
