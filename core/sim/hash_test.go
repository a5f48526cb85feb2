package sim

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hashes are those of twenty seeds, as every machine must find them.
func hashes() string {
	var b strings.Builder
	for seed := range uint64(20) {
		w, err := randomWorld(seed)
		if err == nil {
			err = w.Finish()
		}
		if err != nil {
			return err.Error()
		}
		fmt.Fprintf(&b, "%d %016x %016x %d\n", seed, w.Hash(), w.Fingerprint(), w.Count().Events)
	}
	return b.String()
}

// TestPrintHashes is what TestSameHashOn386 runs elsewhere.
func TestPrintHashes(t *testing.T) {
	file := os.Getenv("TCPKIT_SIM_HASHES")
	if file == "" {
		file = filepath.Join(t.TempDir(), "hashes")
	}
	require.NoError(t, os.WriteFile(file, []byte(hashes()), 0o600))
}

// The same seeds give the same events on a machine of 32 bits, from a test binary
// that is built for it.
func TestSameHashOn386(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skipf("only linux/amd64 runs both; this is %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	dir := t.TempDir()
	bin, file := filepath.Join(dir, "sim386"), filepath.Join(dir, "hashes")
	build := exec.Command("go", "test", "-c", "-o", bin, ".")
	build.Env = append(os.Environ(), "GOARCH=386", "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	run := exec.Command(bin, "-test.run", "^TestPrintHashes$")
	run.Env = append(os.Environ(), "TCPKIT_SIM_HASHES="+file)
	out, err = run.CombinedOutput()
	require.NoError(t, err, "%s", out)
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	want := hashes()
	require.Contains(t, want, "\n19 ", "twenty seeds")
	require.Equal(t, want, string(got))
}
