//go:build linux

package chrome

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// abroad stands for all other machines: it is the browser's proxy, which it asks for
// whatever is not on this machine, on behalf of a page, of a worker or of itself. It
// gives nothing, and remembers.
type abroad struct {
	address string
	close   func()
	lock    sync.Mutex
	asked   []string
}

func goAbroad() *abroad {
	a := &abroad{}
	s := httptest.NewServer(a)
	a.address, a.close = s.Listener.Addr().String(), s.Close
	return a
}

func (a *abroad) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !itsOwn(r.URL.Hostname()) {
		a.lock.Lock()
		defer a.lock.Unlock()
		a.asked = append(a.asked, r.Method+" "+r.Host+r.URL.Path)
	}
	http.Error(w, "there is nothing but this machine", http.StatusBadGateway)
}

// itsOwn reports whether Chromium asks a host by itself, whatever is told to it: for
// the time, for updates, for accounts. No page of ours names these.
func itsOwn(host string) bool {
	return strings.HasSuffix(host, ".google.com") || strings.HasSuffix(host, ".googleapis.com") || strings.HasSuffix(host, ".gvt1.com")
}

// Left are the requests so far that would have left this machine, and forgets them.
func (a *abroad) Left() []string {
	a.lock.Lock()
	defer a.lock.Unlock()
	asked := a.asked
	a.asked = nil
	return asked
}
