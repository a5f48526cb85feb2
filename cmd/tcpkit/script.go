package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/script"
)

const scriptLong = `Run scripted TCP exchanges in the packetdrill notation against tcpkit's engine, on
a virtual clock: an hour of keepalive takes no time, and nothing can hang. A
directory stands for all the *.pkt files below it, - for stdin.

--judge says how strictly. strict: times to the millisecond, echoed timestamps,
and nothing may be sent that no line expects. upstream: as packetdrill judges,
with 4 ms or 12.5 %, and with the symbols defined that its test suites use.
auto: strict for scripts with a comment "Requirement:" or "Kills:", as ours
have; upstream for all others.

Strictly judged scripts run over IPv4 and IPv6, others over IPv4, unless
--ip_version says otherwise or the script itself does. A script with a comment
"// Failure: REGEX" passes when it fails with a message that matches.

packetdrill's options may be given here as in a script, whose own they replace.
The last line is "N passed, N failed, N unsupported"; unsupported is what makes
no sense in user space. The exit code is 3 when a script failed.

--kernel runs the scripts against this machine's kernel: packets on a TUN, calls
on real sockets, settings by sysctl, in a private network namespace that any
user may have where user namespaces are allowed. Times may be off by 4 ms or
12.5 %, unless an option says otherwise. --both also runs them against tcpkit and
tells where the two differ; windows are not compared. The exit code is 3 when they do.`

// A scriptPlan is what the command line of script asks for.
type scriptPlan struct {
	version string
	judge   string
	profile string
	defines []string
	options []script.Option
	capture string
	list    bool
	kernel  bool
	both    bool
	limit   time.Duration
	retries int
	plugins []string
}

func newScript(a *app) *cobra.Command {
	p := &scriptPlan{}
	cmd := &cobra.Command{
		Use:   "script [flags] DIR_OR_FILE...",
		Short: "Run scripted exchanges in the packetdrill notation",
		Long:  scriptLong,
		Example: `  tcpkit script scripts
  tcpkit script -v scripts/handshake/active.pkt
  tcpkit script --plugin mark.wasm,tos=40 mark.pkt
  echo '0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3' | tcpkit script -`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.runScripts(p, args) },
	}
	p.addFlags(cmd.Flags())
	return cmd
}

// packetdrill's options that a command line may have, with what they do here.
var scriptOptions = [...]struct{ name, value, use string }{
	{"local_ip", "ADDR", "address of the system under test"},
	{"remote_ip", "ADDR", "address of the script's end"},
	{"mtu", "N", "MTU of the link"},
	{"bind_port", "PORT", "port that ... stands for in bind"},
	{"connect_port", "PORT", "port that ... stands for in connect"},
	{"tolerance_usecs", "N", "how far a time may be off, in microseconds"},
	{"tolerance_percent", "N", "or in hundredths of the time since the line before"},
	{"tcp_ts_tick_usecs", "N", "compare timestamps, of this tick"},
	{"tcp_ts_ecr_scaled", "", "inbound echoes may be any number"},
	{"strict_segments", "", "no segments are merged to be as long as the script's"},
	{"set", "NAME=VALUE", "set a number as sysctl does; again for more"},
	{"psh", "strict", "compare PSH on merged segments too"},
	{"final_quiet", "SECONDS", "how long nothing more may come behind the last line"},
}

// otherOptions are accepted too, since they are in use. Most do nothing here, and
// some make a script one that is not supported; core/script knows which.
var otherOptions = [...]string{"mss", "non_fatal", "gateway_ip", "netmask_ip", "init_scripts", "speed", "code_command", "code_format", "code_sockopt",
	"send_omit_free", "dry_run", "debug", "wire_client", "wire_server", "wire_server_ip", "wire_server_port", "wire_client_dev", "wire_server_dev",
	"persistent_tun_dev", "tun_dev", "is_anyip", "so_filename", "so_flags", "tcp_md5_secret", "udp_encapsulation", "prefix_len"}

