package playground_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/scenario"
	"github.com/tcpkit/tcpkit/internal/chrome"
)

// A hand is one way to take hold of a segment.
type hand struct {
	tab   *chrome.Tab
	later func(t *testing.T, tab *chrome.Tab, p int)
	lose  func(t *testing.T, tab *chrome.Tab, p int)
	twice func(t *testing.T, tab *chrome.Tab, p int)
}

// A segment is delivered later, lost or doubled with the mouse, with a finger and with
// keys; each time one line of the language is written, and the run is made anew: it is
// the one that the line makes here, and what was before the segment stays.
func TestSegmentsByHand(t *testing.T) {
	const id, p = "F1", 4 // the client's first octets
	text := shipped(t, id)
	before := made(t, text)
	b := chrome.New(t)
	address := page(t) + "#s=" + id + "&lang=en"
	for name, one := range map[string]hand{
		"mouse":  {b.Open(address, 1280, 900), dragged, doubleClicked, chosenInMenu},
		"finger": {b.Open(address, 390, 844, chrome.Fingers(390, 844)), swiped, tapped("lose"), tapped("double")},
		"keys":   {b.Open(address, 1280, 900), pressed("l"), pressed(kb.Delete), pressed("2")},
	} {
		for what, does := range map[string]func(*testing.T, *chrome.Tab, int){"delay": one.later, "lose": one.lose, "double": one.twice} {
			t.Run(name+"/"+what, func(t *testing.T) {
				tab := one.tab.In(t)
				ready(tab)
				store[bool](tab, fmt.Sprintf(`(s.seek(s.run.value.line.packets.get(%d).arrivals[0].i), true)`, p))
				does(t, tab, p)
				tab.Wait(`import('./store.mjs').then((s) => s.run.value.extra.length === 1)`)
				ready(tab)
				line := store[string](tab, `s.run.value.extra[0]`)
				require.True(t, strings.HasPrefix(line, fmt.Sprintf("fault packet %d %s", p, what)), line)
				require.Empty(t, store[string](tab, `s.run.value.error?.message ?? ''`))
				after := made(t, text, line)
				require.Equal(t, string(scenario.AppendHash(nil, after.Hash())), store[string](tab, `s.run.value.hash`), line)
				require.NotEqual(t, before.Hash(), after.Hash(), line)
				require.Equal(t, untilSent(before, p), untilSent(after, p), "what was before packet %d", p)
				tab.Press("u")
				tab.Wait(`import('./store.mjs').then((s) => s.run.value.extra.length === 0)`)
				ready(tab)
				require.Equal(t, string(scenario.AppendHash(nil, before.Hash())), store[string](tab, `s.run.value.hash`), "what was done is taken back")
			})
		}
	}
}

// untilSent are the items of a run up to the one that sends a packet.
func untilSent(r *scenario.Run, p uint32) []scenario.Item {
	items := r.Items(0)
	for i := range items {
		if items[i].Kind == scenario.Send && items[i].Packet == p {
			return items[:i+1]
		}
	}
	return nil
}

// dragged takes a segment's head and moves it down; meanwhile it is said how much later
// that is.
func dragged(t *testing.T, tab *chrome.Tab, p int) {
	drag(t, tab, tab.Drag, p)
}

func swiped(t *testing.T, tab *chrome.Tab, p int) {
	drag(t, tab, tab.Swipe, p)
}

func drag(t *testing.T, tab *chrome.Tab, move func(from, to chrome.Point, held func()), p int) {
	t.Helper()
	at := tab.Middle(fmt.Sprintf(`.grip[data-p="%d"]`, p))
	said := ""
	move(at, at.Below(150), func() { said = text(tab, ".ghost text") })
	tab.Wait(`import('./store.mjs').then((s) => s.run.value.extra.length === 1)`)
	_, delay, _ := strings.Cut(store[string](tab, `s.run.value.extra[0]`), "delay ")
	require.NotEmpty(t, delay)
	require.Equal(t, delay+" later", strings.Replace(said, " ", "", 1), "what was said while it was held")
}

func doubleClicked(_ *testing.T, tab *chrome.Tab, p int) {
	tab.ClickAt(tab.Middle(fmt.Sprintf(`.seg[data-p="%d"] .hit`, p)), 2)
}

func chosenInMenu(t *testing.T, tab *chrome.Tab, p int) {
	tab.MenuAt(tab.Middle(fmt.Sprintf(`.seg[data-p="%d"] .hit`, p)))
	tab.Wait(`document.querySelector('.seg-menu') !== null`)
	tab.ClickAt(tab.Middle(labelled(t, tab, ".seg-menu", "ladder.do.double")), 1)
	tab.Wait(`document.querySelector('.seg-menu') === null`)
}

// tapped touches the segment, and then what can be done to it beside its octets.
func tapped(what string) func(*testing.T, *chrome.Tab, int) {
	return func(t *testing.T, tab *chrome.Tab, p int) {
		tab.Tap(tab.Middle(fmt.Sprintf(`.seg[data-p="%d"] .hit`, p)))
		tab.Wait(fmt.Sprintf(`import('./store.mjs').then((s) => s.selection.value?.p === %d)`, p))
		tab.Tap(tab.Middle(labelled(t, tab, ".inspector-actions", "ladder.do."+what)))
	}
}

