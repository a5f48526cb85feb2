package playground_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/chrome"
	"github.com/tcpkit/tcpkit/playground"
)

// broken serves the page with a Worker that goes wrong at a run with the seed 666.
func broken(t *testing.T, how string) string {
	t.Helper()
	files, err := playground.Files()
	require.NoError(t, err)
	const at = "function advance(entry) {\n"
	worker := files["/worker.mjs"]
	require.Contains(t, string(worker.Body), at)
	worker.Body = bytes.Replace(worker.Body, []byte(at), []byte(at+"if (entry.extra.includes('seed 666')) "+how+"\n"), 1)
	files["/worker.mjs"] = worker
	return "http://127.0.0.1:" + serveHandler(t, playground.Handler(files, func(context.Context) ([]byte, error) { return engine() })) + "/"
}

// A Worker that does not come back is killed, which is said; the other runs, and the
// page, go on in another.
func TestHungWorker(t *testing.T) {
	tab := chrome.Open(t, broken(t, "for (;;);")+"#s=F1&lang=en", 1280, 900)
	ready(tab)
	hash := native(t, shipped(t, "F1"))
	// In a branch: it stays empty, and the run that it came from is all there.
	tab.ClickAt(tab.Middle("button.branch"), 1)
	tab.Wait(`import('./store.mjs').then((s) => s.runs.value.length === 2 && s.run.value.ended)`)
	tab.ClickAt(tab.Middle(`[data-tab="network"]`), 1)
	typed(tab, "#knob-seed", "666")
	tab.Wait(`document.querySelector('.notices .wrong') !== null`)
	require.Equal(t, "Run B (F1; plugins: –) did not answer, so it was stopped. The run before the last change is back. ", text(tab, ".notices .wrong span"))
	ready(tab)
	require.Equal(t, hash, store[string](tab, `s.run.value.hash`))
	require.Empty(t, store[[]string](tab, `s.run.value.extra`))
	require.Equal(t, 1, store[int](tab, `s.notices.value.length`))
	// The new Worker answers for both, and makes more runs.
	for range 2 {
		tab.ClickAt(tab.Middle(`.seg[data-p="1"] .hit`), 1)
		tab.Wait(`document.querySelector('.inspector .figures') !== null`)
		tab.Press("s")
	}
	tab.ClickAt(tab.Middle(`[data-tab="network"]`), 1)
	typed(tab, "#knob-seed", "7")
	tab.Wait(`import('./store.mjs').then((s) => s.run.value.extra.includes('seed 7'))`)
	ready(tab)
	require.Equal(t, native(t, shipped(t, "F1"), "seed 7"), store[string](tab, `s.run.value.hash`))

	// A link leads to it at once: nothing came before it, and that is said too.
	store[bool](tab, `(s.open('H1', ['seed 666']), true)`)
	tab.Wait(`import('./store.mjs').then((s) => s.run.value.error?.kind === 'hung')`)
	tab.Wait(`document.querySelector('.notices').textContent.includes('What it had shown stays.')`)
	tab.ClickAt(tab.Middle(`.lessons a[href="#s=H2"]`), 1)
	ready(tab)
	require.Equal(t, native(t, shipped(t, "H2")), store[string](tab, `s.run.value.hash`))
}

// So it is with a module that traps: what it holds is not to be trusted any more.
func TestTrappedModule(t *testing.T) {
	tab := chrome.Open(t, broken(t, "throw new WebAssembly.RuntimeError('unreachable');")+"#s=H1&lang=en", 1280, 900)
	ready(tab)
	store[bool](tab, `(s.edit(['seed 666']), true)`)
	tab.Wait(`document.querySelector('.notices [role="alert"]') !== null`)
	require.Contains(t, text(tab, `.notices [role="alert"]`), "unreachable")
	tab.ClickAt(tab.Middle(`.notices [role="alert"] button`), 1) // Undo
	ready(tab)
	require.Equal(t, native(t, shipped(t, "H1")), store[string](tab, `s.run.value.hash`))
}

// typed writes into a field, in place of what stands there.
func typed(tab *chrome.Tab, selector, what string) {
	tab.ClickAt(tab.Middle(selector), 3) // all of it is chosen
	tab.Press(kb.Delete + what + kb.Enter)
}

