package playground_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/scenario"
	"github.com/tcpkit/tcpkit/core/scenario/catalogue"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/hosts/wasm/build"
	"github.com/tcpkit/tcpkit/internal/chrome"
	"github.com/tcpkit/tcpkit/internal/need"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/examples"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

// long is a scenario of more than ten thousand events.
const long = `scenario LONG
seed 3
host client 10.0.0.1
host server 10.0.0.2
link client server delay 10ms loss 1% rate 1M queue 64k
listen server 80
flow web client server:80
  client write 10M
  client close
  server await-eof
  server close
expect read server 10485760
`

// engine is the module, built once for all tests.
var engine = sync.OnceValues(func() ([]byte, error) { return build.Module(context.Background(), "..") })

// page serves the whole page and returns its address.
func page(t *testing.T) string {
	t.Helper()
	return "http://127.0.0.1:" + serve(t, func(context.Context) ([]byte, error) { return engine() }) + "/"
}

// ready waits until the engine runs and the run on show has ended.
func ready(tab *chrome.Tab) {
	tab.Wait(`import('./store.mjs').then((s) => s.engine.value.phase === 'ready' && !!s.run.value?.ended)`)
}

// open opens the page at a scenario, with an English or Chinese browser's size.
func open(t *testing.T, fragment string, width, height int64) *chrome.Tab {
	t.Helper()
	tab := chrome.Open(t, page(t)+fragment, width, height)
	ready(tab)
	return tab
}

// store evaluates an expression with the page's own store as s.
func store[T any](tab *chrome.Tab, expression string) T {
	return chrome.Eval[T](tab, `import('./store.mjs').then((s) => (`+expression+`))`)
}

// made is a scenario's run made here, to its end.
func made(t *testing.T, text string, extra ...string) *scenario.Run {
	t.Helper()
	s, err := scenario.Parse(text, extra...)
	require.NoError(t, err)
	engine, err := wazero.New(wazero.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { engine.Close() })
	r, err := scenario.New(s, func(o *scenario.Order) (tcp.Hook, tcp.HookMask, error) {
		set := plugins.NewSet()
		for _, spec := range o.Specs {
			name, options, err := plugins.ParseSpec(spec)
			if err != nil {
				return nil, 0, err
			}
			options.Key, options.MTU = o.Key, o.MTU
			options.Name = cmp.Or(options.Name, name)
			wasm, _ := examples.Module(name)
			p, err := plugins.Load(engine, wasm, options)
			if err != nil {
				return nil, 0, err
			}
			set.Add(p)
		}
		return set, set.Mask(), nil
	})
	require.NoError(t, err)
	r.Finish()
	return r
}

// native is the hash of a run made here, as people see it.
func native(t *testing.T, text string, extra ...string) string {
	t.Helper()
	return string(scenario.AppendHash(nil, made(t, text, extra...).Hash()))
}

// shipped is the text of a scenario of the catalogue.
func shipped(t *testing.T, id string) string {
	t.Helper()
	s, ok := catalogue.Shipped().Scenario(id)
	require.True(t, ok, id)
	return s.Text
}

// Every scenario of the catalogue runs to its end in the tab, holds what it expects,
// and has the hash that it has natively.
func TestEveryScenarioInTheTab(t *testing.T) {
	t.Parallel()
	tab := open(t, "#s=H1", 1280, 900)
	all := catalogue.Shipped().Scenarios()
	if testing.Short() {
		all = all[:8]
	}
	for _, s := range all {
		id, err := json.Marshal(s.ID)
		require.NoError(t, err)
		require.True(t, store[bool](tab, `s.open(`+string(id)+`)`), s.ID)
		ready(tab)
		got := store[struct {
			ID     string `json:"id"`
			Hash   string `json:"hash"`
			Wrong  string `json:"wrong"`
			Checks int    `json:"checks"`
			Held   int    `json:"held"`
		}](tab, `{id: s.run.value.id, hash: s.run.value.hash, wrong: s.run.value.error?.message ?? '', checks: s.run.value.checks.length, held: s.run.value.checks.filter((c) => c.held).length}`)
		require.Equal(t, s.ID, got.ID)
		require.Empty(t, got.Wrong, s.ID)
		require.Equal(t, native(t, s.Text), got.Hash, "%s: the same run here and in the tab", s.ID)
		require.Positive(t, got.Checks, s.ID)
		require.Equal(t, got.Checks, got.Held, s.ID)
	}
}

