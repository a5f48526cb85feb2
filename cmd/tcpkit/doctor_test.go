package main

import (
	"bytes"
	"errors"
	"io/fs"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// healthy is a machine on which nothing is missing.
func healthy(files map[string]string) *machine {
	return &machine{
		os: "linux", netAdmin: true,
		read:    func(path string) (string, bool) { s, ok := files[path]; return s, ok },
		openTUN: func() error { return nil },
		tunMode: func() (fs.FileMode, bool) { return fs.ModeDevice | fs.ModeCharDevice | 0o666, true },
		makeNS:  func() error { return nil },
		program: func(string) bool { return true },
	}
}

func TestDoctor(t *testing.T) {
	for _, f := range examine(healthy(nil)) {
		require.Equal(t, "ok", f.Status, f.Check)
	}
	for _, c := range []struct {
		name, check, mend string
		files             map[string]string
		break_            func(*machine)
	}{
		{"no node", "/dev/net/tun", "mknod /dev/net/tun c 10 200", nil, func(m *machine) {
			m.tunMode = func() (fs.FileMode, bool) { return 0, false }
		}},
		{"mode", "its mode", "chmod 0666 /dev/net/tun", nil, func(m *machine) {
			m.openTUN = func() error { return &fs.PathError{Op: "open", Path: "/dev/net/tun", Err: syscall.EACCES} }
		}},
		{"no driver", "its driver", "modprobe tun", nil, func(m *machine) {
			m.openTUN = func() error { return &fs.PathError{Op: "open", Path: "/dev/net/tun", Err: syscall.ENODEV} }
		}},
		{"no capability", "CAP_NET_ADMIN", "setcap cap_net_admin", nil, func(m *machine) { m.netAdmin = false }},
		{"user namespaces off", "user.max_user_namespaces", "sysctl -w user.max_user_namespaces",
			map[string]string{"/proc/sys/user/max_user_namespaces": "0"}, func(m *machine) { m.makeNS = func() error { return syscall.ENOSPC } }},
		{"network namespaces off", "user.max_net_namespaces", "sysctl -w user.max_net_namespaces",
			map[string]string{"/proc/sys/user/max_net_namespaces": "0"}, func(m *machine) { m.makeNS = func() error { return syscall.ENOSPC } }},
		{"for root alone", "kernel.unprivileged_userns_clone", "unprivileged_userns_clone=1",
			map[string]string{"/proc/sys/kernel/unprivileged_userns_clone": "0"}, func(m *machine) { m.makeNS = func() error { return syscall.EPERM } }},
		{"AppArmor", "kernel.apparmor_restrict_unprivileged_userns", "apparmor_restrict_unprivileged_userns=0",
			map[string]string{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1"}, func(m *machine) { m.makeNS = func() error { return syscall.EPERM } }},
		{"seccomp", "seccomp", "seccomp=unconfined",
			map[string]string{"/proc/self/status": "Name:\tx\nSeccomp:\t2\n"}, func(m *machine) { m.makeNS = func() error { return syscall.EPERM } }},
		{"elsewhere", "root", "sudo", nil, func(m *machine) { m.os = "darwin" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := healthy(c.files)
			c.break_(m)
			var missing []finding
			for _, f := range examine(m) {
				if f.Status == "missing" {
					missing = append(missing, f)
				}
			}
			require.Len(t, missing, 1)
			require.Equal(t, c.check, missing[0].Check)
			require.Contains(t, missing[0].Mend, c.mend)
			var out bytes.Buffer
			require.NoError(t, printFindings(&out, missing))
			require.Contains(t, out.String(), "$ ")
		})
	}
	m := healthy(nil)
	m.program = func(name string) bool { return name != "tshark" }
	found := examine(m)
	require.Equal(t, "optional", found[len(found)-4].Status)
	require.Equal(t, "sudo apt-get install tshark", found[len(found)-4].Mend)
}

func TestExplainTUN(t *testing.T) {
	m := healthy(nil)
	m.netAdmin = false
	err := explainTUN(&fs.PathError{Op: "open", Path: "/dev/net/tun", Err: syscall.EACCES}, m)
	require.ErrorContains(t, err, "setcap cap_net_admin")
	require.Equal(t, exitPermission, codeOf(err))
	require.ErrorContains(t, err, "tcpkit doctor")
	plain := errors.New("busy")
	require.Equal(t, plain, explainTUN(plain, m), "what no right would mend stays as it is")
}
