package netns

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Run starts this program again in a namespace of its own, with its standard
// input and output, hands signals on to it, waits, and returns its exit code: 128
// and the signal's number if a signal ended it. The new process brings up
// its loopback before main runs. An error means that nothing was started, or
// that the namespace came without rights.
func Run(o *Options) (code int, err error) {
	if o == nil {
		o = &Options{}
	}
	args := o.Args
	if args == nil {
		args = os.Args[1:]
	}
	var cmd *exec.Cmd
	for _, w := range ways() {
		if cmd, err = start(w, args, o.Env); err == nil {
			break
		}
	}
	if err != nil {
		return -1, fmt.Errorf("making a network namespace: %w", err)
	}
	return wait(cmd)
}

// A way is how a namespace is made.
type way struct {
	name  string
	flags uintptr
}

// ways gives the ways to try, in order. A root that lacks CAP_SYS_ADMIN, as in
// most containers, gets by with a user namespace.
func ways() []way {
	user := way{"user", unix.CLONE_NEWUSER | unix.CLONE_NEWNET}
	if os.Geteuid() == 0 {
		return []way{{"root", unix.CLONE_NEWNET}, user}
	}
	return []way{user}
}

// start starts the program and returns once it has set up its network, or with
// the reason why it could not.
func start(w way, args, env []string) (*exec.Cmd, error) {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	r, wr, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	defer wr.Close()
	cmd.ExtraFiles = []*os.File{wr}
	cmd.Env = append(append(os.Environ(), env...), marker+"="+w.name)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: w.flags, Pdeathsig: syscall.SIGKILL}
	if w.flags&unix.CLONE_NEWUSER != 0 {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	// The parent-death signal is bound to the thread that forks, so that thread
	// has to live as long as Run: wait unlocks it.
	runtime.LockOSThread()
	if err := cmd.Start(); err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	wr.Close()
	report := make([]byte, 1024)
	n, _ := r.Read(report)
	if n == 0 || string(report[:n]) != "ok" {
		cmd.Process.Kill()
		cmd.Wait()
		runtime.UnlockOSThread()
		if n == 0 {
			return nil, errors.New("the program ended before it had set up its network")
		}
		return nil, errors.New(string(report[:n]))
	}
	return cmd, nil
}

func wait(cmd *exec.Cmd) (code int, err error) {
	defer runtime.UnlockOSThread()
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	done := make(chan struct{})
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for {
			select {
			case s := <-signals:
				// A terminal has signalled the whole group, the child too.
				if s == syscall.SIGTERM || !foreground() {
					cmd.Process.Signal(s)
				}
			case <-done:
				return
			}
		}
	}()
	err = cmd.Wait()
	signal.Stop(signals)
	close(done)
	<-gone
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return -1, err
	}
	if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return 128 + int(s.Signal()), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

// foreground reports whether this process group is the one that a terminal
// signals.
func foreground() bool {
	group, err := unix.IoctlGetInt(int(os.Stdin.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// init is the first thing that the new process does: it brings up the loopback and
// tells the parent, on descriptor 3, that it could.
func init() {
	if os.Getenv(marker) == "" {
		return
	}
	os.Unsetenv(marker)
	inside = true
	report := os.NewFile(3, "netns")
	defer report.Close()
	if err := loopbackUp(); err != nil {
		fmt.Fprintf(report, "bringing up the loopback: %v", err)
		os.Exit(1)
	}
	report.WriteString("ok")
}

func loopbackUp() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(lo)
}

// Explain returns, in a sentence or two, what forbids a namespace here and how to
// allow it, given the error that Run gave.
func Explain(err error) string {
	var why []string
	if v, ok := sysctl("user/max_user_namespaces"); ok && v == 0 {
		why = append(why, "user namespaces are switched off: `sysctl user.max_user_namespaces=10000` as root allows them")
	}
	if v, ok := sysctl("user/max_net_namespaces"); ok && v == 0 {
		why = append(why, "network namespaces are switched off: `sysctl user.max_net_namespaces=10000` as root allows them")
	}
	if v, ok := sysctl("kernel/unprivileged_userns_clone"); ok && v == 0 && os.Geteuid() != 0 {
		why = append(why, "user namespaces are for root alone: `sysctl kernel.unprivileged_userns_clone=1` as root allows them")
	}
	if v, ok := sysctl("kernel/apparmor_restrict_unprivileged_userns"); ok && v == 1 && os.Geteuid() != 0 {
		why = append(why, "AppArmor takes the rights away in user namespaces: `sysctl kernel.apparmor_restrict_unprivileged_userns=0` as root allows them")
	}
	if len(why) == 0 && (errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS)) {
		why = append(why, "a seccomp filter or a security module forbids it, as container runtimes do by default: "+
			"`--cap-add SYS_ADMIN` or `--security-opt seccomp=unconfined` allows it")
	}
	if len(why) == 0 {
		return err.Error()
	}
	return err.Error() + ": " + strings.Join(why, "; ")
}

func sysctl(name string) (int, bool) {
	b, err := os.ReadFile("/proc/sys/" + name)
	if err != nil {
		return 0, false
	}
	v, err := strconv.Atoi(strings.TrimSpace(string(b)))
	return v, err == nil
}
