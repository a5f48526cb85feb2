package need

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// mendTUN returns what would make a TUN device usable, or nothing if it is.
func mendTUN() string {
	tun, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		return "make /dev/net/tun usable: " + err.Error()
	}
	tun.Close()
	if netAdmin() || userNamespaces() {
		return ""
	}
	return "run as root or allow user namespaces"
}

// netAdmin reports whether this process has CAP_NET_ADMIN, which root in a
// container may lack.
func netAdmin() bool {
	const capNetAdmin = 12
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(status)) {
		if hex, ok := strings.CutPrefix(line, "CapEff:"); ok {
			caps, err := strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
			return err == nil && caps>>capNetAdmin&1 != 0
		}
	}
	return false
}

// userNamespaces reports whether a program can be started as root of a user and
// a network namespace of its own.
func userNamespaces() bool {
	cmd := exec.Command("true")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	return cmd.Run() == nil
}
