//go:build linux

package playground_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/scenario"
	"github.com/tcpkit/tcpkit/core/scenario/catalogue"
	"github.com/tcpkit/tcpkit/internal/chrome"
)

// timeline is a scenario's run as the page hears of it. What-ifs run without their
// plugins: here they are only drawn.
func timeline(t *testing.T, id string) string {
	t.Helper()
	one, ok := catalogue.Shipped().Scenario(id)
	require.True(t, ok, id)
	s, err := scenario.Parse(one.Text)
	require.NoError(t, err, id)
	var off []string
	for i := range s.Hosts {
		if len(s.Hosts[i].Plugins) > 0 {
			off = append(off, "plugin "+s.Hosts[i].Name+" off")
		}
	}
	if len(off) > 0 {
		s, err = scenario.Parse(one.Text, off...)
		require.NoError(t, err, id)
	}
	r, err := scenario.New(s, nil)
	require.NoError(t, err, id)
	r.Finish()
	return string(r.AppendJSON(nil, 0, -1))
}

// instruments opens the page without an engine: the timelines come from the test.
func instruments(t *testing.T, width, height int64) *chrome.Tab {
	t.Helper()
	port := serve(t, module)
	tab := chrome.Open(t, "http://127.0.0.1:"+port+"/", width, height)
	tab.Wait(`document.querySelector('.desk') !== null`)
	chrome.Eval[bool](tab, `(async () => {
		const [store, words] = await Promise.all([import('/store.mjs'), import('/words.mjs')]);
		store.connect(null);
		const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
		window.instruments = {
			store, frame, lang: words.lang,
			show(id, line) {
				store.openText(id, words.catalogue.value.scenarios.find((s) => s.id === id).text);
				const key = store.shown.value;
				store.heard.header(key, line);
				store.heard.items(key, line.items);
				store.heard.ended(key, { hash: line.hash, checks: [], steps: line.steps });
			},
			async see(panel) {
				store.panel.value = panel;
				await frame();
				await frame();
			},
		};
		return true;
	})()`)
	return tab
}

func show(t *testing.T, tab *chrome.Tab, id string) {
	t.Helper()
	chrome.Eval[bool](tab, fmt.Sprintf(`(instruments.show(%q, %s), true)`, id, timeline(t, id)))
}

func at(tab *chrome.Tab, panel string, seconds float64) {
	chrome.Eval[bool](tab, fmt.Sprintf(`instruments.see(%q).then(() => { instruments.store.seekTime(%v * 1e9); return instruments.frame(); }).then(() => true)`, panel, seconds))
}

func text(tab *chrome.Tab, selector string) string {
	return chrome.Eval[string](tab, fmt.Sprintf(`document.querySelector(%q)?.textContent ?? ''`, selector))
}

// Every instrument draws every scenario, in its middle and at its end, and nothing is
// said to be wrong: neither by the page nor by the browser.
func TestInstrumentsDrawEveryScenario(t *testing.T) {
	t.Parallel()
	tab := instruments(t, 1280, 900)
	all := catalogue.Shipped().Scenarios()
	if testing.Short() {
		all = all[:8]
	}
	for _, s := range all {
		show(t, tab, s.ID)
		wrong := chrome.Eval[json.RawMessage](tab, `(async () => {
			const { store, frame } = instruments;
			for (const panel of ['states', 'knowledge', 'held', 'gauges', 'graphs', 'table']) {
				const count = store.run.value.line.items.length;
				for (const i of [count >> 1, count - 1]) {
					store.panel.value = panel;
					store.seek(i);
					await frame();
					const alert = document.querySelector('.desk [role="alert"]');
					if (alert) return panel + ' at ' + i + ': ' + alert.textContent;
				}
			}
			return '';
		})()`)
		require.JSONEq(t, `""`, string(wrong), s.ID)
	}
}

