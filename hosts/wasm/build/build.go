package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Package is what the module is built from.
const Package = "github.com/tcpkit/tcpkit/hosts/wasm"

// env is the platform. The collector before Go 1.26's is smaller by 12 kB.
var env = []string{"GOOS=wasip1", "GOARCH=wasm", "GOEXPERIMENT=nogreenteagc", "CGO_ENABLED=0", "GOFLAGS="}

// flags are those of go build. Calls are expanded in place only where that makes
// the module smaller, or what runs for each segment clearly faster.
var flags = append([]string{"-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-gcflags=all=-l"}, expanded(
	"runtime", "math/bits", core, core+"/clock", core+"/packet", core+"/seq", core+"/siphash", core+"/tcp", core+"/wire",
)...)

const core = "github.com/tcpkit/tcpkit/core"

// expanded are the flags for packages in which calls are expanded in place.
func expanded(packages ...string) (flags []string) {
	for _, p := range packages {
		flags = append(flags, "-gcflags="+p+"=")
	}
	return flags
}

// Command runs the Go toolchain in a directory of the checkout, and has it write
// the module, not packed, to a file.
func Command(ctx context.Context, dir, file string) *exec.Cmd {
	args := append([]string{"build", "-o", file}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, Package)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// Module builds the module in a directory of the checkout, and packs it.
func Module(ctx context.Context, dir string) ([]byte, error) {
	scratch, err := os.MkdirTemp("", "tcpkit-wasm-")
	if err != nil {
		return nil, fmt.Errorf("build the WASM module: %w", err)
	}
	defer os.RemoveAll(scratch)
	file := filepath.Join(scratch, "tcpkit.wasm")
	cmd := Command(ctx, dir, file)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return nil, fmt.Errorf("build the WASM module: install Go: %w", err)
		}
		return nil, fmt.Errorf("build the WASM module: %w: %s", err, strings.TrimSpace(said.String()))
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("build the WASM module: %w", err)
	}
	return Pack(wasm)
}