// A link holds the whole run: in a browser that has never seen the page it makes the
// same one, at the same place.
func TestLink(t *testing.T) {
	address := page(t)
	first := chrome.Open(t, address+"#s=F1", 1280, 900)
	ready(first)
	store[int](first, `s.edit(['fault packet 4 lose']) ?? 0`)
	ready(first)
	store[int](first, `s.seek(25) ?? 0`)
	first.Wait(`location.hash.includes('i=25')`)
	link := chrome.Eval[string](first, `location.hash`)
	require.Contains(t, link, "fault+packet+4+lose")

	second := chrome.Open(t, address+link, 1280, 900)
	ready(second)
	require.Equal(t, store[string](first, `s.run.value.hash`), store[string](second, `s.run.value.hash`))
	require.Equal(t, 25, store[int](second, `s.cursor.value`))
	s, _ := catalogue.Shipped().Scenario("F1")
	require.Equal(t, native(t, s.Text, "fault packet 4 lose"), store[string](second, `s.run.value.hash`))
}

// Links that are damaged are refused in words.
func TestBadLinks(t *testing.T) {
	t.Parallel()
	for _, fragment := range []string{"#s=../../etc", "#s=H1&x=%00", "#nonsense", "#s=ZZ9", "#s=H1&x=host+a", "#" + strings.Repeat("a", 70000)} {
		tab := chrome.Open(t, page(t)+fragment, 800, 600)
		tab.Wait(`import('./store.mjs').then((s) => s.notices.value.length > 0 || !!s.run.value?.error)`)
	}
}

// The module that is served is fetched from nowhere else; all that the page asks for
// comes from its server, and nothing on its console is wrong: chrome.Tab sees to that.
func TestPageIsReady(t *testing.T) {
	began := time.Now()
	tab := open(t, "", 1280, 900)
	t.Logf("interactive after %v", time.Since(began))
	require.Equal(t, "H1", store[string](tab, `s.run.value.id`))
	require.NotEmpty(t, chrome.Eval[string](tab, `document.querySelector('.ladder svg')?.outerHTML ?? ''`))
}

// What is picked up in the page: the capture, which Wireshark reads.
func TestTakeAway(t *testing.T) {
	tshark := need.Tool(t, "tshark", "tshark")
	b := chrome.New(t)
	tab := b.Open(page(t)+"#s=H1", 1280, 900)
	ready(tab)
	tab.Click(`[data-tab="takeaway"]`)
	tab.Click(`.takeaway button.of-a`)
	file := downloaded(t, b, "*.pcapng")
	out, err := exec.Command(tshark, "-r", file, "-T", "fields", "-e", "tcp.flags.str", "-o", "tcp.relative_sequence_numbers:TRUE").Output()
	require.NoError(t, err)
	lines := strings.Fields(string(out))
	require.GreaterOrEqual(t, len(lines), 3)
	require.Contains(t, lines[0], "S")
	require.Contains(t, lines[1], "A")
}

// downloaded waits for a file that a page saves.
func downloaded(t *testing.T, b *chrome.Browser, pattern string) string {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-time.After(20 * time.Millisecond) {
		found, err := filepath.Glob(filepath.Join(b.Downloads, pattern))
		require.NoError(t, err)
		if len(found) > 0 {
			if info, err := os.Stat(found[0]); err == nil && info.Size() > 0 {
				return found[0]
			}
		}
	}
	require.Fail(t, "nothing was saved", pattern)
	return ""
}

