//go:build linux

package chrome

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/need"
)

// action is how long one action of a test of a page may take.
const action = time.Minute

// A Browser is a Chromium with a profile of its own.
type Browser struct {
	*process
	t         testing.TB
	Downloads string // the folder that gets what pages save
}

// New starts a browser with a fresh profile. It ends with the test.
func New(t testing.TB) *Browser {
	t.Helper()
	p := launch(need.Tool(t, "chromium", "chromium"), t.TempDir())
	b := &Browser{p, t, t.TempDir()}
	t.Cleanup(func() {
		p.end()
		require.Empty(t, b.Left(), "what would have left this machine")
	})
	_, err := chromedp.CallBrowser(p.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: b.Downloads,
	})
	require.NoError(t, err)
	return b
}

// A Tab is one page in a browser.
type Tab struct {
	t    testing.TB
	ctx  context.Context
	home *url.URL
	seen *seen
}

// seen is what a page has done that it must not do, in words.
type seen struct {
	lock  sync.Mutex
	wrong []string
}

// In is the tab for a part of the test that it was opened in.
func (tab *Tab) In(t testing.TB) *Tab {
	return &Tab{t, tab.ctx, tab.home, tab.seen}
}

// Open opens an address in a new tab of a size in pixels of CSS, after some steps.
// When the test ends, the page must have done nothing wrong.
func (b *Browser) Open(address string, width, height int64, before ...Step) *Tab {
	b.t.Helper()
	return open(b.t, b.process, address, width, height, before)
}

func open(t testing.TB, p *process, address string, width, height int64, before []Step, how ...chromedp.ContextOption) *Tab {
	t.Helper()
	home, err := url.Parse(address)
	require.NoError(t, err)
	ctx, cancel := chromedp.NewContext(p.ctx, how...)
	tab := &Tab{t, ctx, home, &seen{}}
	t.Cleanup(func() {
		require.Empty(t, tab.Wrong(), "the page has done what it must not do")
		cancel()
	})
	require.NoError(t, chromedp.Listen(ctx, tab.see))
	tab.Do(call(runtime.Enable), call(log.Enable), func(ctx context.Context, _ *chromedp.Target) (v chromedp.Void, err error) {
		_, err = chromedp.Call(ctx, network.Enable, network.EnableParams{})
		return v, err
	}, chromedp.EmulateViewport(width, height))
	tab.Do(before...)
	tab.Do(chromedp.Navigate(address))
	return tab
}

// A Step is one thing that is done in a tab.
type Step = chromedp.Action[chromedp.Void]

// call is a step that asks the browser for something.
func call(c cdp.Command[cdp.Empty, cdp.Empty]) Step {
	return func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, c, cdp.Empty{})
		return chromedp.Void{}, err
	}
}

// Open opens an address in a browser of its own; or, in a package whose tests Main
// runs, with a profile of its own in the browser that they share.
func Open(t testing.TB, address string, width, height int64, before ...Step) *Tab {
	t.Helper()
	path := need.Tool(t, "chromium", "chromium")
	if !shared.on {
		return New(t).Open(address, width, height, before...)
	}
	p, err := sharedProcess(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.Empty(t, p.Left(), "what would have left this machine") })
	return open(t, p, address, width, height, before, chromedp.WithNewBrowserContext())
}

// see notes what is wrong.
func (tab *Tab) see(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		tab.note("exception: " + exception(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "assert" || e.Type == "warning" {
			said := string(e.Type) + ":"
			for _, a := range e.Args {
				said += " " + string(a.Value) + a.Description
			}
			tab.note("console: " + said)
		}
	case *log.EventEntryAdded:
		// The browser's own words: violations of the policy, files that are not there.
		if e.Entry.Level == log.EntryLevelError {
			tab.note(string(e.Entry.Source) + ": " + e.Entry.Text + " " + e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		to, err := url.Parse(e.Request.URL)
		if err != nil || to.Host != tab.home.Host && to.Scheme != "data" && to.Scheme != "blob" {
			tab.note("request to " + e.Request.URL)
		}
	}
}

func exception(d *runtime.ExceptionDetails) string {
	if d.Exception != nil {
		return d.Text + " " + d.Exception.Description
	}
	return d.Text
}

func (tab *Tab) note(what string) {
	tab.seen.lock.Lock()
	defer tab.seen.lock.Unlock()
	tab.seen.wrong = append(tab.seen.wrong, what)
}

// Wrong is what the page has done so far that it must not do, and forgets it.
func (tab *Tab) Wrong() []string {
	tab.seen.lock.Lock()
	defer tab.seen.lock.Unlock()
	w := tab.seen.wrong
	tab.seen.wrong = nil
	return w
}

// Do takes steps one after the other.
func (tab *Tab) Do(steps ...Step) {
	tab.t.Helper()
	for _, one := range steps {
		run(tab, one)
	}
}

// run takes a step within its time. If it fails, so does the test, and keeps what the
// page showed where TCPKIT_PICTURES says.
func run[T any](tab *Tab, a chromedp.Action[T]) T {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, action)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		if folder := os.Getenv("TCPKIT_PICTURES"); folder != "" {
			if png, err := chromedp.Run(tab.ctx, chromedp.CaptureScreenshot()); err == nil {
				_ = os.WriteFile(filepath.Join(folder, "failed.png"), png, 0o644)
			}
		}
		require.NoError(tab.t, err, "%v", tab.Wrong())
	}
	return v
}

// Eval runs a script in the page, waits for what it promises, and returns what comes
// of it.
func Eval[T any](tab *Tab, script string) T {
	tab.t.Helper()
	return run(tab, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// Wait waits until a script's expression is true in the page.
func (tab *Tab) Wait(expression string) {
	tab.t.Helper()
	run(tab, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(action)))
}

// Click clicks what a CSS selector finds, once it can be seen.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	tab.Do(chromedp.Click(chromedp.CSS(selector)))
}

// Press presses keys, as chromedp.KeyEvent has them.
func (tab *Tab) Press(keys string, options ...chromedp.KeyOption) {
	tab.t.Helper()
	tab.Do(chromedp.KeyEvent(keys, options...))
}

// Picture is what the tab shows, as a PNG.
func (tab *Tab) Picture() []byte {
	tab.t.Helper()
	return run(tab, chromedp.CaptureScreenshot())
}

// Busy is how much of the processor the page's own thread has had so far, without its
// Workers. It does not count what other programs take of the machine.
func (tab *Tab) Busy() time.Duration {
	tab.t.Helper()
	return run(tab, func(ctx context.Context, _ *chromedp.Target) (time.Duration, error) {
		if _, err := chromedp.Call(ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}); err != nil {
			return 0, err
		}
		found, err := chromedp.Call(ctx, performance.GetMetrics, cdp.Empty{})
		if err != nil {
			return 0, err
		}
		for _, m := range found.Metrics {
			if m.Name == "TaskDuration" {
				return time.Duration(m.Value * float64(time.Second)), nil
			}
		}
		return 0, errors.New("the browser does not tell")
	})
}
