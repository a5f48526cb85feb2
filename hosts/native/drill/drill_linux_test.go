package drill

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/script"
	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
)

func TestMain(m *testing.M) { netnstest.Run(m) }

// real is how a script is judged in real time on a machine that others use too.
var real = script.Config{Tolerance: 30 * clock.Millisecond, TolerancePerMille: 125}

func TestScratch(t *testing.T) {
	netnstest.Need(t)
	files, _ := filepath.Glob("../../../scripts/" + os.Getenv("G") + ".pkt")
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(file)
			require.NoError(t, err)
			s, err := script.Parse(file, string(src))
			require.NoError(t, err)
			res, err := Run(s, real, Options{Limit: 20 * time.Second})
			require.NoError(t, err)
			t.Log(res.Outcome, res.Detail)
			if res.Outcome == script.Failed {
				t.Error(res.Ladder)
			}
		})
	}
}