// Back and forth again the engine is what it was.
func TestBackAndForth(t *testing.T) {
	tab := open(t, "#s=D1", 1280, 900)
	type at struct {
		Step        int     `json:"step"`
		Fingerprint string  `json:"fingerprint"`
		MS          float64 `json:"ms"`
	}
	steps := store[int](tab, `s.run.value.steps`)
	require.Greater(t, steps, 10)
	seek := func(step int) at {
		return store[at](tab, `s.ask('seek', `+strconv.Itoa(step)+`)`)
	}
	seen := map[int]string{}
	for step := 0; step <= steps; step += max(1, steps/10) {
		seen[step] = seek(step).Fingerprint
	}
	for step := steps; step >= 0; step-- {
		if want, ok := seen[step]; ok {
			require.Equal(t, want, seek(step).Fingerprint, "step %d", step)
		}
	}
}

// A segment that is dropped from the ladder is sent again, and both runs can be kept.
func TestDropAndBranch(t *testing.T) {
	tab := open(t, "#s=H1", 1280, 900)
	before := store[string](tab, `s.run.value.hash`)
	require.True(t, store[bool](tab, `s.branch(['fault packet 1 lose'])`))
	ready(tab)
	require.Equal(t, 2, store[int](tab, `s.runs.value.length`))
	require.NotEqual(t, before, store[string](tab, `s.run.value.hash`))
	require.Equal(t, before, store[string](tab, `s.other.value.hash`), "the run that it came from is still there")
	require.Positive(t, store[int](tab, `s.run.value.line.items.filter((it) => it.k === 'lose').length`))
}

// With the keyboard alone one steps forth and back, plays, and gets to the help.
func TestKeyboard(t *testing.T) {
	tab := open(t, "#s=H1", 1280, 900)
	require.Equal(t, -1, store[int](tab, `(s.pause(), s.seek(-1), s.cursor.value)`))
	tab.Press(kb.ArrowRight)
	tab.Press(kb.ArrowRight)
	forth := store[int](tab, `s.cursor.value`)
	require.Positive(t, forth)
	tab.Press(kb.ArrowLeft)
	require.Less(t, store[int](tab, `s.cursor.value`), forth)
	tab.Press(" ")
	tab.Wait(`import('./store.mjs').then((s) => s.cursor.value > ` + strconv.Itoa(forth) + `)`)
	tab.Press("?")
	tab.Wait(`document.querySelector('dialog[open]') !== null`)
	tab.Press(kb.Escape)
	tab.Wait(`document.querySelector('dialog[open]') === null`)
}

// On a phone nothing is wider than the screen.
func TestPhone(t *testing.T) {
	tab := open(t, "#s=H1", 390, 844)
	require.LessOrEqual(t, chrome.Eval[int](tab, `document.documentElement.scrollWidth`), 390)
}

// Nobody has to look for the row that the sentence is about: it is above the transport,
// also where the window is low, from the first sentence to the end.
func TestCursorInSight(t *testing.T) {
	for _, fragment := range []string{"#s=H1", "#s=F3", "#s=W1"} {
		tab := open(t, fragment, 1280, 760)
		for range store[int](tab, `s.run.value.line.says.length`) {
			tab.Press("n")
			tab.Wait(`(() => {
				const row = document.querySelector('.drawing .cursor line').getBoundingClientRect();
				return row.top > document.querySelector('.ladder-scroll').getBoundingClientRect().top && row.bottom < document.querySelector('.transport').getBoundingClientRect().top;
			})()`)
		}
	}
}

