package playground_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/chrome"
)

var update = flag.Bool("update", false, "write the pictures of the page in docs anew")

// pictures are the main views, as docs shows them.
var pictures = []struct {
	name          string
	fragment      string
	width, height int64
	before        string // what is done in the page, with s as its store
}{
	{"handshake", "#s=H1&lang=en", 1400, 1000, `s.step('say', 1), s.step('say', 1), s.step('say', 1)`},
	{"handshake-zh", "#s=H1&lang=zh", 1400, 1000, `s.step('say', 1), s.step('say', 1), s.step('say', 1)`},
	{"ghost", "#s=H5-two-way&b=H5&lang=en", 1400, 1000, `(s.panel.value = 'held', s.seek(-1), [1, 2, 3, 4, 5, 6].forEach(() => s.step('say', 1)))`},
	{"ghost-zh", "#s=H5-two-way&b=H5&lang=zh", 1400, 1000, `(s.panel.value = 'held', s.seek(-1), [1, 2, 3, 4, 5, 6].forEach(() => s.step('say', 1)))`},
	{"states-dark", "#s=F1&lang=en", 1400, 1000, `(s.theme.value = 'dark', s.panel.value = 'states', s.seek(1e9), s.step('state', -1))`},
	{"segment", "#s=H4&lang=en", 1400, 1000, `(s.seek(1e9), s.select(2))`},
	{"graphs", "#s=D7&lang=en", 1400, 1700, `(s.panel.value = 'held', s.seekTime(s.end() / 2))`},
	{"knowledge", "#s=H8&lang=en", 1400, 1000, `(s.panel.value = 'knowledge', s.seek(1e9))`},
	{"time-wait-zh", "#s=W2&lang=zh", 1400, 1000, `(s.panel.value = 'gauges', s.seekTime(s.end() / 2))`},
	{"phone", "#s=H1&lang=en", 390, 844, `s.step('say', 1), s.step('say', 1)`},
	{"phone-zh-dark", "#s=F1&lang=zh", 390, 844, `(s.theme.value = 'dark', s.step('say', 1))`},
}

// TestPictures takes the pictures that docs has of the page. They are not compared:
// fonts differ from machine to machine.
func TestPictures(t *testing.T) {
	if !*update {
		t.Log("go test ./playground -run TestPictures -update writes them")
		return
	}
	require.NoError(t, os.MkdirAll("../docs", 0o755))
	b := chrome.New(t)
	address := page(t)
	for _, p := range pictures {
		tab := b.Open(address+p.fragment, p.width, p.height)
		ready(tab)
		tab.Wait(`import('./store.mjs').then((s) => s.runs.value.every((r) => r.ended))`)
		store[bool](tab, `(s.theme.value = 'light', `+p.before+`, true)`)
		chrome.Eval[bool](tab, `document.fonts.ready.then(() => new Promise((done) => setTimeout(() => done(true), 600)))`)
		require.NoError(t, os.WriteFile(filepath.Join("../docs", p.name+".png"), tab.Picture(), 0o644))
	}
}
