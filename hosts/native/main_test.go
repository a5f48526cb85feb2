package native_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/tcpkit/tcpkit/hosts/native/netns"
	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
)

// The tests run in a network namespace of their own where one can be had, and
// leave no goroutine behind.
func TestMain(m *testing.M) {
	if child() {
		return
	}
	if netns.Inside() {
		goleak.VerifyTestMain(m)
		return
	}
	netnstest.Run(m)
}

// children is what a test starts this binary for, by name.
var children = map[string]func(){}

// child runs what a test started this binary for, and reports whether that was
// the case.
func child() bool {
	f := children[os.Getenv("NATIVE_TEST_CHILD")]
	if f == nil {
		return false
	}
	f()
	return true
}