// Above the ladder a ghost is called so, and what a crash has left half-open is not.
func TestAloneAtItsHost(t *testing.T) {
	for fragment, says := range map[string]string{"#s=H5-two-way": "a ghost", "#s=K2b": "half-open"} {
		tab := open(t, fragment, 1280, 760)
		if fragment == "#s=K2b" {
			tab.Press("n")
			tab.Press("n")
		} else {
			tab.Press(kb.End)
		}
		tab.Wait(`[...document.querySelectorAll('.ladder-head')].some((head) => head.textContent.includes(` + strconv.Quote(says) + `))`)
	}
}

// What a program is told at the end is read in full.
func TestErrorsAreReadInFull(t *testing.T) {
	tab := open(t, "#s=U2", 1280, 760)
	tab.Press(kb.End)
	tab.Wait(`[...document.querySelectorAll('.drawing .note text')].some((note) => note.textContent.endsWith('ETIMEDOUT'))`)
}

// In W3 the server is in LAST-ACK when the client has forgotten it, and nobody says
// that it is ESTABLISHED.
func TestHalfOpenWhileClosing(t *testing.T) {
	tab := open(t, "#s=W3", 1280, 760)
	tab.Press("n")
	tab.Wait(`document.getElementById('story').textContent.includes('Half-open at server: 1')`)
	require.NotContains(t, chrome.Eval[string](tab, `document.getElementById('story').textContent`), "ESTABLISHED")
}

// What is chosen from stays inside its panel, and help begins at its beginning.
func TestNothingSticksOut(t *testing.T) {
	tab := open(t, "#s=H1", 1280, 760)
	tab.Press(kb.End)
	for _, panel := range store[[]string](tab, `[...document.querySelectorAll('[data-tab]')].map((e) => e.dataset.tab)`) {
		tab.Click(`#tab-` + panel)
		require.LessOrEqual(t, chrome.Eval[int](tab, `document.documentElement.scrollHeight`), 760, "%s: the page fills the window", panel)
	}
	tab.Click(`#tab-compare`)
	require.True(t, chrome.Eval[bool](tab, `document.querySelector('.compare select').getBoundingClientRect().right <= document.querySelector('.compare').getBoundingClientRect().right`))
	tab.Press("?")
	tab.Wait(`document.querySelector('dialog[open]') !== null`)
	require.Zero(t, chrome.Eval[int](tab, `document.querySelector('dialog').scrollTop`))
}

// axe-core knows what people who see, hear or move otherwise need.
func TestAccessible(t *testing.T) {
	t.Parallel()
	npm := need.Tool(t, "npm", "npm")
	root, err := exec.Command(npm, "root", "-g").Output()
	require.NoError(t, err)
	axe, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "axe-core", "axe.min.js"))
	if err != nil {
		need.Missing(t, "npm install -g axe-core")
	}
	for name, fragment := range map[string]string{"english": "#s=H1", "chinese": "#s=H5-two-way&lang=zh"} {
		t.Run(name, func(t *testing.T) {
			tab := open(t, fragment, 1280, 900)
			chrome.Eval[bool](tab, string(axe)+";true")
			found := chrome.Eval[[]string](tab, `axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => v.id + ': ' + v.help + ' ' + v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(', ')))`)
			require.Empty(t, found)
		})
	}
}

