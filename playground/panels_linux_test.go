package playground_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/scenario"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/chrome"
)

// afterEach is what an expression of the page gives after each step of a run.
func afterEach[T any](t *testing.T, tab *chrome.Tab, panel string, places []int, expression string) []T {
	t.Helper()
	at, err := json.Marshal(places)
	require.NoError(t, err)
	return store[[]T](tab, fmt.Sprintf(`(async () => {
		const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
		const all = (selector, within = document) => [...within.querySelectorAll(selector)];
		const found = [];
		s.panel.value = %[1]q;
		for (let k = 0; k < 5; k++) await frame(); // it asks how wide it may be, and draws then
		for (const i of %[2]s) {
			s.seek(i);
			await frame();
			found.push(%[3]s);
		}
		return found;
	})()`, panel, at, expression))
}

// latest is the last item up to a place of which something holds; nil without one.
func latest(items []scenario.Item, upto int, holds func(*scenario.Item) bool) *scenario.Item {
	for i := upto; i >= 0; i-- {
		if holds(&items[i]) {
			return &items[i]
		}
	}
	return nil
}

// After each step of a run Figure 5 lights the edge just taken, with its section; the
// table says who knows what; and each end holds what it holds.
func TestPanelsSayTheTimeline(t *testing.T) {
	r := made(t, shipped(t, "F1"))
	items, places := r.Items(0), stops(r, "event")
	tab := open(t, "#s=F1&lang=en", 1280, 900)
	names := []string{"client", "server"}

	t.Run("states", func(t *testing.T) {
		type figure struct {
			Label, Told string
			Fresh       []string
		}
		for n, got := range afterEach[figure](t, tab.In(t), "states", places, `{Label: all('.figure5').map((f) => f.getAttribute('aria-label')).join(),
			Told: document.querySelector('.states .told').textContent, Fresh: [...new Set(all('.edge.fresh').map((e) => e.dataset.edge))]}`) {
			var lit []string
			for host, state := range []tcp.State{tcp.Closed, tcp.Listen} {
				edge := latest(items, places[n], func(i *scenario.Item) bool { return i.Kind == scenario.State && int(i.Host) == host })
				if edge != nil {
					state = tcp.State(edge.Into)
					row, _ := rule.Lookup(edge.Rule)
					require.Contains(t, got.Told, fmt.Sprintf("%s → %s", tcp.State(edge.From), state))
					require.Contains(t, got.Told, fmt.Sprintf("%s, RFC %d §%s", row.Name, row.RFC, row.Section))
					if name := fmt.Sprintf("%s>%s", tcp.State(edge.From), state); !slices.Contains(lit, name) {
						lit = append(lit, name)
					}
				}
				require.Contains(t, got.Label, fmt.Sprintf("%s is in %s.", names[host], state), "after item %d", places[n])
			}
			require.ElementsMatch(t, lit, got.Fresh, "after item %d", places[n])
		}
	})

	t.Run("knowledge", func(t *testing.T) {
		most := 0
		for n, got := range afterEach[[]bool](t, tab.In(t), "knowledge", places, `all('.knowledge .grid tbody td').map((cell) => cell.classList.contains('yes'))`) {
			want := make([]bool, 4) // for each direction, what client and server know of it
			known := 0
			for who := range 2 {
				if know := latest(items, places[n], func(i *scenario.Item) bool { return i.Kind == scenario.Know && int(i.User) == who }); know != nil {
					want[2*who+who], want[2*(1-who)+who] = know.A&1 != 0, know.A&2 != 0
				}
			}
			for _, one := range want {
				if one {
					known++
				}
			}
			require.Equal(t, want, got, "after item %d", places[n])
			most = max(most, known)
		}
		require.Equal(t, 4, most)
	})

	t.Run("held", func(t *testing.T) {
		type end struct{ Figure, Send, Receive string }
		for n, got := range afterEach[[]end](t, tab.In(t), "held", places, `all('.held .card').map((card) => {
			const said = (selector) => card.querySelector(selector)?.textContent ?? '';
			return {Figure: said('.record .figure'), Send: said('.bar.send .said'), Receive: said('.bar.receive .said')};
		})`) {
			require.Len(t, got, 2)
			for host := range 2 {
				held := uint64(0)
				if mem := latest(items, places[n], func(i *scenario.Item) bool { return i.Kind == scenario.Mem && int(i.Host) == host }); mem != nil {
					held = mem.A
				}
				require.Contains(t, got[host].Figure, octetsOf(held)+" in all", "%s after item %d", names[host], places[n])
				if got[host].Send == "" {
					continue // a connection that is over, or not yet there, has no buffers
				}
				v := variables(r, host, places[n])
				require.Contains(t, got[host].Send, fmt.Sprintf("SND.UNA %d, SND.NXT %d: %d in flight, window %d, %d waiting.",
					v["SND.UNA"], v["SND.NXT"], v["SND.NXT"]-v["SND.UNA"], v["SND.WND"], v["unsent"]), "%s after item %d", names[host], places[n])
				require.Contains(t, got[host].Receive, fmt.Sprintf("RCV.NXT %d: %d not read yet, window %d.", v["RCV.NXT"], v["unread"], v["RCV.WND"]), "%s after item %d", names[host], places[n])
			}
		}
	})
}

