package need

import (
	"os"
	"os/exec"
	"testing"
)

// RequireAll is the environment variable that turns a skip into a failure.
const RequireAll = "TCPKIT_REQUIRE_ALL"

// Tool returns the path of the program called name. install is the package
// that brings it.
func Tool(t testing.TB, name, install string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, "install "+install)
	}
	return path
}

// Root needs the rights of root.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "run as root")
	}
}

// TUN needs a TUN device that the test can configure: /dev/net/tun, and the
// right to administer a network, as root or in a user namespace of its own.
func TUN(t testing.TB) {
	t.Helper()
	if mend := mendTUN(); mend != "" {
		Missing(t, mend)
	}
}

// Missing skips a test for want of what mend says, or fails it where all is
// required.
func Missing(t testing.TB, mend string) {
	t.Helper()
	if os.Getenv(RequireAll) == "1" {
		t.Fatal(mend)
	} else {
		t.Skip(mend)
	}
}
