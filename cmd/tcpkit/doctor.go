package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func newDoctor(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Say what is missing here, and the command that mends it",
		Long: `Look at what tcpkit's commands need on this machine. Each line is a finding;
what is missing has the command that mends it below. The exit code is 0 when
the commands on a TUN can run, else 7. Nothing is changed.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			found := examine(thisMachine())
			if a.json {
				if err := json.NewEncoder(a.out).Encode(found); err != nil {
					return err
				}
			} else if err := printFindings(a.out, found); err != nil {
				return err
			}
			for _, f := range found {
				if f.Status == "missing" {
					return &silentError{exitPermission}
				}
			}
			return nil
		},
	}
}

// probeCommand is the hidden command by which tryNamespaces asks.
const probeCommand = "probe-namespace"

func newProbe() *cobra.Command {
	return &cobra.Command{Use: probeCommand, Hidden: true, Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error { return probe() }}
}

// A finding is one line of the doctor's.
type finding struct {
	Check  string `json:"check"`
	Status string `json:"status"` // ok, missing, optional (missing, and only some things want it), note
	What   string `json:"what"`
	Mend   string `json:"mend,omitempty"` // a command
}

// A machine is what the doctor looks at, so that a test can have another.
type machine struct {
	os       string
	root     bool                             // effective uid 0
	netAdmin bool                             // CAP_NET_ADMIN here
	read     func(path string) (string, bool) // a file's trimmed contents
	openTUN  func() error
	tunMode  func() (fs.FileMode, bool)
	makeNS   func() error // tries a user and network namespace
	program  func(name string) bool
}

// readNumber reads a sysctl.
func (m *machine) readNumber(path string) (int, bool) {
	s, ok := m.read(path)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

const (
	mendNode = "sudo mkdir -p /dev/net && sudo mknod /dev/net/tun c 10 200 && sudo chmod 0666 /dev/net/tun"
	mendMode = "sudo chmod 0666 /dev/net/tun"
)

// examine makes all findings, the needed ones first.
func examine(m *machine) []finding {
	if m.os != "linux" {
		return examineElsewhere(m)
	}
	found := append(examineTUN(m), examineRights(m)...)
	found = append(found, examinePorts(m)...)
	for _, p := range []struct{ name, pkg, use string }{
		{"ip", "iproute2", "looking at the link from the kernel's side"},
		{"tshark", "tshark", "reading captures in a terminal, and tests"},
		{"curl", "curl", "the examples, and tests"},
		{"iperf3", "iperf3", "the other end of tcpkit perf, and tests"},
		{"openssl", "openssl", "tests"},
	} {
		f := finding{Check: p.name, Status: "ok", What: "installed; for " + p.use}
		if !m.program(p.name) {
			f.Status, f.What, f.Mend = "optional", "not installed; for "+p.use, "sudo apt-get install "+p.pkg
		}
		found = append(found, f)
	}
	return found
}

func examineElsewhere(m *machine) []finding {
	f := finding{Check: "root", Status: "ok", What: "the right to open a TUN device"}
	switch {
	case m.os == "windows":
		f = finding{Check: "tap-windows", Status: "note", What: "a TUN device here needs the tap-windows6 driver and an administrator"}
	case !m.root:
		f.Status, f.What, f.Mend = "missing", "only root may open a TUN device here", "sudo tcpkit ..."
	}
	return []finding{f}
}

func examineTUN(m *machine) []finding {
	mode, there := m.tunMode()
	if !there {
		return []finding{
			{"/dev/net/tun", "missing", "there is no such node: the driver is not loaded, or a container was not given the device", "sudo modprobe tun || (" + mendNode + ")"},
			{"container", "note", "in Docker or Podman the device is given when the container starts", "--device /dev/net/tun --cap-add NET_ADMIN"},
		}
	}
	found := []finding{{"/dev/net/tun", "ok", "the node is there", ""}}
	switch err := m.openTUN(); {
	case err == nil:
		found = append(found, finding{"its mode", "ok", fmt.Sprintf("%#o, and it opens", mode.Perm()), ""})
	case errors.Is(err, fs.ErrPermission):
		found = append(found, finding{"its mode", "missing", fmt.Sprintf("%#o: you may not open it", mode.Perm()), mendMode})
	case errors.Is(err, syscall.ENODEV), errors.Is(err, syscall.ENXIO):
		found = append(found, finding{"its driver", "missing", "the node has no driver behind it", "sudo modprobe tun"})
	default:
		found = append(found, finding{"its mode", "missing", fmt.Sprintf("it does not open: %v", err), mendMode})
	}
	if mode.Perm()&0o006 != 0o006 {
		f := finding{"for other users", "note", fmt.Sprintf("mode %#o keeps ordinary users out; 0666 is usual, and safe: making a device takes CAP_NET_ADMIN all the same", mode.Perm()), mendMode}
		found = append(found, f)
	}
	return found
}

func examineAdmin(m *machine) finding {
	if m.netAdmin {
		return finding{"CAP_NET_ADMIN", "ok", "listen, dial and perf may make a TUN on this network", ""}
	}
	return finding{"CAP_NET_ADMIN", "missing", "listen, dial and perf may not make a TUN on this network; demo makes a network of its own",
		"sudo setcap cap_net_admin+ep \"$(command -v tcpkit)\""}
}

// examineRights looks for CAP_NET_ADMIN here, or else a namespace in which one
// has it: the demo makes its own.
func examineRights(m *machine) []finding {
	found := []finding{examineAdmin(m)}
	err := m.makeNS()
	if err == nil {
		return append(found, finding{"namespaces", "ok", "demo can have a private network", ""})
	}
	blamed := false
	blame := func(path string, bad int, what, mend string) {
		if n, ok := m.readNumber(path); ok && n == bad {
			found = append(found, finding{strings.ReplaceAll(strings.TrimPrefix(path, "/proc/sys/"), "/", "."), "missing", what, mend})
			blamed = true
		}
	}
	blame("/proc/sys/user/max_user_namespaces", 0, "user namespaces are switched off", "sudo sysctl -w user.max_user_namespaces=15000")
	blame("/proc/sys/user/max_net_namespaces", 0, "network namespaces are switched off", "sudo sysctl -w user.max_net_namespaces=15000")
	if !m.root {
		blame("/proc/sys/kernel/unprivileged_userns_clone", 0, "only root may make user namespaces", "sudo sysctl -w kernel.unprivileged_userns_clone=1")
		blame("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1, "AppArmor takes the rights away in user namespaces", "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0")
	}
	if !blamed {
		f := finding{"namespaces", "missing", fmt.Sprintf("a private network can't be made: %v", err), ""}
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) {
			f.Check, f.Mend = "seccomp", "docker run --security-opt seccomp=unconfined --device /dev/net/tun --cap-add NET_ADMIN ..."
			if s, ok := m.read("/proc/self/status"); ok && statusField(s, "Seccomp") == "2" {
				f.What += "; a seccomp filter is in force, as container runtimes set it"
			} else {
				f.What += "; a security module forbids it"
			}
		}
		found = append(found, f)
	}
	return found
}

// examinePorts tells from which port on the kernel's side is free for all.
func examinePorts(m *machine) []finding {
	n, ok := m.readNumber("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if !ok || n <= 80 || m.root {
		return nil
	}
	return []finding{{"ip_unprivileged_port_start", "note",
		fmt.Sprintf("the kernel's own ports below %d are root's; tcpkit's side of a TUN has no such limit", n),
		"sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80"}}
}

// statusField reads a line of /proc/self/status.
func statusField(status, name string) string {
	for line := range strings.Lines(status) {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func printFindings(w io.Writer, found []finding) error {
	width := 0
	for _, f := range found {
		width = max(width, len(f.Check))
	}
	for _, f := range found {
		if _, err := fmt.Fprintf(w, "%-8s  %-*s  %s\n", f.Status, width, f.Check, f.What); err != nil {
			return err
		}
		if f.Mend != "" {
			fmt.Fprintf(w, "%-8s  %-*s    $ %s\n", "", width, "", f.Mend)
		}
	}
	return nil
}

func hasProgram(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

// explainTUN adds to the error of a TUN that can't be had which right is
// missing, how to get it, and what works without it.
func explainTUN(err error, m *machine) error {
	if !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text := err.Error()
	for _, f := range append(examineTUN(m), examineAdmin(m)) {
		if f.Status == "missing" {
			text += fmt.Sprintf("\n  %s: %s\n    $ %s", f.Check, f.What, f.Mend)
		}
	}
	text += "\n  without it: \"tcpkit demo\" makes a private network or does without; \"tcpkit doctor\" shows all"
	return &exitError{exitPermission, errors.New(text)}
}