func (p *scriptPlan) addFlags(f *pflag.FlagSet) {
	// The notation writes _ where this program's other flags have a -.
	f.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(strings.ReplaceAll(name, "-", "_"))
	})
	f.StringVar(&p.version, "ip_version", "auto", "ipv4, ipv6, ipv4-mapped-ipv6, both, or auto")
	f.StringVar(&p.judge, "judge", "auto", "strict, upstream, or auto")
	f.StringVar(&p.profile, "profile", "linux", "what scripts start from: "+strings.Join(core.Profiles(), ", "))
	f.StringArrayVarP(&p.defines, "define", "D", nil, "replace a word in the scripts, `SYMBOL=VALUE`")
	f.StringVarP(&p.capture, "write", "w", "", "write a pcapng file for each run into `DIR`")
	f.StringArrayVar(&p.plugins, "plugin", nil, "run with a plugin, `FILE[,KEY=VALUE]...`; again for more")
	f.BoolVar(&p.kernel, "kernel", false, "run against this machine's kernel, in real time")
	f.BoolVar(&p.both, "both", false, "run against tcpkit and the kernel, and say where they differ")
	f.DurationVar(&p.limit, "limit", time.Minute, "with --kernel or --both, scripts that take longer are unsupported")
	f.IntVar(&p.retries, "retries", 2, "with --kernel or --both, how often a script that fails is tried again")
	f.BoolVar(&p.list, "list", false, "list the scripts and what each shows, and run none")
	for _, o := range scriptOptions {
		f.Var(&optionFlag{p, o.name, o.value}, o.name, o.use)
		if o.value == "" {
			f.Lookup(o.name).NoOptDefVal = "true"
		}
	}
	for _, name := range otherOptions {
		f.Var(&optionFlag{p, name, "VALUE"}, name, "")
		f.Lookup(name).NoOptDefVal = "true"
		f.Lookup(name).Hidden = true
	}
}

// An optionFlag is a flag that is an option of the scripts.
type optionFlag struct {
	plan        *scriptPlan
	name, value string
}

func (o *optionFlag) String() string { return "" }

func (o *optionFlag) Type() string { return o.value }

func (o *optionFlag) Set(v string) error {
	o.plan.options = append(o.plan.options, script.Option{Name: o.name, HasValue: o.value != "", Value: v})
	return nil
}

// ipVersions are the values of ip_version in a script.
var ipVersions = []string{"ipv4", "ipv6", "ipv4-mapped-ipv6"}

func (p *scriptPlan) check() error {
	if p.kernel && p.both {
		return usagef("--kernel and --both exclude each other")
	}
	if (p.kernel || p.both) && p.profile != "linux" {
		return usagef("bad --profile %q: the kernel has the profile linux", p.profile)
	}
	if p.limit <= 0 {
		return usagef("bad --limit %v: give a time above zero", p.limit)
	}
	if p.retries < 0 {
		return usagef("bad --retries %d: give 0 or more", p.retries)
	}
	if !slices.Contains(append([]string{"auto", "both"}, ipVersions...), p.version) {
		return usagef("bad --ip_version %q: give one of ipv4, ipv6, ipv4-mapped-ipv6, both, auto", p.version)
	}
	if !slices.Contains([]string{"auto", "strict", "upstream"}, p.judge) {
		return usagef("bad --judge %q: give one of strict, upstream, auto", p.judge)
	}
	if _, err := core.Profile(p.profile); err != nil {
		return usagef("bad --profile %q: give one of %s", p.profile, strings.Join(core.Profiles(), ", "))
	}
	if err := p.checkPlugins(); err != nil {
		return err
	}
	// A definition is checked where it is used, by the parser.
	if _, err := script.Parse("--define", "0 close(3) = 0", p.defines...); err != nil {
		return usagef("bad %v", err)
	}
	return nil
}

