package wazero_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/walk"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/internal/trial"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

// RFC 9293 Figure 5, edge by edge: a plugin sees each change, changes the segment that
// causes it, and the one that leaves by it, with no more grants than that takes.
func TestFigure5InWASM(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	walk.Run(t, func(t testing.TB, task walk.Task) walk.Hook { return newWalker(t, e, task) })
}

// A walker is a Set with the plugin edges, which does a task.
type walker struct {
	*plugins.Set
	t testing.TB
}

func newWalker(t testing.TB, e plugins.Engine, task walk.Task) walk.Hook {
	grants, allow := "grants observe", plugins.Grants(0)
	switch task.Do {
	case walk.Observe:
	case walk.MarkArriving, walk.MarkLeaving:
		grants = "grants header"
	case walk.StopArriving:
		// RFC 9293 §3.1: a segment without flags is none.
		grants, allow = "grants control lab", plugins.GrantLab
	}
	if task.Order {
		grants, allow = grants+" lab", plugins.GrantLab
	}
	option := func(name string, v uint8) string { return name + "=" + strconv.Itoa(int(v)) }
	p, err := plugins.Load(e, trial.Edges(grants), plugins.Options{Allow: allow, Set: []string{
		option("from", uint8(task.From)), option("to", uint8(task.To)), option("do", uint8(task.Do)),
		"order=" + strconv.FormatBool(task.Order),
	}})
	require.NoError(t, err)
	w := &walker{plugins.NewSet(), t}
	w.Add(p)
	t.Cleanup(func() {
		require.NoError(t, p.Err())
		require.NoError(t, w.Close())
	})
	return w
}

// Saw reads the heads of the records that the plugin has logged.
func (w *walker) Saw() (list []walk.Sight) {
	steps := map[abi.Hook]tcp.Step{
		abi.HookTransition: tcp.StepTransition, abi.HookTransitionArriving: tcp.StepMoving, abi.HookTransitionLeaving: tcp.StepMoved,
	}
	messages, lost := w.Plugins()[0].Messages()
	require.Zero(w.t, lost)
	for _, m := range messages {
		b := []byte(m.Text)
		step, ok := steps[abi.Hook(wire.Le16(b[abi.OffsetHook:]))]
		require.True(w.t, ok)
		list = append(list, walk.Sight{Step: step, Move: tcp.Move{
			From: tcp.State(b[abi.OffsetFrom]), To: tcp.State(b[abi.OffsetTo]),
			By: tcp.Cause(b[abi.OffsetCause]), Rule: rule.ID(wire.Le16(b[abi.OffsetRule:])),
		}})
	}
	return list
}
