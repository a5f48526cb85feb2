package playground_test

import (
	"maps"
	"testing"

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
