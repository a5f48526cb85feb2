package catalogue_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/pcapng"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/scenario"
	"github.com/tcpkit/tcpkit/core/scenario/catalogue"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/need"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/examples"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

// A play is a scenario that has run to its end.
type play struct {
	*scenario.Scenario
	*scenario.Run
	lines []string
}

// everyRun runs all scenarios, each in a test of its own.
func everyRun(t *testing.T, check func(t *testing.T, p *play)) {
	engine, err := wazero.New(wazero.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	load := func(o *scenario.Order) (tcp.Hook, tcp.HookMask, error) {
		set := plugins.NewSet()
		for _, spec := range o.Specs {
			name, options, err := plugins.ParseSpec(spec)
			if err != nil {
				return nil, 0, err
			}
			module, ok := examples.Module(name)
			require.True(t, ok, "a plugin that is not shipped: %s", name)
			p, err := plugins.Load(engine, module, options)
			if err != nil {
				return nil, 0, err
			}
			set.Add(p)
		}
		return set, set.Mask(), nil
	}
	for _, c := range catalogue.Shipped().Scenarios() {
		t.Run(c.ID, func(t *testing.T) {
			s, err := scenario.Parse(c.Text)
			require.NoError(t, err)
			r, err := scenario.New(s, load)
			require.NoError(t, err)
			r.Finish()
			require.NoError(t, r.Failure())
			check(t, &play{s, r, strings.Split(c.Text, "\n")})
		})
	}
}

// What a scenario expects comes true, and would not if it were something else.
func TestExpectations(t *testing.T) {
	everyRun(t, func(t *testing.T, p *play) {
		require.NotEmpty(t, p.Expects)
		require.Empty(t, p.Missed(), "each fault meets a packet")
		for _, r := range p.Check() {
			require.True(t, r.Held, "line %d: %s\nfound %d %s at %v", r.Where.Line, p.lines[r.Where.Line-1], r.Found, r.Text, r.At)
		}
		for _, e := range p.Expects {
			for _, spoilt := range spoil(&e) {
				p.Expects = []scenario.Expect{spoilt}
				require.False(t, p.Check()[0].Held, "line %d holds, whatever it says: %s", e.Where.Line, p.lines[e.Where.Line-1])
			}
		}
	})
}

// spoil makes an expectation wrong, in each of the ways that there are: once for each
// thing that it says.
func spoil(e *scenario.Expect) (all []scenario.Expect) {
	wrong := func(change func(e *scenario.Expect)) {
		c := *e
		c.States, c.Options = slices.Clone(e.States), slices.Clone(e.Options)
		change(&c)
		all = append(all, c)
	}
	other := func(one, two string) {
		wrong(func(e *scenario.Expect) {
			if e.Word == one {
				e.Word = two
			} else {
				e.Word = one
			}
		})
	}
	otherState := func(i int) {
		wrong(func(e *scenario.Expect) {
			if e.States[i] == tcp.Closing {
				e.States[i] = tcp.SynSent
			} else {
				e.States[i] = tcp.Closing
			}
		})
	}
	otherRule := func() {
		if e.Rule != rule.None {
			wrong(func(e *scenario.Expect) { e.Rule = e.Rule%rule.Lab + 1 })
		}
	}
	later := func() { // of what happens, not of how it stands
		if e.When.Given && e.Word != "none" {
			wrong(func(e *scenario.Expect) { e.When.At += e.When.Within + 1 })
		}
	}
	switch e.Kind {
	case scenario.ExpectPath:
		wrong(func(e *scenario.Expect) { e.States = append(e.States, tcp.Listen) })
		otherState(0)
	case scenario.ExpectState:
		otherState(0)
	case scenario.ExpectSegment:
		for i, field := range [...]scenario.Optional{e.Seq, e.Ack, e.Len, e.Win} {
			if field.Given {
				wrong(func(e *scenario.Expect) { [...]*scenario.Optional{&e.Seq, &e.Ack, &e.Len, &e.Win}[i].N++ })
			}
		}
		for i := range e.Options {
			wrong(func(e *scenario.Expect) { e.Options[i].Absent = !e.Options[i].Absent })
		}
		wrong(func(e *scenario.Expect) {
			if e.Match.Flags ^= wire.RST; e.Match == (sim.Match{}) {
				e.Match.Flags = wire.SYN // and not any
			}
		})
		wrong(func(e *scenario.Expect) { e.Host, e.To = e.To, e.Host })
		otherRule()
		later()
	case scenario.ExpectEdge:
		otherState(0)
		otherState(1)
		otherRule()
		later()
	case scenario.ExpectError:
		other("EMSGSIZE", "none")
		later()
	case scenario.ExpectStream:
		other("wrong", "whole")
	case scenario.ExpectKnow:
		other("nothing", "both")
	case scenario.ExpectSilence, scenario.ExpectQuiet:
		wrong(func(e *scenario.Expect) { e.From, e.Until = 0, 1000*clock.Hour })
	default:
		switch e.Compare {
		case scenario.Equal:
			wrong(func(e *scenario.Expect) { e.N++ })
			wrong(func(e *scenario.Expect) { e.N-- })
		case scenario.AtMost:
			wrong(func(e *scenario.Expect) { e.N = -1 })
		case scenario.AtLeast:
			wrong(func(e *scenario.Expect) { e.N = 1 << 53 })
		}
	}
	return all
}

// Each scenario says by which rule what it shows goes.
func TestExpectationsNameRules(t *testing.T) {
	for _, c := range catalogue.Shipped().Scenarios() {
		s, err := scenario.Parse(c.Text)
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(s.Expects, func(e scenario.Expect) bool { return e.Rule != rule.None }), "%s expects nothing with a rule", c.ID)
	}
}

