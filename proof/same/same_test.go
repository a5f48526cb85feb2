//go:build linux && amd64

package same

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// The same script and the same seed give the same packets and the same events on
// amd64, on a machine of 32 bits, and in a WASM module.
//
// Proves: S25
func TestSame(t *testing.T) {
	n := seeds(t)
	var want []string
	t.Run("linux-amd64", func(t *testing.T) { want = list(t, scripts, n) })
	require.Equal(t, want, list(t, scripts, n), "the same run twice")
	for name, other := range map[string]func(t *testing.T, seeds uint64) string{"linux-386": run386, "wasip1-wasm": runWASM} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := marked(other(t, n))
			require.Len(t, got, len(want))
			different := 0
			for i, line := range want {
				if got[i] != line {
					t.Errorf("amd64 has  %s\n%s has  %s", line, name, got[i])
					if different++; different == 10 {
						break
					}
				}
			}
			t.Logf("%d scripts over IPv4 and IPv6 and %d seeds have one hash each", (len(want)-int(n))/2, n)
		})
	}
}

// marked are the lines of the list in what a test binary has printed.
func marked(output string) (lines []string) {
	for line := range strings.Lines(output) {
		if line, ok := strings.CutPrefix(line, mark); ok {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

// build makes the test binary of a package for another platform.
func build(t *testing.T, dir string, platform ...string) string {
	file := filepath.Join(t.TempDir(), "same.test")
	cmd := exec.Command("go", "test", "-c", "-o", file, dir)
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), platform...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return file
}

var listArgs = []string{"-test.run=^TestList$", "-test.timeout=10m"}

func run386(t *testing.T, seeds uint64) string {
	cmd := exec.Command(build(t, ".", "GOARCH=386"), listArgs...)
	cmd.Env = append(os.Environ(), scriptsVariable+"="+scripts, seedsVariable+"="+fmt.Sprint(seeds))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

func runWASM(t *testing.T, seeds uint64) string {
	return inWASM(t, ".", wazero.NewModuleConfig().
		WithArgs(slices.Concat([]string{"same.test"}, listArgs)...).
		WithEnv(scriptsVariable, "/scripts").WithEnv(seedsVariable, fmt.Sprint(seeds)).
		WithFSConfig(wazero.NewFSConfig().WithReadOnlyDirMount(scripts, "/scripts")))
}

// inWASM runs the test binary of a package under wazero and returns what it prints.
func inWASM(t *testing.T, dir string, cfg wazero.ModuleConfig) string {
	wasm, err := os.ReadFile(build(t, dir, "GOOS=wasip1", "GOARCH=wasm"))
	require.NoError(t, err)
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer func() { require.NoError(t, r.Close(ctx)) }()
	_, err = wasi_snapshot_preview1.Instantiate(ctx, r)
	require.NoError(t, err)
	var out bytes.Buffer
	_, err = r.InstantiateWithConfig(ctx, wasm, cfg.WithStdout(&out).WithStderr(&out).WithSysWalltime().WithSysNanotime())
	var exit *sys.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit)
		require.Zero(t, exit.ExitCode(), "%s", out.String())
	}
	return out.String()
}

// In WASM core/wire has a Sum of its own, since there is no addition with carry: the
// tests of checksums hold there too.
func TestSumsInWASM(t *testing.T) {
	const wire = "../../core/wire"
	said := inWASM(t, wire, wazero.NewModuleConfig().
		WithArgs("wire.test", "-test.v", "-test.run=Sum|Fold|Flipped|Partial", "-rapid.nofailfile").
		WithFSConfig(wazero.NewFSConfig().WithReadOnlyDirMount(wire, "/")))
	for _, name := range []string{"TestSumAgreesWithNaive", "TestSumOfTheRFC", "TestSumOfParts", "FuzzSum"} {
		require.Contains(t, said, "--- PASS: "+name)
	}
}
