package built

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/need"
)

// FromSource asks that each module of a folder is what its source in WAT says.
func FromSource(t *testing.T, folder string) {
	t.Helper()
	wat2wasm := need.Tool(t, "wat2wasm", "wabt")
	sources, err := filepath.Glob(filepath.Join(folder, "*.wat"))
	require.NoError(t, err)
	require.NotEmpty(t, sources)
	for _, source := range sources {
		again := filepath.Join(t.TempDir(), "again.wasm")
		out, err := exec.Command(wat2wasm, source, "-o", again).CombinedOutput()
		require.NoError(t, err, "%s", out)
		want, err := os.ReadFile(again)
		require.NoError(t, err)
		kept, err := os.ReadFile(strings.TrimSuffix(source, ".wat") + ".wasm")
		require.NoError(t, err)
		require.Equal(t, want, kept, "%s is not what its source says; build it with wat2wasm", source)
	}
}