// The first minute of a newcomer: open, press play, see the handshake, open "why not
// two", put the what-if beside it, see the ghost, read why.
func TestFirstMinute(t *testing.T) {
	tab := open(t, "", 1280, 900)
	tab.Click(`button.play`)
	tab.Wait(`import('./store.mjs').then((s) => s.state.value?.hosts.every((h) => Object.values(h.conns).some((c) => c.state === 'ESTABLISHED')))`)
	require.Contains(t, chrome.Eval[string](tab, `document.querySelector('.ladder').innerText + document.querySelector('.ladder').textContent`), "ESTABLISHED")
	tab.Click(`.lessons a[href="#s=H5"]`)
	ready(tab)
	require.Equal(t, "H5", store[string](tab, `s.run.value.id`))
	tab.Click(`#story button.other`)
	tab.Wait(`import('./store.mjs').then((s) => !!s.other.value?.ended)`)
	require.Equal(t, "H5-two-way", store[string](tab, `s.other.value.id`))
	tab.Click(`.lessons summary`)
	tab.Wait(`document.querySelector('.lessons a[href="#s=H5-two-way"]') !== null`)
	chrome.Eval[bool](tab, `(document.querySelector('.lessons a[href="#s=H5-two-way"]').click(), true)`)
	ready(tab)
	require.Equal(t, "H5-two-way", store[string](tab, `s.run.value.id`))
	for range store[int](tab, `s.run.value.line.says.length`) {
		tab.Press("n")
	}
	store[bool](tab, `(s.seek(1e9), true)`)
	require.Positive(t, store[int](tab, `s.state.value.hosts[1].mem.ghosts ?? 0`), "the server has a connection of which nobody knows")
	require.Contains(t, strings.ToLower(chrome.Eval[string](tab, `document.getElementById('story').textContent`)), "ghost")
}

// A plugin of the user's own runs in the tab, and what it does shows.
func TestUploadedPlugin(t *testing.T) {
	tab := open(t, "#s=H1", 1280, 900)
	before := store[string](tab, `s.run.value.hash`)
	wasm, ok := examples.Module("option-stamp")
	require.True(t, ok)
	file := filepath.Join(t.TempDir(), "mine.wasm")
	require.NoError(t, os.WriteFile(file, wasm, 0o600))
	tab.Click(`[data-tab="plugins"]`)
	tab.Do(chromedp.SetUploadFiles(chromedp.CSS(`#plugin-file`), []string{file}, chromedp.NodeReady))
	tab.Wait(`document.getElementById('plugin-name').value === 'mine'`)
	tab.Click(`#plugin-on`)
	tab.Wait(`import('./store.mjs').then((s) => s.run.value.ended && s.run.value.extra.some((l) => l.startsWith('plugin client mine')))`)
	// What it has changed, what it and others have said, and what that cost.
	store[bool](tab, `(s.edit(['plugin server pcap-annotate']), true)`)
	tab.Wait(`import('./store.mjs').then((s) => s.run.value.ended && s.run.value.line.items.some((it) => it.said))`)
	store[bool](tab, `(s.seek(1e9), true)`)
	tab.Wait(`document.querySelector('.deeds .said')?.closest('table').textContent.includes('LISTEN to SYN-RECEIVED')`)
	require.Contains(t, text(tab, ".deeds"), "Segment before → after")
	require.Regexp(t, `\d+ in \d+ calls`, text(tab, ".deeds tbody:last-child"))
	require.Empty(t, store[string](tab, `s.run.value.error?.message ?? ''`))
	require.NotEqual(t, before, store[string](tab, `s.run.value.hash`))
	tab.Do(chromedp.SetUploadFiles(chromedp.CSS(`#plugin-file`), []string{"server.go"}, chromedp.NodeReady))
	tab.Wait(`document.querySelector('.plugins [role="alert"]')?.textContent.includes('not a WASM module')`)
}

// A plugin that loops costs a call its fuel, and the run its plugin; the page goes on.
func TestLoopingPlugin(t *testing.T) {
	spin, err := os.ReadFile("../plugins/internal/hostile/modules/spin.wasm")
	require.NoError(t, err)
	tab := open(t, "#s=H1", 1280, 900)
	require.Equal(t, 1, store[int](tab, `(s.files.value = [{name: 'loop', octets: Uint8Array.from(atob('`+base64.StdEncoding.EncodeToString(spin)+`'), (c) => c.charCodeAt(0))}], 1)`))
	store[bool](tab, `(s.edit(['plugin client loop']), true)`)
	ready(tab)
	require.Empty(t, store[string](tab, `s.run.value.error?.message ?? ''`))
	require.Positive(t, store[int](tab, `s.run.value.line.items.filter((it) => it.k === 'plugin').length`), "its strikes are told")
}
