package script

import (
	"slices"
	"strings"

	"github.com/tcpkit/tcpkit/core/clock"
)

// Commands are not given to a shell. What sets a number is carried out, what has
// nothing to act on here is passed over, and all else is not supported.

// shellCommand is one simple command of a shell.
type shellCommand struct {
	words []string
	to    string // where its output goes: a file; "" or the next command, with piped
	piped bool   // its output goes to the next command
	maybe bool   // it runs if the command before it fails
}

// splitShell cuts a shell's text into simple commands.
func splitShell(text string) (list []shellCommand) {
	var c shellCommand
	var word []byte
	inWord, toFile := false, false
	endWord := func() {
		switch {
		case !inWord:
		case toFile:
			c.to, toFile = string(word), false
		default:
			c.words = append(c.words, string(word))
		}
		word, inWord = word[:0], false
	}
	end := func(piped, maybe bool) {
		endWord()
		if len(c.words) > 0 {
			c.piped = piped
			list = append(list, c)
		}
		c, toFile = shellCommand{maybe: maybe}, false
	}
	for i := 0; i < len(text); i++ {
		ch := text[i]
		two := i+1 < len(text) && text[i+1] == ch
		switch {
		case ch == '\\' && i+1 < len(text):
			i++
			if text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n' {
				i++
			}
			if text[i] == '\n' {
				endWord()
			} else {
				word, inWord = append(word, text[i]), true
			}
		case ch == '\'' || ch == '"':
			inWord = true
			for i++; i < len(text) && text[i] != ch; i++ {
				if ch == '"' && text[i] == '\\' && i+1 < len(text) {
					i++
				}
				word = append(word, text[i])
			}
		case ch == '#' && !inWord:
			for i+1 < len(text) && text[i+1] != '\n' {
				i++
			}
		case ch == '\n' || ch == ';':
			end(false, false)
		case ch == '&' && i+1 < len(text) && text[i+1] == '>':
			endWord()
			toFile = true
			i++
		case ch == '&' && !inWord && toFile: // >&2
		case ch == '&' || ch == '|':
			end(ch == '|' && !two, ch == '|' && two)
			if two {
				i++
			}
		case ch == '>':
			if inWord && (string(word) == "1" || string(word) == "2") {
				word, inWord = word[:0], false
			}
			endWord()
			toFile = true
			if two {
				i++
			}
		case isSpace(ch):
			endWord()
		default:
			word, inWord = append(word, ch), true
		}
	}
	end(false, false)
	return list
}

// command does what a shell would do with the script's command, as far as
// configuration goes.
func (j *judge) command(c *Command) *Problem {
	var input *shellCommand // whose output the next one reads
	for _, x := range splitShell(c.Text) {
		if x.maybe {
			continue // what came before has not failed
		}
		if input != nil {
			// echo 1 | tee /proc/sys/...
			if x.words[0] != "tee" || input.words[0] != "echo" || len(x.words) != 2 {
				return noCommand(input.words, x.words)
			}
			x.to, x.words = x.words[1], input.words
		}
		input = nil
		if x.piped {
			y := x
			input = &y
			continue
		}
		if p := j.shell(&x); p != nil {
			return p
		}
	}
	if input != nil {
		return noCommand(input.words, nil)
	}
	return nil
}

func noCommand(words, next []string) *Problem {
	text := strings.Join(words, " ")
	if next != nil {
		text += " | " + strings.Join(next, " ")
	}
	return unsupported("the command " + text + " is not supported")
}

// passedCommands have nothing to act on.
var passedCommands = [...]string{
	"true", ":", "ethtool", "modprobe", "insmod", "rmmod", "kldload", "kldunload", "kldstat", "sync", "export", "cd", "set", "unset", "ulimit", "umask", "date",
	"uname", "id", "which", "rm", "mkdir", "chmod", "touch", "sysrc", "service", "devctl", "dmesg", "conntrack", "sockstat", "netstat", "ss",
	"nstat", // which sets its counters back
}

// shell does one command.
func (j *judge) shell(x *shellCommand) *Problem {
	words := x.words
	for len(words) > 1 && (strings.Contains(words[0], "=") && !strings.HasPrefix(words[0], "-") ||
		slices.Contains([]string{"sudo", "exec", "env", "time", "sh", "bash", ".", "source", "command", "python", "python3", "then", "do", "!"}, words[0])) {
		words = words[1:]
	}
	name := words[0]
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	switch {
	case name == "defaults.sh":
		return j.defaults()
	case name == "sysctl" || name == "set_sysctls.py":
		return j.sysctls(words[1:])
	case strings.HasPrefix(name, "sysctl_restore"):
		return nil
	case name == "sleep" && len(words) == 2:
		d, ok := parseSeconds(words[1])
		if !ok {
			return noCommand(words, nil)
		}
		return j.sleep(d)
	case name == "echo" || name == "printf":
		return j.echo(words[1:], x.to)
	case slices.Contains(passedCommands[:], name):
		return nil
	case name == "ip":
		return j.ip(words)
	case name == "tc":
		// What orders or spaces packets does nothing to a script's few.
		for _, kind := range [...]string{"pfifo", "pfifo_fast", "bfifo", "fq", "fq_codel", "noqueue", "del", "delete", "show"} {
			if slices.Contains(words, kind) && !slices.Contains(words, "netem") {
				return nil
			}
		}
	case name == "tcpdrop":
		if d, ok := j.sys.(dropper); ok {
			if p := d.Drop(words[1:]); p != nil {
				return noCommand(words, nil)
			}
			return nil
		}
	case name == "false":
		return failed("expected the command to succeed\n  actual    false fails")
	}
	return noCommand(words, nil)
}

