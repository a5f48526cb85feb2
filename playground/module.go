package playground

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/tcpkit/tcpkit/hosts/wasm/js"
)

// ErrNoModule is that neither this binary nor this machine has the engine's module.
var ErrNoModule = errors.New("the engine's module is not here: this binary was built without it, and no checkout of tcpkit with a Go toolchain was found. " +
	"Run \"go run ./cmd/tcpkit playground\" in a checkout, or give a module with --module FILE.wasm")

// buildTime is the most that a build may take: the first on a slow machine compiles
// the standard library too.
const buildTime = 10 * time.Minute

// FromFile gives a module that was built before.
func FromFile(name string) Module {
	return func(context.Context) ([]byte, error) { return readModule(name) }
}

// Ready gives the module that is part of this binary if there is one, and else builds
// it from the checkout that the program runs in or was built from, once: with the
// toolchain that builds it, and into the user's cache directory. say, which may be nil,
// is told that a build has begun.
func Ready(say func(checkout string)) Module {
	if len(embedded) > 0 {
		return func(context.Context) ([]byte, error) { return embedded, nil }
	}
	var lock sync.Mutex
	var built []byte
	return func(ctx context.Context) ([]byte, error) {
		lock.Lock()
		defer lock.Unlock()
		if built != nil || ctx.Err() != nil {
			return built, ctx.Err()
		}
		dir := checkout()
		if dir == "" {
			return nil, ErrNoModule
		}
		if say != nil {
			say(dir)
		}
		var err error
		built, err = build(dir)
		return built, err
	}
}

// build does not end with the request that asked for it: the next one wants the
// same.
func build(dir string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), buildTime)
	defer cancel()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	into := filepath.Join(cache, "tcpkit")
	if err := os.MkdirAll(into, 0o700); err != nil {
		return nil, fmt.Errorf("build the engine's module: %w", err)
	}
	work, err := os.MkdirTemp(into, "module-")
	if err != nil {
		return nil, fmt.Errorf("build the engine's module: %w", err)
	}
	defer os.RemoveAll(work)
	output := filepath.Join(work, "tcpkit.wasm")
	cmd := js.Build(ctx, dir, output)
	cmd.WaitDelay = time.Second
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the engine's module in %s: %w\n%s", dir, err, last(said))
	}
	return readModule(output)
}

// readModule reads a module, and tells what is not one before a browser does.
func readModule(name string) ([]byte, error) {
	body, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the engine's module: %w", err)
	}
	if !strings.HasPrefix(string(body[:min(4, len(body))]), "\x00asm") {
		return nil, fmt.Errorf("read the engine's module: %s is not a WASM module", name)
	}
	return body, nil
}

// last is the end of what a program has said, as much as a person reads.
func last(said []byte) []byte { return said[max(0, len(said)-2000):] }

// checkout finds the source of tcpkit: above the working directory, or where this
// program was built. It is "" where that is gone, or there is no toolchain.
func checkout() string {
	if _, err := exec.LookPath("go"); err != nil {
		return ""
	}
	dir, err := os.Getwd()
	for err == nil {
		if isCheckout(dir) {
			return dir
		}
		if up := filepath.Dir(dir); up != dir {
			dir = up
			continue
		}
		break
	}
	if _, file, _, ok := runtime.Caller(0); ok {
		if dir := filepath.Dir(filepath.Dir(file)); filepath.IsAbs(dir) && isCheckout(dir) {
			return dir
		}
	}
	return ""
}

func isCheckout(dir string) bool {
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil || !strings.HasPrefix(string(mod), "module github.com/tcpkit/tcpkit\n") {
		return false
	}
	_, err = os.Stat(filepath.Join(dir, "hosts", "wasm"))
	return err == nil
}
