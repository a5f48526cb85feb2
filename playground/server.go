package playground

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Policy is the content security policy of the local server. Scripts, styles,
// workers and requests are the page's own; a module may be compiled; nothing is
// evaluated, nothing inline runs.
const Policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'; style-src 'self'; " +
	"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; manifest-src 'self'"

// A Module gives the engine's module. It may take its time, up to the context's end,
// and is asked again after an error. Several requests may ask at once.
type Module func(ctx context.Context) ([]byte, error)

// Handler serves files, and what engine gives as the module.
func Handler(files map[string]File, engine Module) http.Handler {
	h := &handler{files: files, engine: engine, tags: map[string]string{}}
	for name, f := range files {
		h.tags[name] = tag(f.Body)
	}
	return h
}

type handler struct {
	files  map[string]File
	tags   map[string]string // of each file, so that a browser need not have it again
	engine Module
}

// ServeHTTP answers one request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", Policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cache-Control", "no-cache")
	if !ours(r) {
		refuse(w, http.StatusMisdirectedRequest, "this server answers to localhost only")
		return
	}
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host {
		refuse(w, http.StatusForbidden, "this server answers to its own page only")
		return
	}
	// Without an Origin other sites ask for scripts, pictures and the like. They may lead
	// here, and nothing else: else any page could have this machine build the module.
	if site := r.Header.Get("Sec-Fetch-Site"); (site == "cross-site" || site == "same-site") && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
		refuse(w, http.StatusForbidden, "this server answers to its own page only")
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "there is nothing to change here")
		return
	}
	// The path as it came: what is not written just so is not there.
	name := r.URL.EscapedPath()
	if name == module {
		h.serveModule(w, r)
		return
	}
	f, ok := h.files[name]
	if !ok {
		refuse(w, http.StatusNotFound, "there is no such file")
		return
	}
	send(w, r, f, h.tags[name])
}

func (h *handler) serveModule(w http.ResponseWriter, r *http.Request) {
	body, err := h.engine(r.Context())
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	send(w, r, File{types[".wasm"], body}, tag(body))
}

func send(w http.ResponseWriter, r *http.Request, f File, tag string) {
	header := w.Header()
	header.Set("Content-Type", f.Type)
	header.Set("ETag", tag)
	if slices.Contains(strings.Split(strings.ReplaceAll(r.Header.Get("If-None-Match"), " ", ""), ","), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Length", strconv.Itoa(len(f.Body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(f.Body) // whoever has gone does not want it
	}
}

// refuse answers in words, which the page shows.
func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", types[".txt"])
	w.WriteHeader(status)
	_, _ = w.Write([]byte(why + "\n"))
}

func tag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// ours reports whether a request names this machine, and the port that it came
// to: a page of another site whose name was made to lead here has another.
func ours(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	_, want, err := net.SplitHostPort(local.String())
	if err != nil {
		return false
	}
	host, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(r.Host, "["), "]"), "80"
	}
	return port == want && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, strings.ToLower(host))
}

// NewServer is a server of h with limits that a browser never meets.
func NewServer(h http.Handler) *http.Server {
	const patience = 10 * time.Second
	return &http.Server{
		Handler: http.MaxBytesHandler(h, 0), ReadHeaderTimeout: patience, ReadTimeout: patience, IdleTimeout: 2 * time.Minute,
		WriteTimeout:   buildTime + time.Minute,
		MaxHeaderBytes: 16 << 10,
	}
}

// Listen opens a port on this machine's own addresses, 127.0.0.1 and, where there
// is IPv6, ::1. Port 0 is a free one.
func Listen(port int) ([]net.Listener, error) {
	first, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	all := []net.Listener{first}
	_, same, _ := net.SplitHostPort(first.Addr().String())
	// Without IPv6, or with its port taken, IPv4 does.
	if second, err := net.Listen("tcp6", net.JoinHostPort("::1", same)); err == nil {
		all = append(all, second)
	}
	return all, nil
}
