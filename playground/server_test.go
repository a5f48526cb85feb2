package playground_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/playground"
)

var fakeModule = []byte("\x00asm\x01\x00\x00\x00")

// serve runs the server on a port of its own and returns it.
func serve(t *testing.T, engine playground.Module) (port string) {
	t.Helper()
	files, err := playground.Files()
	require.NoError(t, err)
	return serveHandler(t, playground.Handler(files, engine))
}

// serveHandler runs the server with another handler.
func serveHandler(t *testing.T, h http.Handler) (port string) {
	t.Helper()
	listeners, err := playground.Listen(0)
	require.NoError(t, err)
	s := playground.NewServer(h)
	done := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { done <- s.Serve(l) }()
	}
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		for range listeners {
			require.ErrorIs(t, <-done, http.ErrServerClosed)
		}
	})
	_, port, err = net.SplitHostPort(listeners[0].Addr().String())
	require.NoError(t, err)
	return port
}

func module(context.Context) ([]byte, error) { return fakeModule, nil }

// ask sends a request just as it is written and returns status, headers and body.
func ask(t *testing.T, port, request string) (*http.Response, string) {
	t.Helper()
	c, err := net.DialTimeout("tcp", "127.0.0.1:"+port, 5*time.Second)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(c, strings.ReplaceAll(request, "PORT", port))
	require.NoError(t, err)
	method, _, _ := strings.Cut(request, " ")
	answer, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	require.NoError(t, err, request)
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer, string(body)
}

// get is ask for a path.
func get(t *testing.T, port, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	return ask(t, port, "GET "+path+" HTTP/1.1\r\nHost: localhost:PORT\r\nConnection: close\r\n"+strings.Join(append(headers, ""), "\r\n")+"\r\n")
}

func TestServesThePage(t *testing.T) {
	port := serve(t, module)
	files, err := playground.Files()
	require.NoError(t, err)
	for _, name := range []string{"/", "/index.html", "/catalogue.json", "/plugins/two-way.wasm"} {
		require.Contains(t, files, name)
	}
	for name, f := range files {
		answer, body := get(t, port, name)
		require.Equal(t, http.StatusOK, answer.StatusCode, name)
		require.Equal(t, string(f.Body), body, name)
		require.Equal(t, f.Type, answer.Header.Get("Content-Type"), name)
		require.Equal(t, playground.Policy, answer.Header.Get("Content-Security-Policy"), name)
		require.Equal(t, "nosniff", answer.Header.Get("X-Content-Type-Options"), name)
		require.Equal(t, "no-referrer", answer.Header.Get("Referrer-Policy"), name)
		again, body := get(t, port, name, "If-None-Match: "+answer.Header.Get("ETag"))
		require.Equal(t, http.StatusNotModified, again.StatusCode, name)
		require.Empty(t, body)
	}
	answer, body := get(t, port, "/tcpkit.wasm")
	require.Equal(t, "application/wasm", answer.Header.Get("Content-Type"), "else a browser does not compile it as it comes")
	require.Equal(t, string(fakeModule), body)
	answer, body = ask(t, port, "HEAD / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n\r\n")
	require.Equal(t, strconv.Itoa(len(files["/"].Body)), answer.Header.Get("Content-Length"))
	require.Empty(t, body)
}

// Another site reaches this machine by a name of its own that leads here, or by a
// request that a browser sends on its behalf.
func TestOtherSites(t *testing.T) {
	port := serve(t, module)
	for host, want := range map[string]int{
		"localhost:PORT": 200, "127.0.0.1:PORT": 200, "[::1]:PORT": 200, "LOCALHOST:PORT": 200,
		"evil.example": 421, "evil.example:PORT": 421, "localhost": 421, "localhost:1": 421, "127.0.0.1.evil.example:PORT": 421,
		"127.0.0.2:PORT": 421, "localhost.:PORT": 421, "[::ffff:127.0.0.1]:PORT": 421, "": 421,
	} {
		answer, _ := ask(t, port, "GET / HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n")
		require.Equal(t, want, answer.StatusCode, "Host: %q", host)
	}
	for origin, want := range map[string]int{
		"http://localhost:" + port: 200, "http://evil.example": 403, "null": 403, "https://localhost:" + port: 403, "http://localhost:1": 403,
	} {
		answer, _ := get(t, port, "/catalogue.json", "Origin: "+origin)
		require.Equal(t, want, answer.StatusCode, "Origin: %s", origin)
	}
}

