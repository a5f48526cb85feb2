package playground_test

import (
	"bytes"
	"cmp"
	"flag"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
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
	{"handshake", "#s=H1&lang=en", 1280, 800, `s.seekTime(8.7e7)`},
	{"handshake-zh", "#s=H1&lang=zh", 1280, 800, `s.seekTime(8.7e7)`},
	{"classroom-zh", "#s=H2&lang=zh", 1920, 1080, `s.seek(1e9)`},
	{"ghost", "#s=H5-two-way&b=H5&lang=en", 1280, 800, `(s.panel.value = 'held', s.seek(-1), [1, 2, 3, 4, 5, 6].forEach(() => s.step('say', 1)))`},
	{"ghost-zh", "#s=H5-two-way&b=H5&lang=zh", 1280, 800, `(s.panel.value = 'held', s.seek(-1), [1, 2, 3, 4, 5, 6].forEach(() => s.step('say', 1)))`},
	{"states-dark", "#s=F1&lang=en", 1280, 800, `(s.theme.value = 'dark', s.panel.value = 'states', s.seek(1e9), s.step('state', -1))`},
	{"segment", "#s=H4&lang=en", 1280, 800, `(s.seekTime(1e8), s.select(2))`},
	{"graphs", "#s=D7&lang=en", 1280, 900, `(s.panel.value = 'graphs', s.seekTime(7e8))`},
	{"plugins", "#s=H1&x=plugin%20client%20mss-clamp%2Cmss%3D536%0Aplugin%20server%20pcap-annotate&lang=en", 1280, 800, `(s.panel.value = 'plugins', s.seek(1e9))`},
	{"knowledge", "#s=H8&lang=en", 1280, 800, `(s.panel.value = 'knowledge', s.seek(1e9))`},
	{"time-wait-zh", "#s=W2&lang=zh", 1280, 800, `(s.panel.value = 'gauges', s.seekTime(s.end() / 2))`},
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
		require.NoError(t, os.WriteFile(filepath.Join("../docs", p.name+".png"), small(t, tab.Picture()), 0o644))
	}
}

// small writes a picture in the 256 colours that most of it has: all that a page of few
// inks needs, in a third of the octets.
func small(t *testing.T, picture []byte) []byte {
	t.Helper()
	full, err := png.Decode(bytes.NewReader(picture))
	require.NoError(t, err)
	bounds := full.Bounds()
	count := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(full.At(x, y)).(color.RGBA) }
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			count[at(x, y)]++
		}
	}
	most := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(count[b]-count[a], cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	palette := make(color.Palette, 0, 256)
	for _, c := range most[:min(256, len(most))] {
		palette = append(palette, c)
	}
	index := map[color.RGBA]uint8{}
	for c := range count {
		index[c] = uint8(palette.Index(c))
	}
	few := image.NewPaletted(bounds, palette)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			few.SetColorIndex(x, y, index[at(x, y)])
		}
	}
	var out bytes.Buffer
	require.NoError(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, few))
	return out.Bytes()
}
