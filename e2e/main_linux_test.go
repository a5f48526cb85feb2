package e2e

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
	"github.com/tcpkit/tcpkit/internal/need"
)

// The runs wait for timers most of the time, so that many of them go side by
// side on few cores.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "64"); err != nil {
		panic(err)
	}
	netnstest.Run(m)
}

// required reports whether this is CI.
func required() bool { return os.Getenv("CI") == "true" || os.Getenv(need.RequireAll) == "1" }

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// wait waits until done, and fails with why and what say tells.
func wait(t testing.TB, why string, done func() bool, say ...func() string) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	end := time.Now().Add(patience)
	for !done() {
		if time.Now().After(end) {
			for _, s := range say {
				why += "\n" + s()
			}
			t.Fatal("waited in vain: " + why)
		}
		<-tick.C
	}
}
