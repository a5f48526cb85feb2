package need_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/need"
)

// recorder notes how a test would have ended.
type recorder struct {
	testing.TB
	skipped, failed []any
}

func (r *recorder) Helper()           {}
func (r *recorder) Skip(args ...any)  { r.skipped = args }
func (r *recorder) Fatal(args ...any) { r.failed = args }

func TestTool(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv(need.RequireAll, "")
	var r recorder
	need.Tool(&r, "tshark", "tshark")
	require.Equal(t, []any{"install tshark"}, r.skipped)
	require.Empty(t, r.failed)

	t.Setenv(need.RequireAll, "1")
	r = recorder{}
	need.Tool(&r, "tshark", "tshark")
	require.Equal(t, []any{"install tshark"}, r.failed)
	require.Empty(t, r.skipped)

	self, err := os.Executable()
	require.NoError(t, err)
	r = recorder{}
	require.Equal(t, self, need.Tool(&r, self, "Go"))
	require.Empty(t, r.failed)
}

// What they find depends on the machine; that they end in one way doesn't.
func TestRights(t *testing.T) {
	t.Setenv(need.RequireAll, "")
	for name, check := range map[string]func(testing.TB){"Root": need.Root, "TUN": need.TUN} {
		var r recorder
		check(&r)
		require.Empty(t, r.failed, name)
		t.Log(name, r.skipped)
	}
}
