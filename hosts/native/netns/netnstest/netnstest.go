// Package netnstest runs a package's tests in a network namespace of their own,
// so that they may open TUN devices without root and without a trace.
//
//	func TestMain(m *testing.M) { netnstest.Run(m) }
//
// Where a namespace can't be had the tests run outside of one, and Need skips
// those that need it, as package need does.
package netnstest

import (
	"os"
	"slices"
	"testing"

	"github.com/tcpkit/tcpkit/hosts/native/netns"
	"github.com/tcpkit/tcpkit/internal/need"
)

var why string // why there is no namespace

// Run is for TestMain. It does not return.
func Run(m *testing.M) {
	// A fuzzing worker talks to its parent on descriptors that would be lost.
	worker := slices.Contains(os.Args, "-test.fuzzworker")
	if !netns.Inside() && !worker {
		code, err := netns.Run(nil)
		if err == nil {
			os.Exit(code)
		}
		why = netns.Explain(err)
	}
	os.Exit(m.Run())
}

// Need skips t unless it runs in a namespace, in which a TUN can be opened.
func Need(t testing.TB) {
	t.Helper()
	if !netns.Inside() {
		unmet(t, why)
		return
	}
	need.TUN(t)
}

func unmet(t testing.TB, why string) {
	t.Helper()
	if os.Getenv(need.RequireAll) == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}