// A link on another site may lead here; what that site would load from here it does not get.
func TestOtherSitesWithoutOrigin(t *testing.T) {
	port := serve(t, func(context.Context) ([]byte, error) {
		t.Error("another site had the module built")
		return nil, errors.New("never")
	})
	for _, site := range []string{"cross-site", "same-site"} {
		answer, _ := get(t, port, "/tcpkit.wasm", "Sec-Fetch-Site: "+site, "Sec-Fetch-Mode: no-cors")
		require.Equal(t, http.StatusForbidden, answer.StatusCode)
		answer, _ = get(t, port, "/", "Sec-Fetch-Site: "+site, "Sec-Fetch-Mode: navigate")
		require.Equal(t, http.StatusOK, answer.StatusCode, "a link")
	}
	answer, _ := get(t, port, "/", "Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate")
	require.Equal(t, http.StatusOK, answer.StatusCode, "typed into the address bar")
}

// No path is made into the name of a file.
func TestPaths(t *testing.T) {
	port := serve(t, module)
	for _, path := range []string{
		"/../", "/../../etc/passwd", "/./index.html", "//index.html", "/%2e%2e/", "/%2e%2e%2fetc/passwd", "/..%5c..%5cwindows", "/%5c",
		"/%00", "/index.html%00.png", "/C:/windows", "/c%3a/", "/index.html/", "/index.htm", "/INDEX.HTML", "/%69ndex.html", "/plugins/", "/plugins/../index.html",
		"/server.go", "/doc.go", "/" + strings.Repeat("a", 8000),
	} {
		answer, body := get(t, port, path)
		require.Equal(t, http.StatusNotFound, answer.StatusCode, path)
		require.Equal(t, "there is no such file\n", body)
		require.Equal(t, playground.Policy, answer.Header.Get("Content-Security-Policy"))
	}
}

func TestOtherMethods(t *testing.T) {
	port := serve(t, module)
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		answer, _ := ask(t, port, method+" / HTTP/1.1\r\nHost: localhost:PORT\r\nConnection: close\r\n\r\n")
		require.Equal(t, http.StatusMethodNotAllowed, answer.StatusCode, method)
		require.Equal(t, "GET, HEAD", answer.Header.Get("Allow"))
	}
}

func TestLargeHeaders(t *testing.T) {
	port := serve(t, module)
	answer, _ := get(t, port, "/", "X-Much: "+strings.Repeat("a", 64<<10))
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, answer.StatusCode)
}

func TestNoModule(t *testing.T) {
	broken := true
	port := serve(t, func(context.Context) ([]byte, error) {
		if broken {
			return nil, errors.New("build the engine's module: out of luck")
		}
		return fakeModule, nil
	})
	answer, body := get(t, port, "/tcpkit.wasm")
	require.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
	require.Equal(t, "build the engine's module: out of luck\n", body, "the page shows it")
	broken = false
	answer, _ = get(t, port, "/tcpkit.wasm")
	require.Equal(t, http.StatusOK, answer.StatusCode, "the next request tries again")
}

func TestPortInUse(t *testing.T) {
	port, err := strconv.Atoi(serve(t, module))
	require.NoError(t, err)
	_, err = playground.Listen(port)
	require.ErrorContains(t, err, fmt.Sprint(port))
}

// A disk that is full, or whatever else ends it, leaves no half of a page: the same
// command works when there is room.
func TestExportLeavesNothing(t *testing.T) {
	for _, there := range []bool{false, true} {
		folder := filepath.Join(t.TempDir(), "site")
		if there {
			require.NoError(t, os.Mkdir(folder, 0o755))
		}
		spoil := func(context.Context) ([]byte, error) { // a file where a folder has to be
			require.NoError(t, os.MkdirAll(folder, 0o755))
			return fakeModule, os.WriteFile(filepath.Join(folder, "views"), nil, 0o600)
		}
		require.ErrorContains(t, playground.Export(folder, spoil), "export the playground: ")
		if there {
			left, err := os.ReadDir(folder)
			require.NoError(t, err)
			require.Empty(t, left)
		} else {
			require.NoDirExists(t, folder)
		}
		require.NoError(t, playground.Export(folder, module))
	}
}
