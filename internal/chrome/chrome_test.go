//go:build linux

package chrome_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/chrome"
)

// What a page does wrong is seen.
func TestSeesWhatIsWrong(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/worker.js" { // without a policy of its own
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write([]byte(`fetch('http://elsewhere.example/x').catch(() => 0).then(() => postMessage(0))`))
			return
		}
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		_, _ = w.Write([]byte(`<!doctype html><title>x</title><p id=p>hello</p><script src=/none.js></script><script>inline()</script>`))
	}))
	defer s.Close()
	b := chrome.New(t)
	tab := b.Open(s.URL+"/", 800, 600)
	require.Equal(t, "hello", chrome.Eval[string](tab, "document.getElementById('p').textContent"))
	wrong := strings.Join(tab.Wrong(), "\n")
	require.Contains(t, wrong, "404")
	require.Contains(t, wrong, "Content Security Policy")
	chrome.Eval[int](tab, "console.error('alas'), fetch('http://127.0.0.1:1/').catch(() => 0)")
	wrong = strings.Join(tab.Wrong(), "\n")
	require.Contains(t, wrong, "alas")
	require.Contains(t, wrong, "http://127.0.0.1:1/")
	// What a worker does no page tells.
	chrome.Eval[bool](tab, "new Promise((done) => { new Worker('worker.js').onmessage = () => done(true); })")
	require.Equal(t, []string{"GET elsewhere.example/x"}, b.Left())
	require.Positive(t, len(tab.Picture()))
	tab.Wrong()
}