// RFC 9293 §3.3.2: after the handshake both ends are in ESTABLISHED, and the page says by
// which edge, which rule and which segment.
func TestStatesAndKnowledgeOfTheHandshake(t *testing.T) {
	tab := instruments(t, 1280, 900)
	show(t, tab, "H1")
	at(tab, "states", 0)
	require.Contains(t, figure(tab), "client is in SYN-SENT.")
	require.Contains(t, figure(tab), "server is in LISTEN.")
	at(tab, "states", 0.2)
	require.Contains(t, figure(tab), "client is in ESTABLISHED.")
	require.Contains(t, text(tab, ".states .told"), "syn-sent-syn-ack")
	require.Contains(t, text(tab, ".states .told"), "RFC 9293 §3.10.7.3")
	require.Contains(t, text(tab, ".states .told"), "#2 SYN+ACK")
	// An edge is explained by a click on it.
	chrome.Eval[bool](tab, `(document.querySelector('.figure5 .edge.rare .reach').parentNode.dispatchEvent(new MouseEvent('click', {bubbles: true})), instruments.frame().then(() => true))`)
	require.Contains(t, text(tab, ".asked [role=status]"), "RFC ")

	at(tab, "knowledge", 0.06)
	require.Equal(t, "1 of 4 facts are known.", text(tab, ".knowledge .summary"))
	require.Contains(t, text(tab, ".isns .unconfirmed"), "not confirmed")
	at(tab, "knowledge", 0.2)
	require.Equal(t, "Each end knows that both directions work.", text(tab, ".knowledge .summary"))
	require.Empty(t, text(tab, ".isns .unconfirmed"))
	chrome.Eval[bool](tab, `(instruments.lang.value = 'zh', instruments.frame().then(() => true))`)
	require.Equal(t, "两端都知道两个方向都通。", text(tab, ".knowledge .summary"))
}

func figure(tab *chrome.Tab) string {
	return chrome.Eval[string](tab, `document.querySelector('.figure5').getAttribute('aria-label')`)
}

func TestGaugesOfRetransmissionBacklogAndSettings(t *testing.T) {
	tab := instruments(t, 390, 844)
	show(t, tab, "H11") // tcp_syn_retries = 5
	at(tab, "gauges", 16)
	require.Equal(t, "Timers", text(tab, "[data-tab=gauges]"))
	require.Contains(t, text(tab, ".schedule .said"), "5 of 6 so far.")
	require.Contains(t, text(tab, ".schedule .said"), "given up after 63 s")
	require.Contains(t, text(tab, ".rings li"), "15 s left of 16 s")

	show(t, tab, "H12-flood") // a backlog of 7
	at(tab, "held", 3)
	require.Contains(t, text(tab, ".queue .said"), "8 in SYN-RECEIVED, room for 8. The queue is full.")

	show(t, tab, "K3")
	at(tab, "gauges", 1)
	require.Contains(t, text(tab, ".settings"), "keepalive-idle TCP_KEEPIDLE, tcp_keepalive_time2h60s60s")

	show(t, tab, "F7")
	at(tab, "held", 120)
	require.Contains(t, text(tab, ".held"), "your app must call Close")
}

func TestGraphsShareTheCursor(t *testing.T) {
	tab := instruments(t, 1280, 900)
	show(t, tab, "D7")
	at(tab, "graphs", 0.3)
	require.Contains(t, text(tab, ".limits"), "The congestion window limits")
	before := chrome.Eval[string](tab, `document.querySelector('.cursor-line').style.transform`)
	// A click in a graph moves the cursor of the page.
	now := chrome.Eval[float64](tab, `(async () => {
		const over = document.querySelector('.graphs .u-over');
		const box = over.getBoundingClientRect();
		for (const kind of ['mousemove', 'mousedown', 'mouseup', 'click']) {
			over.dispatchEvent(new MouseEvent(kind, {bubbles: true, clientX: box.left + box.width / 2, clientY: box.top + 9}));
		}
		await instruments.frame();
		return instruments.store.now.value;
	})()`)
	require.Greater(t, now, 0.3e9)
	require.NotEqual(t, before, chrome.Eval[string](tab, `document.querySelector('.cursor-line').style.transform`))

	at(tab, "table", 0.3)
	ascends := `[...document.querySelectorAll('.table tbody th')].slice(0, 30).every((cell, k, all) => k === 0 || parseFloat(all[k - 1].textContent) >= parseFloat(cell.textContent))`
	require.False(t, chrome.Eval[bool](tab, ascends))
	chrome.Eval[bool](tab, `(document.querySelector('.table thead button').click(), instruments.frame().then(() => true))`)
	require.True(t, chrome.Eval[bool](tab, ascends), "latest first")
	require.Equal(t, "descending", chrome.Eval[string](tab, `document.querySelector('.table thead th').getAttribute('aria-sort')`))
}
