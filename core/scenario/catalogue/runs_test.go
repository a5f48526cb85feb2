package catalogue_test

import (
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

// Wireshark shows as many rows for each display filter as its sentence says.
func TestFilters(t *testing.T) {
	if testing.Short() {
		t.Skip("a run of tshark for each scenario")
	}
	tshark := need.Tool(t, "tshark", "tshark")
	everyRun(t, func(t *testing.T, p *play) {
		t.Parallel()
		for host := range p.Hosts {
			filters, rows := "", []string{}
			for _, s := range p.Says {
				if s.Filter != "" && s.Seen == host {
					filters += "," + s.Filter
					rows = append(rows, strconv.Itoa(s.Rows))
				}
			}
			if filters == "" {
				continue
			}
			file := filepath.Join(t.TempDir(), "capture.pcapng")
			require.NoError(t, os.WriteFile(file, p.AppendPcapng(nil, host), 0o644))
			// One table with two columns, frames and octets, for each filter.
			out, err := exec.Command(tshark, "-q", "-r", file, "-z", "io,stat,0"+filters).Output()
			require.NoError(t, err, filters)
			cells := strings.Split(statRow.FindString(string(out)), "|")
			require.Greater(t, len(cells), 2*len(rows), "%s", out)
			for i, want := range rows {
				require.Equal(t, want, strings.TrimSpace(cells[2+2*i]), "filter %d of %s\n%s", i+1, filters[1:], out)
			}
		}
	})
}

var statRow = regexp.MustCompile(`(?m)^\| *[0-9.]+ <> .*\|$`)