// held keeps some of what is served back until it is let go.
type held struct {
	http.Handler
	until map[string]chan struct{}
}

func (h held) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if wait, ok := h.until[r.URL.Path]; ok {
		select {
		case <-wait:
		case <-r.Context().Done():
			return
		}
	}
	h.Handler.ServeHTTP(w, r)
}

// A frame shows before the words have come, and the page before the module has. Then
// it is ready within a second.
func TestFirstFrame(t *testing.T) {
	_, err := engine()
	require.NoError(t, err)
	files, err := playground.Files()
	require.NoError(t, err)
	const attempts, bar = 3, time.Second
	best := time.Hour
	b := chrome.New(t)
	for range attempts {
		words, module := make(chan struct{}), make(chan struct{})
		port := serveHandler(t, held{playground.Handler(files, func(context.Context) ([]byte, error) { return engine() }),
			map[string]chan struct{}{"/catalogue.json": words, "/tcpkit.wasm": module}})
		tab := b.Open("http://127.0.0.1:"+port+"/#lang=en", 1280, 900)
		tab.Wait(`document.querySelector('.first-ladder')?.getBoundingClientRect().height > 100`)
		tab.Wait(`performance.getEntriesByName('first-contentful-paint').length === 1`)
		require.Equal(t, "progress", chrome.Eval[string](tab, `document.querySelector('.first-progress').localName`))

		close(words)
		tab.Wait(`document.querySelector('.desk') !== null`)
		require.Contains(t, text(tab, ".engine"), "engine", "what is on its way")
		tab.ClickAt(tab.Middle(`button[lang="zh"]`), 1)
		tab.Wait(`document.querySelector('#story').textContent.includes('握手')`)
		tab.ClickAt(tab.Middle(`button[lang="en"]`), 1)
		require.True(t, chrome.Eval[bool](tab, `document.querySelector('button.play').disabled`))

		chrome.Eval[bool](tab, watchStart)
		close(module)
		took := time.Duration(chrome.Eval[float64](tab, `started`) * 1e6)
		require.False(t, chrome.Eval[bool](tab, `document.querySelector('button.play').disabled`))
		best = min(best, took)
	}
	t.Logf("from the last octet of the module until the run is drawn and can be played: %v at best of %d", best, attempts)
	require.Less(t, best, 3*bar, "issue 5 wants %v; a busy machine may take three times that", bar)
}

// watchStart promises in started how many milliseconds go by from when the last octet
// of the module has come until its first run is at its end and has been painted.
const watchStart = `Promise.all([import('./store.mjs'), import('./lib/preact.mjs')]).then(([s, {effect}]) => {
	let arrived = 0;
	globalThis.started = new Promise((done) => effect(() => {
		const {phase, done: came, total} = s.engine.value;
		s.version.value;
		if (!arrived && phase === 'fetching' && total > 0 && came === total) arrived = performance.now();
		if (phase === 'ready' && s.run.value?.ended && !document.hidden) requestAnimationFrame(() => setTimeout(() => done(performance.now() - arrived)));
	}));
	return true;
})`

// The page as files, under any path of any server, does all that it does here.
func TestExportedPage(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, playground.Export(filepath.Join(root, "class", "tcp"), func(context.Context) ([]byte, error) { return engine() }))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &http.Server{Handler: http.FileServer(http.Dir(root)), ReadHeaderTimeout: time.Minute}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })

	tab := chrome.Open(t, "http://"+l.Addr().String()+"/class/tcp/#s=H5-two-way&lang=en", 1280, 900)
	ready(tab)
	require.Equal(t, native(t, shipped(t, "H5-two-way")), store[string](tab, `s.run.value.hash`), "a plugin was fetched for it")
	require.Equal(t, "/class/tcp/", chrome.Eval[string](tab, `new URL(document.querySelector('.takeaway, a.brand').baseURI).pathname`))
	// Its policy stands in the page: what is not its own is refused.
	require.Equal(t, "refused", chrome.Eval[string](tab, `fetch('http://elsewhere.example/').then(() => 'came', () => 'refused')`))
	require.Len(t, tab.Wrong(), 2, "the browser tells of the policy, and of the failure")
	tab.ClickAt(tab.Middle("button.play"), 1)
	tab.Wait(`import('./store.mjs').then((s) => s.cursor.value > 3)`)
}