// Every sentence of the narration is reached.
func TestNarration(t *testing.T) {
	everyRun(t, func(t *testing.T, p *play) {
		said := map[string]bool{}
		for _, item := range p.Items(0) {
			if item.Kind == scenario.Said {
				said[p.Says[item.A].ID] = true
			}
		}
		for _, s := range p.Says {
			require.True(t, said[s.ID], "%s is never said", s.ID)
		}
	})
}

// Wireshark shows as many rows for each display filter as its sentence says. It takes
// longer to start than to look at all captures, so they are one, in which each has
// addresses of its own: those of 10.0.0.0/24 are of another network there.
func TestFilters(t *testing.T) {
	tshark := need.Tool(t, "tshark", "tshark")
	w := pcapng.Writer{}
	file := w.AppendHeader(nil)
	filters, networks := "", 0
	var rows []string
	var names []string
	everyRun(t, func(t *testing.T, p *play) {
		for host := range p.Hosts {
			networks++
			net := []byte{10, byte(networks >> 8), byte(networks)}
			for _, s := range p.Says {
				if s.Filter != "" && s.Seen == host {
					filters += fmt.Sprintf(",ip.addr == 10.%d.%d.0/24 && (%s)", net[1], net[2], s.Filter)
					rows, names = append(rows, strconv.Itoa(s.Rows)), append(names, p.ID+": "+s.ID+": "+s.Filter)
				}
			}
			r := pcapng.NewReader(p.AppendPcapng(nil, host))
			for c := (pcapng.Packet{}); r.Next(&c); {
				b := slices.Clone(c.Bytes)
				require.EqualValues(t, 0x45, b[0], "IPv4 without options")
				for _, at := range []int{12, 16} { // source and destination
					if string(b[at:at+3]) == "\x0a\x00\x00" {
						copy(b[at:], net)
					}
				}
				file = w.AppendPacket(file, c.At, b, c.Direction, "")
			}
			require.NoError(t, r.Err())
		}
	})
	require.Greater(t, len(rows), 100)
	path := filepath.Join(t.TempDir(), "captures.pcapng")
	require.NoError(t, os.WriteFile(path, file, 0o644))
	// One table with two columns, frames and octets, for each filter. The sums are those of
	// the addresses before.
	out, err := exec.Command(tshark, "-q", "-r", path, "-o", "ip.check_checksum:FALSE", "-o", "tcp.check_checksum:FALSE", "-z", "io,stat,0"+filters).Output()
	require.NoError(t, err)
	cells := strings.Split(statRow.FindString(string(out)), "|")
	require.Greater(t, len(cells), 2*len(rows), "%s", out)
	for i, want := range rows {
		require.Equal(t, want, strings.TrimSpace(cells[2+2*i]), names[i])
	}
}

var statRow = regexp.MustCompile(`(?m)^\| *[0-9.]+ <> .*\|$`)