// dropper is a System that can end connections as FreeBSD's tcpdrop does.
type dropper interface {
	Drop(args []string) *Problem
}

// sleep lets time pass, which means something only between events.
func (j *judge) sleep(d clock.Duration) *Problem {
	if !j.started {
		return nil
	}
	return j.advance(j.sys.Now().Add(d))
}

// sysctls are the arguments of sysctl and set_sysctls.py.
func (j *judge) sysctls(args []string) *Problem {
	for i := 0; i < len(args); i++ {
		s := args[i]
		if strings.HasPrefix(s, "-") {
			continue
		}
		if i+2 < len(args) && args[i+1] == "=" { // a.b = c
			s += "=" + args[i+2]
			i += 2
		} else if i+1 < len(args) && strings.HasSuffix(s, "=") && !strings.Contains(args[i+1], "=") {
			i++
			s += args[i]
		}
		if !strings.Contains(s, "=") {
			continue // it is only shown
		}
		if strings.HasPrefix(s, "net.inet.") {
			if p := j.becomeForeign(); p != nil {
				return p
			}
		}
		// a.b=4096 16384 65536 is one setting, also without quotes.
		for i+1 < len(args) && listOf(args[i+1]) != nil {
			i++
			s += " " + args[i]
		}
		if p := j.sys.Set(s); p != nil {
			return p
		}
	}
	return nil
}

// echo sets a number when it writes to /proc/sys.
func (j *judge) echo(args []string, to string) *Problem {
	const settings = "/proc/sys/"
	switch {
	case strings.HasPrefix(to, settings):
		return j.sys.Set(to[len(settings):] + "=" + strings.Trim(strings.Join(args, " "), " \n"))
	case to == "" || strings.HasPrefix(to, "/dev/"):
		return nil
	}
	return noCommand(append([]string{"echo"}, append(args, ">", to)...), nil)
}

// ip is what iproute2 sets.
func (j *judge) ip(words []string) *Problem {
	has := func(w string) bool { return slices.Contains(words, w) }
	switch {
	case has("tcp_metrics"):
		if has("flush") || has("delete") || has("del") {
			return j.sys.Set("fastopen_flush=1")
		}
		return nil
	case has("route"):
		if i := slices.Index(words, "initcwnd"); i > 0 && i+1 < len(words) && !has("mtu") && !has("rto_min") {
			return j.sys.Set("initial_window=" + words[i+1])
		}
		if has("show") || has("flush") || has("get") {
			return nil
		}
	case (has("link") || has("addr") || has("address")) && !has("mtu") && !has("down") && !has("del"):
		return nil
	}
	return noCommand(words, nil)
}

// defaults is what the defaults.sh of upstream scripts sets.
func (j *judge) defaults() *Problem {
	for _, s := range [...]string{
		"tcp_rmem=4096,540000,15728640", "tcp_wmem=4096,262144,4194304", "tcp_timestamps=1", "tcp_syn_retries=5",
		"tcp_synack_retries=5", "tcp_frto=2", "tcp_sack=1", "tcp_dsack=1", "tcp_reordering=3", "tcp_congestion_control=cubic",
		"tcp_slow_start_after_idle=0", "tcp_early_retrans=4", "tcp_recovery=1", "tcp_ecn=0", "tcp_pacing_ss_ratio=200", "tcp_pacing_ca_ratio=120",
		"tcp_notsent_lowat=-1", "tcp_syncookies=1", "tcp_fastopen=0x70403", "tcp_fastopen_key=" + FastOpenKey,
	} {
		if p := j.sys.Set(s); p != nil {
			return p
		}
	}
	return nil
}

// becomeForeign is what FreeBSD has other than Linux, for scripts that set its sysctls:
// numbers to start from, and the order of options in a SYN, which is not compared.
func (j *judge) becomeForeign() *Problem {
	if j.foreign {
		return nil
	}
	j.foreign = true
	for _, s := range [...]string{
		"quick_acks=0", "tcp_syn_linear_timeouts=0", "rack=0", "tcp_early_retrans=0", "time_wait_ms=60000", "net.inet.tcp.delacktime=40",
		"net.inet.tcp.keepcnt=8", "net.inet.tcp.sendspace=32768", "net.inet.tcp.recvspace=65536", "net.inet.tcp.recvbuf_max=2097152",
		"net.inet.tcp.sendbuf_max=2097152", "net.inet.tcp.icmp_may_rst=1",
	} {
		if p := j.sys.Set(s); p != nil {
			return p
		}
	}
	return nil
}
