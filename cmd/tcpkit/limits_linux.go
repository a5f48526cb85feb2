package main

import (
	"io/fs"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// setLimits bounds what the process may take (THREATS H05): no core dump, which would
// hold the stack's secret, and a heap that the collector keeps below the limit of the control
// group, so that the process slows down before it is killed. The Go runtime has already raised
// the number of descriptors to what is allowed.
func setLimits() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return err
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		if most, ok := memoryMax(os.DirFS("/").(fs.ReadFileFS)); ok {
			debug.SetMemoryLimit(most / 10 * 9)
		}
	}
	return nil
}

// memoryMax is the least memory limit of the control groups (version 2) that the
// process is in, in octets.
func memoryMax(root fs.ReadFileFS) (least int64, ok bool) {
	own, err := root.ReadFile("proc/self/cgroup")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(own)) {
		dir, found := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !found {
			continue
		}
		for dir = path.Clean("/" + dir); ; dir = path.Dir(dir) {
			text, err := root.ReadFile(path.Join("sys/fs/cgroup", dir, "memory.max"))
			if n, bad := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && bad == nil && (!ok || n < least) {
				least, ok = n, true
			}
			if dir == "/" {
				break
			}
		}
	}
	return least, ok
}
