package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// thisMachine is the machine that the program runs on.
func thisMachine() *machine {
	read := func(path string) (string, bool) {
		b, err := os.ReadFile(path)
		return strings.TrimSpace(string(b)), err == nil
	}
	return &machine{
		os: runtime.GOOS, root: os.Geteuid() == 0, netAdmin: hasNetAdmin(read), read: read,
		openTUN: func() error {
			f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
			if err == nil {
				f.Close()
			}
			return err
		},
		tunMode: func() (fs.FileMode, bool) {
			st, err := os.Stat("/dev/net/tun")
			if err != nil || st.Mode()&fs.ModeCharDevice == 0 {
				return 0, false
			}
			return st.Mode(), true
		},
		makeNS:  tryNamespaces,
		program: hasProgram,
	}
}

// hasNetAdmin reports whether CAP_NET_ADMIN is effective.
func hasNetAdmin(read func(string) (string, bool)) bool {
	const capNetAdmin = 12
	status, ok := read("/proc/self/status")
	caps, err := strconv.ParseUint(statusField(status, "CapEff"), 16, 64)
	return ok && err == nil && caps>>capNetAdmin&1 != 0
}

// tryNamespaces starts this program in a user and network namespace to bring up
// a loopback there. Nothing but the attempt tells whether that works: filters
// and security modules have no sysctl, and some give the namespace without
// its rights.
func tryNamespaces() error {
	cmd := exec.Command("/proc/self/exe", probeCommand)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
	}
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == exitPermission {
		return fmt.Errorf("the namespace came without its rights: %w", syscall.EPERM)
	}
	return err
}

// probe is what tryNamespaces runs in the namespace.
func probe() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	r, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	r.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, r); err != nil {
		return &exitError{exitPermission, err}
	}
	return nil
}