// pressed goes to the list of segments with the tabulator, to the segment with arrows,
// and presses a key.
func pressed(key string) func(*testing.T, *chrome.Tab, int) {
	return func(t *testing.T, tab *chrome.Tab, p int) {
		for range 200 {
			if chrome.Eval[bool](tab, `document.activeElement.classList.contains('ladder-list')`) {
				break
			}
			tab.Press(kb.Tab)
		}
		tab.Press(kb.Home)
		for range p - 1 {
			tab.Press(kb.ArrowDown)
		}
		require.Equal(t, p, store[int](tab, `s.selection.value?.p ?? 0`))
		require.Contains(t, chrome.Eval[string](tab, `document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).textContent`), "client", "a reader says it")
		tab.Press(key)
	}
}

// labelled marks the button that says a word of the page, and returns its selector.
func labelled(t *testing.T, tab *chrome.Tab, scope, word string) string {
	t.Helper()
	require.True(t, chrome.Eval[bool](tab, fmt.Sprintf(`import('./words.mjs').then(({t}) => {
		for (const old of document.querySelectorAll('[data-hand]')) old.removeAttribute('data-hand');
		const button = [...document.querySelectorAll(%q + ' button')].find((one) => one.textContent.trim().startsWith(t(%q)));
		button?.setAttribute('data-hand', '');
		return !!button;
	})`, scope, word)), "%s: %s", scope, word)
	return "[data-hand]"
}

// A branch keeps the run that it came from: both are drawn, and laid side by side with
// what differs between them.
func TestBranchAndCompareByHand(t *testing.T) {
	text := shipped(t, "F1")
	tab := open(t, "#s=F1&lang=en", 1280, 900)
	store[bool](tab, `(s.seekTime(160e6), true)`)
	tab.ClickAt(tab.Middle("button.branch"), 1)
	tab.Wait(`import('./store.mjs').then((s) => s.runs.value.length === 2 && s.runs.value.every((r) => r.ended))`)
	require.Equal(t, 2, chrome.Eval[int](tab, `document.querySelectorAll('.ladder-box').length`))
	require.Equal(t, 160e6, store[float64](tab, `s.now.value`), "the branch is at the same time")
	doubleClicked(t, tab, 4)
	tab.Wait(`import('./store.mjs').then((s) => s.run.value.extra.length === 1)`)
	ready(tab)
	lines := store[[]string](tab, `s.run.value.extra`)
	require.Equal(t, []string{"fault packet 4 lose"}, lines)
	was, is := made(t, text), made(t, text, lines...)

	tab.ClickAt(tab.Middle(`[data-tab="compare"]`), 1)
	sums := rows(tab, ".sums tbody tr")
	require.Contains(t, sums, []string{"Segments", fmt.Sprint(sent(is)), fmt.Sprint(sent(was))}, "the changed run first")
	require.Contains(t, sums, []string{"Lost", "1", "0"})
	require.Contains(t, sums, []string{"Trace hash", string(scenario.AppendHash(nil, is.Hash())), string(scenario.AppendHash(nil, was.Hash()))})

	// s puts the other on show; a click forgets one.
	tab.Press("s")
	require.Equal(t, string(scenario.AppendHash(nil, was.Hash())), store[string](tab, `s.run.value.hash`))
	tab.ClickAt(tab.Middle(`.kept li.here button.plain`), 1)
	require.Equal(t, []string{string(scenario.AppendHash(nil, is.Hash()))}, store[[]string](tab, `s.runs.value.map((r) => r.hash)`))
}

// A what-if stands beside real TCP by one click, and each difference leads to its place.
func TestCompareRealWithWhatIf(t *testing.T) {
	tab := open(t, "#s=H5&lang=en", 1280, 900)
	tab.ClickAt(tab.Middle(`[data-tab="compare"]`), 1)
	tab.ClickAt(tab.Middle(`.compare button:not(.kept button)`), 1)
	tab.Wait(`import('./store.mjs').then((s) => !!s.other.value?.ended)`)
	real, whatIf := made(t, shipped(t, "H5")), made(t, shipped(t, "H5-two-way"))
	require.Equal(t, "H5-two-way", store[string](tab, `s.other.value.id`))
	sums := rows(tab, ".sums tbody tr")
	require.Contains(t, sums, []string{"Segments", fmt.Sprint(sent(real)), fmt.Sprint(sent(whatIf))})
	require.Contains(t, sums, []string{"Trace hash", string(scenario.AppendHash(nil, real.Hash())), string(scenario.AppendHash(nil, whatIf.Hash()))})
	require.False(t, reflect.DeepEqual(real.Items(0), whatIf.Items(0)))
	tab.ClickAt(tab.Middle(`.compare .log tr.differs button`), 1)
	require.Positive(t, store[int](tab, `s.selection.value?.p ?? 0`))
	require.Positive(t, store[float64](tab, `s.now.value`))
}

// sent counts the segments of a run.
func sent(r *scenario.Run) int {
	n := 0
	for _, item := range r.Items(0) {
		if item.Kind == scenario.Send {
			n++
		}
	}
	return n
}

// rows are the cells of the rows of a table.
func rows(tab *chrome.Tab, selector string) [][]string {
	return chrome.Eval[[][]string](tab, fmt.Sprintf(`[...document.querySelectorAll(%q)].map((row) => [...row.cells].map((cell) => cell.textContent.trim()))`, selector))
}
