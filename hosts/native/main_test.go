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
	if child(m) {
		return
	}
	if netns.Inside() {
		goleak.VerifyTestMain(m)
		return
	}
	netnstest.Run(m)
}

// child runs what a test started this binary for, and reports whether that was
// the case.
func child(*testing.M) bool {
	switch os.Getenv("NATIVE_TEST_CHILD") {
	default:
		return false
	}
}
