//go:build linux

package chrome

import (
	"context"
	"os"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// A process is one Chromium.
type process struct {
	*abroad
	ctx    context.Context
	cancel []context.CancelFunc
}

// launch prepares a Chromium, which starts when it is first asked for something.
func launch(path, profile string) *process {
	p := &process{abroad: goAbroad()}
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Headless, chromedp.DisableGPU,
		// In containers there is neither the sandbox nor room in /dev/shm.
		chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true),
		// It asks nobody for anything by itself.
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("proxy-server", p.address), chromedp.Flag("disable-extensions", true), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("force-device-scale-factor", "1"),
		chromedp.UserDataDir(profile))
	ctx, cancel := chromedp.NewContext(alloc)
	p.ctx, p.cancel = ctx, []context.CancelFunc{cancel, cancelAlloc, p.close}
	return p
}

// end waits for the browser's end, so that its folder can go.
func (p *process) end() {
	_ = chromedp.Cancel(p.ctx) // it may never have started
	for _, cancel := range p.cancel {
		cancel()
	}
}

// shared is the browser of a package's tests.
var shared struct {
	on      bool
	lock    sync.Mutex
	process *process
	profile string
}

// Main runs the tests of a package with one browser for all that call Open, which is
// quicker than one for each.
func Main(m *testing.M) {
	shared.on = true
	code := m.Run()
	if shared.process != nil {
		shared.process.end()
		_ = os.RemoveAll(shared.profile)
	}
	os.Exit(code)
}

func sharedProcess(path string) (*process, error) {
	shared.lock.Lock()
	defer shared.lock.Unlock()
	if shared.process == nil {
		profile, err := os.MkdirTemp("", "chromium")
		if err != nil {
			return nil, err
		}
		shared.profile, shared.process = profile, launch(path, profile)
	}
	// Its first tab is that of nobody: where it goes, the browser goes.
	_, err := chromedp.Run(shared.process.ctx, chromedp.Navigate("about:blank"))
	return shared.process, err
}
