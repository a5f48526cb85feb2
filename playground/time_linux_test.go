package playground_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/scenario"
	"github.com/tcpkit/tcpkit/internal/chrome"
)

// stops are the places where steps of a kind come to a halt, from what was made here.
func stops(r *scenario.Run, kind string) []int {
	items := r.Items(0)
	last := len(items) - 1
	var found []int
	for i := range items {
		switch {
		case kind == "event" && (i == last || items[i+1].Step != items[i].Step || items[i+1].At != items[i].At),
			kind == "segment" && items[i].Kind == scenario.Send,
			kind == "state" && items[i].Kind == scenario.State,
			kind == "say" && items[i].Kind == scenario.Said:
			found = append(found, i)
		}
	}
	if found[len(found)-1] != last {
		found = append(found, last)
	}
	return found
}

// Steps by event, segment, state and sentence go where the timeline made here says,
// forwards and backwards, by buttons and by keys.
func TestSteps(t *testing.T) {
	r := made(t, shipped(t, "F1"))
	items := r.Items(0)
	tab := open(t, "#s=F1&lang=en", 1280, 900)
	for kind, keys := range map[string][2]string{"event": {".", ","}, "segment": {kb.ArrowRight, kb.ArrowLeft}, "state": {">", "<"}, "say": {"n", "N"}} {
		t.Run(kind, func(t *testing.T) {
			tab := tab.In(t)
			want := stops(r, kind)
			back := append([]int{-1}, want[:len(want)-1]...)
			chosen(tab, ".grain select", kind)
			on, off := tab.Middle(`button[aria-keyshortcuts="ArrowRight"]`), tab.Middle(`button[aria-keyshortcuts="ArrowLeft"]`)
			tab.ClickAt(tab.Middle(`button[aria-keyshortcuts="Home"]`), 1)
			for _, i := range want {
				tab.ClickAt(on, 1)
				require.Equal(t, i, store[int](tab, `s.cursor.value`), "forwards")
				require.True(t, strings.HasPrefix(text(tab, ".clock"), clockOf(int64(items[i].At))), "%s at item %d", text(tab, ".clock"), i)
			}
			for n := len(back) - 1; n >= 0; n-- {
				tab.ClickAt(off, 1)
				require.Equal(t, back[n], store[int](tab, `s.cursor.value`), "backwards")
			}
			chrome.Eval[bool](tab, `(document.activeElement.blur(), true)`)
			if kind == "segment" { // what the arrows step by was chosen above
				chosen(tab, ".grain select", kind)
				chrome.Eval[bool](tab, `(document.activeElement.blur(), true)`)
			}
			for _, i := range want[:2] {
				tab.Press(keys[0])
				require.Equal(t, i, store[int](tab, `s.cursor.value`), "by key")
			}
			tab.Press(keys[1])
			require.Equal(t, want[0], store[int](tab, `s.cursor.value`), "by key")
			tab.Press(kb.End)
			require.Equal(t, len(items)-1, store[int](tab, `s.cursor.value`))
			tab.Press(kb.Home)
			require.Equal(t, -1, store[int](tab, `s.cursor.value`))
		})
	}
}

// chosen picks an option of a list, as a user does.
func chosen(tab *chrome.Tab, selector, value string) {
	tab.Do(chromedp.Focus(chromedp.CSS(selector)))
	name := chrome.Eval[string](tab, fmt.Sprintf(`[...document.querySelector(%q).options].find((one) => one.value === %q).text`, selector, value))
	tab.Press(name)
}

// clockOf writes nanoseconds as the page's clock does.
func clockOf(ns int64) string {
	ms := ns / 1e6
	if ms < 3600_000 {
		return fmt.Sprintf("%02d:%02d.%03d", ms/60_000, ms/1000%60, ms%1000)
	}
	return fmt.Sprintf("%d:%02d:%02d.%03d", ms/3600_000, ms/60_000%60, ms/1000%60, ms%1000)
}

