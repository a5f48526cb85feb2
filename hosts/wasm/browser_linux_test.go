package main

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/chrome"
)

// checkBrowser opens the example for a page.
func checkBrowser(t *testing.T, wasm []byte) {
	files := http.NewServeMux()
	files.Handle("/", http.FileServer(http.Dir(".")))
	files.HandleFunc("/tcpkit.wasm", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/wasm")
		_, _ = w.Write(wasm)
	})
	server := httptest.NewServer(files)
	t.Cleanup(server.Close)
	tab := chrome.Open(t, server.URL+"/examples/browser/", 800, 600)
	tab.Wait("document.title === 'done'")
	said := chrome.Eval[string](tab, "document.getElementById('said').textContent")

	worker, err := os.ReadFile("examples/browser/worker.mjs")
	require.NoError(t, err)
	text := regexp.MustCompile("(?s)text = `(.*?)`").FindSubmatch(worker)
	require.NotNil(t, text)
	k := nativeKit(t)
	run := finish(t, k, string(text[1]))
	require.Equal(t, "echo: hello\nrun: "+hex.EncodeToString(taken(k, k.RunHash(run)))+"\n", said)
}