// variables are those of the TCB of a host with one connection, after an item.
func variables(r *scenario.Run, host, upto int) map[string]uint64 {
	known := map[string]uint64{}
	for _, item := range r.Items(0)[:upto+1] {
		if item.Kind == scenario.TCB && int(item.Host) == host {
			r.Changed(&item, func(name string, value uint64) { known[name] = value })
		}
	}
	return known
}

// octetsOf writes a number of octets as the page does.
func octetsOf(n uint64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	return strconv.FormatFloat(three(float64(n)/1024), 'f', -1, 64) + " KiB"
}

// three is a number with three significant digits.
func three(x float64) float64 {
	v, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64)
	return v
}

// The graphs stand at one cursor and have, there and as a table, the numbers of the
// timeline made here: of a transfer in which one segment is lost.
func TestGraphsSayTheTimeline(t *testing.T) {
	const client = 0
	r := made(t, shipped(t, "D1"))
	items, places := r.Items(0), stops(r, "segment")
	lost := map[uint32]bool{}
	for _, i := range items {
		lost[i.Packet] = lost[i.Packet] || i.Kind == scenario.Lose
	}
	want := map[string][]string{}
	arrived := map[uint32]*scenario.Item{}
	for n := range items {
		i := &items[n]
		switch {
		case i.Kind == scenario.Send && i.Host == client:
			end := i.Seq() + int64(i.Len())
			if i.Flags().Has(wire.SYN) {
				end++
			}
			kind := map[bool]string{true: "lost", false: "sent"}[lost[i.Packet]]
			if i.Marks.Has(scenario.Again) {
				kind = "sent again"
			}
			if end != i.Seq() {
				want[kind] = append(want[kind], strconv.FormatInt(end, 10))
			}
		case i.Kind == scenario.Send:
			arrived[i.Packet] = i
		case i.Kind == scenario.Arrive && i.Host == client:
			want["acknowledged"] = append(want["acknowledged"], strconv.FormatInt(arrived[i.Packet].Ack(), 10))
		}
	}
	require.NotEmpty(t, want["lost"])
	require.NotEmpty(t, want["sent again"])

	tab := open(t, "#s=D1&lang=en", 1280, 900)
	type column map[string][]string
	got := afterEach[column](t, tab, "table", []int{len(items) - 1}, `(() => {
		const heads = all('.table thead th button').map((head) => head.firstChild.textContent.trim());
		const columns = {};
		for (const row of all('.table tbody tr')) [...row.cells].forEach((cell, k) => { if (cell.textContent) (columns[heads[k]] ??= []).push(cell.textContent); });
		return columns;
	})()`)[0]
	for _, name := range []string{"sent", "sent again", "lost", "acknowledged"} {
		require.Equal(t, want[name], got[name], name)
	}

	// At the cursor.
	type legend struct {
		Values map[string]string
		Lines  []string
	}
	positions := map[string]bool{}
	for n, at := range afterEach[legend](t, tab, "graphs", places, `{Values: Object.fromEntries(all('.charts .legend button').map((b) => [b.childNodes[1].textContent.trim() || b.textContent.replace(b.querySelector('b').textContent, '').trim(), b.querySelector('b').textContent])),
		Lines: all('.charts .cursor-line').map((one) => one.style.transform)}`) {
		v := variables(r, client, places[n])
		for name, variable := range map[string]string{"cwnd": "cwnd", "in flight": "flight", "peer's window": "SND.WND"} {
			if value, ok := v[variable]; ok {
				require.Equal(t, strconv.FormatUint(value, 10), at.Values[name], "%s after item %d", name, places[n])
			}
		}
		require.Len(t, at.Lines, 3)
		require.True(t, at.Lines[0] == at.Lines[1] && at.Lines[1] == at.Lines[2], "one cursor: %v", at.Lines)
		positions[at.Lines[0]] = true
	}
	require.Greater(t, len(positions), 5)
}