// Time plays and pauses at speeds from a hundredth to a thousandfold; idle stretches
// are short on the bar, or as long as they are; a click on the bar goes there.
func TestTime(t *testing.T) {
	r := made(t, shipped(t, "K3")) // two hours of silence before the first probe
	items := r.Items(0)
	end := int64(items[len(items)-1].At)
	require.Greater(t, end, int64(2*time.Hour))
	tab := open(t, "#s=K3&lang=en", 1280, 900)

	// The bar.
	now := func() int64 { return int64(store[float64](tab, `s.now.value`)) }
	middle := tab.Middle(".scrub input")
	require.Positive(t, chrome.Eval[int](tab, `document.querySelectorAll('.scrub .idle').length`))
	tab.ClickAt(tab.Middle(`.fold-idle input`), 1)
	require.Zero(t, chrome.Eval[int](tab, `document.querySelectorAll('.scrub .idle').length`))
	tab.ClickAt(middle, 1)
	require.InEpsilon(t, end/2, now(), 0.02, "in the middle of the bar is the middle of the time")
	at := now()
	require.True(t, strings.HasPrefix(text(tab, ".clock"), clockOf(at)))
	require.Equal(t, lastAt(items, at), store[int](tab, `s.cursor.value`))
	tab.Drag(middle, chrome.Point{X: middle.X + 200, Y: middle.Y}, nil)
	require.Greater(t, now(), at, "it can be drawn")
	tab.ClickAt(tab.Middle(`.fold-idle input`), 1)
	tab.ClickAt(middle, 1)
	folded := now()
	require.Greater(t, max(folded, end/2)-min(folded, end/2), end/20, "what is folded does not count")

	// The speed.
	tab.Do(chromedp.Focus(chromedp.CSS(".speed input")))
	tab.Press(kb.Home)
	require.Equal(t, "0.01×", text(tab, ".speed-value"))
	tab.Press(kb.End)
	require.Equal(t, "1000×", text(tab, ".speed-value"))
	chrome.Eval[bool](tab, `(document.activeElement.blur(), true)`)
	tab.Press("-")
	require.Equal(t, "500×", text(tab, ".speed-value"))
	tab.Press("+")
	tab.Press("+")
	require.Equal(t, "1000×", text(tab, ".speed-value"))

	// At full length time does not run faster than is asked for, and goes on.
	tab.ClickAt(tab.Middle(`.fold-idle input`), 1)
	for _, speed := range []float64{0.01, 1, 1000} {
		played := chrome.Eval[struct{ Virtual, Wall float64 }](tab, fmt.Sprintf(`import('./store.mjs').then((s) => new Promise((done) => {
			s.seek(-1);
			s.setSpeed(%v);
			const wall = performance.now();
			document.querySelector('button.play').click();
			const look = () => (s.now.value > 0 && performance.now() - wall > 200 ? done({Virtual: s.now.value / 1e6, Wall: performance.now() - wall}) : requestAnimationFrame(look));
			look();
		}))`, speed))
		tab.ClickAt(tab.Middle("button.play"), 1)
		stands := now()
		require.False(t, store[bool](tab, `s.playing.value`))
		require.Positive(t, played.Virtual)
		require.LessOrEqual(t, played.Virtual, 1.1*speed*played.Wall, "at %v×", speed)
		require.Equal(t, stands, now(), "it stands")
	}
	// With idle folded nobody waits two hours: it plays to its end.
	tab.ClickAt(tab.Middle(`.fold-idle input`), 1)
	tab.ClickAt(tab.Middle("button.play"), 1)
	tab.Wait(`import('./store.mjs').then((s) => !s.playing.value && s.cursor.value === s.run.value.line.items.length - 1)`)
	require.Equal(t, end, now())
}

// lastAt is the last item at a time or before it.
func lastAt(items []scenario.Item, at int64) int {
	last := -1
	for i := range items {
		if int64(items[i].At) <= at {
			last = i
		}
	}
	return last
}

// What a seek costs in a run of more than ten thousand events: the engine on its way to
// a step, and the page until all of it is drawn. Of the page counts what it has of the
// processor, so that a busy machine does not.
func TestSeekIsQuick(t *testing.T) {
	const most, seeks = 50 * time.Millisecond, 40
	tab := open(t, "#s=H1", 1280, 900)
	text, err := json.Marshal(long)
	require.NoError(t, err)
	store[int](tab, `(s.openText('LONG', `+string(text)+`), 0)`)
	ready(tab)
	steps := store[int](tab, `s.run.value.steps`)
	require.Greater(t, steps, 10_000)
	const place = `const place = (k, n) => Math.floor(n * ((k * 7919) % 41) / 41);`
	worst, usual := worstAndMiddle(store[[]float64](tab, fmt.Sprintf(`(async () => {
		%s
		const took = [];
		for (let k = 0; k < %d; k++) took.push((await s.ask('seek', place(k, %d))).ms);
		return took;
	})()`, place, seeks, steps)))
	t.Logf("the engine, %d events, %d seeks: %v in the middle, %v at worst", steps, seeks, usual, worst)
	require.Less(t, usual, most)

	before := tab.Busy()
	store[bool](tab, fmt.Sprintf(`(async () => {
		%s
		for (let k = 0; k < %d; k++) {
			s.seek(place(k, s.run.value.line.items.length));
			await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
		}
		return true;
	})()`, place, seeks))
	each := (tab.Busy() - before) / seeks
	t.Logf("the page until it is drawn: %v of a processor for each", each.Round(100*time.Microsecond))
	require.Less(t, each, 3*most, "the bar is %v; what else runs takes its part of the caches", most)
}

func worstAndMiddle(ms []float64) (worst, middle time.Duration) {
	sorted := slices.Sorted(slices.Values(ms))
	span := func(v float64) time.Duration { return time.Duration(v * 1e6).Round(100 * time.Microsecond) }
	return span(sorted[len(sorted)-1]), span(sorted[len(sorted)/2])
}
