package playground_test

import (
	"context"
	"maps"
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/memory"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/chrome"
	"github.com/tcpkit/tcpkit/playground"
)

// Nothing is wider than the screen, whatever is open: on a phone, at 200 % and at 400 % of
// a desktop's window. WCAG 2.2, 1.4.10.
func TestNothingIsWiderThanTheScreen(t *testing.T) {
	b := chrome.New(t)
	address := page(t)
	sizes := [][2]int64{{320, 256}, {390, 844}, {640, 450}, {1280, 900}}
	if testing.Short() {
		sizes = sizes[:1]
	}
	for _, size := range sizes {
		tab := b.Open(address+"#s=H5-two-way&b=H5", size[0], size[1])
		ready(tab)
		require.Empty(t, chrome.Eval[[]string](tab, `(async () => {
			const s = await import('./store.mjs');
			const wide = [];
			s.seek(1e9);
			for (const lang of ['en', 'zh']) {
				(await import('./words.mjs')).lang.value = lang;
				for (const panel of s.panels) {
					s.panel.value = panel;
					await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
					const { scrollWidth, clientWidth } = document.documentElement;
					if (scrollWidth > clientWidth) wide.push([lang, panel, scrollWidth, ...[...document.querySelectorAll('#app *')].filter((e) => e.getBoundingClientRect().right > clientWidth + 1 && !e.closest('.scroll, .scroll-x, .tabs, svg')).slice(0, 3).map((e) => e.tagName + '.' + e.className)].join(' '));
				}
			}
			return wide;
		})()`), "%v", size)
	}
}

// What the page cannot go on without, and lacks, it says in its first frame.
func TestFirstFrameSaysWhatIsWrong(t *testing.T) {
	files, err := playground.Files()
	require.NoError(t, err)
	wrong := map[string]func(map[string]playground.File){
		"failed": func(files map[string]playground.File) { delete(files, "/store.mjs") },
		"old": func(files map[string]playground.File) {
			f := files["/first.js"]
			f.Body = append([]byte("delete window.WebAssembly;\n"), f.Body...)
			files["/first.js"] = f
		},
	}
	for want, spoil := range wrong {
		spoilt := maps.Clone(files)
		spoil(spoilt)
		tab := chrome.Open(t, "http://127.0.0.1:"+serveHandler(t, playground.Handler(spoilt, module))+"/", 800, 600)
		tab.Wait(`document.documentElement.dataset.first === '` + want + `'`)
		require.True(t, chrome.Eval[bool](tab, `document.querySelector('.first-`+want+`').checkVisibility()`), want)
		tab.Wrong() // the file that is not there
	}
	tab := open(t, "#s=H1", 800, 600)
	require.Equal(t, "waits", chrome.Eval[string](tab, `document.documentElement.dataset.first`))
}

// spent is what a page's own thread has used of the processor, in seconds: whatever else
// the machine does.
func spent(tab *chrome.Tab) (seconds float64) {
	tab.Do(func(ctx context.Context, _ *chromedp.Target) (v chromedp.Void, err error) {
		if _, err = chromedp.Call(ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}); err != nil {
			return v, err
		}
		got, err := chromedp.Call(ctx, performance.GetMetrics, cdp.Empty{})
		for _, m := range got.Metrics {
			if m.Name == "TaskDuration" {
				seconds = m.Value
			}
		}
		return v, err
	})
	return seconds
}

// While a long run plays, a frame takes no 50 ms of the page's thread, whatever is beside
// the ladder.
func TestPlayingIsSmooth(t *testing.T) {
	tab := open(t, "#s=H1", 1280, 900)
	store[int](tab, `(s.openText('LONG', `+"`"+long+"`"+`), 0)`)
	ready(tab)
	for _, panel := range store[[]string](tab, `s.panels`) {
		store[bool](tab, `(s.panel.value = '`+panel+`', s.setSpeed(0.2), s.seek(s.run.value.line.items.length >> 1), new Promise((done) => setTimeout(() => done(true), 300)))`)
		before := spent(tab)
		const frames = 60
		store[bool](tab, `(async () => {
			s.playing.value = true;
			for (let k = 0; k < `+strconv.Itoa(frames)+`; k++) {
				s.tick(16e6);
				await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
			}
			s.pause();
			return true;
		})()`)
		each := (spent(tab) - before) * 1000 / frames
		t.Logf("beside %s a frame takes %.1f ms of the thread", panel, each)
		require.Less(t, each, 50.0, panel)
	}
}

// What was on show is let go: after scenario upon scenario, in each panel, the page holds
// no more than before.
func TestScenariosAreLetGo(t *testing.T) {
	tab := open(t, "#s=H1", 1280, 900)
	held := func() (octets float64, nodes int64) {
		chrome.Eval[bool](tab, `(async () => {
			const s = await import('./store.mjs');
			const { scenarios } = (await import('./words.mjs')).catalogue.value;
			const ended = async () => { while (!s.run.value.ended) await new Promise((done) => setTimeout(done, 5)); };
			for (let k = 0; k < 40; k++) {
				s.open(scenarios[k * 7 % scenarios.length].id);
				await ended();
				if (k % 5 === 0) s.branch(['seed 9']);
				await ended();
				s.panel.value = s.panels[k % s.panels.length];
				s.seek(s.run.value.line.items.length >> 1);
				await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
			}
			s.open('H1');
			s.panel.value = 'states';
			await ended();
			return true;
		})()`)
		tab.Do(func(ctx context.Context, _ *chromedp.Target) (v chromedp.Void, err error) {
			if _, err = chromedp.Call(ctx, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
				return v, err
			}
			heap, err := chromedp.Call(ctx, runtime.GetHeapUsage, cdp.Empty{})
			if err != nil {
				return v, err
			}
			dom, err := chromedp.Call(ctx, memory.GetDOMCounters, cdp.Empty{})
			octets, nodes = heap.UsedSize, dom.Nodes
			return v, err
		})
		return octets, nodes
	}
	before, nodesBefore := held()
	held()
	after, nodesAfter := held()
	t.Logf("%.1f MB and %d nodes, after 80 more %.1f MB and %d", before/1e6, nodesBefore, after/1e6, nodesAfter)
	require.Less(t, after, before+2e6)
	require.Less(t, nodesAfter, nodesBefore+1000)
}
