package hostile_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/need"
	"github.com/tcpkit/tcpkit/plugins/internal/hostile"
)

func TestBuiltFromSource(t *testing.T) {
	wat2wasm := need.Tool(t, "wat2wasm", "wabt")
	sources, err := filepath.Glob("modules/*.wat")
	require.NoError(t, err)
	require.NotEmpty(t, sources)
	for _, source := range sources {
		built := filepath.Join(t.TempDir(), "built.wasm")
		out, err := exec.Command(wat2wasm, source, "-o", built).CombinedOutput()
		require.NoError(t, err, "%s", out)
		want, err := os.ReadFile(built)
		require.NoError(t, err)
		name := strings.TrimSuffix(filepath.Base(source), ".wat")
		require.Equal(t, want, hostile.Module(name, ""), "%s is not what its source says; build it with wat2wasm", name)
	}
}
