package playground_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/chrome"
)

// Each knob of the network writes its line: the run is the one that the line makes here,
// the link has it, and a click takes it back.
func TestKnobs(t *testing.T) {
	const id = "D1"
	script := shipped(t, id)
	before := native(t, script)
	tab := open(t, "#s="+id+"&lang=en", 1280, 900)
	tab.ClickAt(tab.Middle(`[data-tab="network"]`), 1)
	for _, knob := range []struct{ name, typed, line string }{
		{"delay", "80", "link client server delay 80ms"},
		{"jitter", "5ms", "link client server jitter 5ms"},
		{"loss", "30", "link client server loss 30%"},
		{"reorder", "60%", "link client server reorder 60%"},
		{"duplicate", " 100 % ", "link client server duplicate 100%"},
		{"corrupt", "40", "link client server corrupt 40%"},
		{"rate", "50k", "link client server rate 50k"},
		{"queue", "3k", "link client server queue 3k"},
		{"mtu", "600", "link client server mtu 600"},
		{"seed", "5", "seed 5"},
	} {
		t.Run(knob.name, func(t *testing.T) {
			tab := tab.In(t)
			typed(tab, knobOf(knob.name), knob.typed)
			changed(t, tab, script, before, knob.line)
			tab.ClickAt(tab.Middle(".lines li button"), 1)
			tab.Wait(`import('./store.mjs').then((s) => s.run.value.extra.length === 0)`)
			ready(tab)
			require.Equal(t, before, store[string](tab, `s.run.value.hash`))
		})
	}

	for name, wrong := range map[string][2]string{
		"delay": {"soon", "Give a time such as 50ms or 1.5s."},
		"loss":  {"101", "Give a percentage from 0% to 100%."},
		"rate":  {"-5", "Give a number such as 64k or 1.25M."},
		"mtu":   {"1", "Give a number of octets such as 1500."},
		"seed":  {"x", "Give a whole number."},
	} {
		t.Run("wrong "+name, func(t *testing.T) {
			tab := tab.In(t)
			typed(tab, knobOf(name), wrong[0])
			tab.Wait(fmt.Sprintf(`document.querySelector(%q).getAttribute('aria-invalid') === 'true'`, knobOf(name)))
			require.Equal(t, wrong[1], text(tab, knobOf(name)+"-hint"))
			require.Empty(t, store[[]string](tab, `s.run.value.extra`), "nothing has changed")
			typed(tab, knobOf(name), "")
			tab.Wait(fmt.Sprintf(`document.querySelector(%q).getAttribute('aria-invalid') === 'false'`, knobOf(name)))
			require.Empty(t, store[[]string](tab, `s.run.value.extra`))
		})
	}

	// What only the engine knows to be wrong it says, and one click takes it back.
	typed(tab, knobOf("mtu"), "99999")
	tab.Wait(`document.querySelector('.notices [role="alert"] button') !== null`)
	require.Contains(t, text(tab, `.notices [role="alert"]`), "give a number of at most 65535")
	tab.ClickAt(tab.Middle(`.notices [role="alert"] button`), 1)
	ready(tab)
	require.Equal(t, before, store[string](tab, `s.run.value.hash`))

	t.Run("profile", func(t *testing.T) {
		tab := tab.In(t)
		tab.Do(chromedp.Focus(chromedp.CSS(`.network select`)))
		tab.Press("lab")
		changed(t, tab, script, before, "host client profile lab")
	})
	// A plugin that breaks a rule is switched on with the grant of the lab, which is said.
	t.Run("lab", func(t *testing.T) {
		tab := tab.In(t)
		store[bool](tab, `(s.open('H1'), true)`)
		ready(tab)
		tab.ClickAt(tab.Middle(`[data-tab="plugins"]`), 1)
		tab.Do(chromedp.Focus(chromedp.CSS(`#plugin-name`)))
		tab.Press("two-way")
		tab.Wait(`document.querySelector('.plugins').textContent.includes('It breaks a rule of TCP on purpose')`)
		tab.Do(chromedp.Focus(chromedp.CSS(`.plugins label:nth-of-type(2) select`)))
		tab.Press("server")
		tab.ClickAt(tab.Middle("#plugin-on"), 1)
		changed(t, tab, shipped(t, "H1"), native(t, shipped(t, "H1")), "plugin server two-way,allow=lab")
	})
}

func knobOf(name string) string {
	if name == "seed" {
		return "#knob-seed"
	}
	return "#knob-client-server-" + name
}

// changed wants the run to be the one that a line makes of a scenario, and another than
// before; and the page's link to hold the line.
func changed(t *testing.T, tab *chrome.Tab, script, before, line string) {
	t.Helper()
	tab.Wait(fmt.Sprintf(`import('./store.mjs').then((s) => s.run.value.extra.join() === %q)`, line))
	ready(tab)
	require.Empty(t, store[string](tab, `s.run.value.error?.message ?? ''`))
	hash := store[string](tab, `s.run.value.hash`)
	require.Equal(t, native(t, script, line), hash)
	require.NotEqual(t, before, hash)
	require.Equal(t, []string{line}, chrome.Eval[[]string](tab, `Promise.all([import('./store.mjs'), import('./link.mjs')]).then(([s, {parse}]) => parse(s.fragment.value).link.x)`))
}