// A scriptSource is a script that was found.
type scriptSource struct{ name, text string }

// findScripts reads what the command line names.
func findScripts(args []string, stdin io.Reader) ([]scriptSource, error) {
	var all []scriptSource
	add := func(name string, r io.Reader) error {
		b, err := io.ReadAll(io.LimitReader(r, script.MaxSource+1))
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		all = append(all, scriptSource{name, string(b)})
		return nil
	}
	addFile := func(name string) error {
		f, err := os.Open(name)
		if err != nil {
			return &exitError{exitUsage, err}
		}
		defer f.Close()
		return add(name, f)
	}
	for _, arg := range args {
		if arg == "-" {
			if err := add("stdin", stdin); err != nil {
				return nil, err
			}
			continue
		}
		info, err := os.Stat(arg)
		if err != nil {
			return nil, usagef("there is no script %s: %w", arg, errors.Unwrap(err))
		}
		if !info.IsDir() {
			if err := addFile(arg); err != nil {
				return nil, err
			}
			continue
		}
		before := len(all)
		err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".pkt" {
				return err
			}
			return addFile(path)
		})
		if err != nil {
			return nil, err
		}
		if len(all) == before {
			return nil, usagef("there are no scripts (*.pkt) in %s", arg)
		}
	}
	return all, nil
}

// ownScript finds the comment by which a script asks to be judged strictly.
var ownScript = regexp.MustCompile(`(?m)^//\s*(Requirement|Kills):`)

func (p *scriptPlan) strict(src *scriptSource) bool {
	if p.judge == "auto" {
		return ownScript.MatchString(src.text)
	}
	return p.judge == "strict"
}

// versions are the versions of IP to run a script over, given what it says
// itself.
func (p *scriptPlan) versions(s *script.Script, strict bool) []string {
	for i := range s.Options {
		if s.Options[i].Name == "ip_version" {
			return []string{s.Options[i].Value}
		}
	}
	switch {
	case p.version == "both" || p.version == "auto" && strict:
		return []string{"ipv4", "ipv6"}
	case p.version == "auto":
		return []string{"ipv4"}
	}
	return []string{p.version}
}

// upstreamDefines are the symbols that the runners of packetdrill's suites
// define. The cookies are those of the key that their defaults.sh sets.
func upstreamDefines(version string) []string {
	if version == "ipv6" {
		return []string{"TFO_COOKIE=c1d1e9742a47a9bc", "CODE=host_unreachable", "CMSG_LEVEL_IP=SOL_IPV6", "CMSG_TYPE_RECVERR=IPV6_RECVERR"}
	}
	return []string{"TFO_COOKIE=3021b9d889017eeb", "CODE=host_unreachable", "CMSG_LEVEL_IP=SOL_IP", "CMSG_TYPE_RECVERR=IP_RECVERR"}
}

// parse reads a script for a version of IP.
func (p *scriptPlan) parse(src *scriptSource, strict bool, version string) (*script.Script, error) {
	var defines []string
	if !strict {
		defines = upstreamDefines(version)
	}
	return script.Parse(src.name, src.text, append(defines, p.defines...)...)
}

// How far a time may be off where packetdrill judges, or real time passes.
const (
	upstreamTolerance = 4 * clock.Millisecond
	upstreamPerMille  = 125
)

// config is how a script is run.
func (p *scriptPlan) config(strict bool, version string) script.Config {
	c := script.Config{IPv6: version == "ipv6", Options: p.options}
	c.Core, _ = core.Profile(p.profile) // checked before
	copy(c.Core.Secret[:], "script")
	if version == "ipv4-mapped-ipv6" {
		c.Options = append([]script.Option{{Name: "ip_version", HasValue: true, Value: version}}, p.options...)
	}
	if !strict {
		c.Lenient, c.Tolerance, c.TolerancePerMille = true, upstreamTolerance, upstreamPerMille
	}
	return c
}
