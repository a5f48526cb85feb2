package playground

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/tcpkit/tcpkit/hosts/wasm/build"
)

// ErrNoModule is that neither this binary nor this machine has the engine's module.
var ErrNoModule = errors.New("the engine's module is not here: this binary was built without it, and no checkout of tcpkit with a Go toolchain was found. " +
	"Run \"go run ./cmd/tcpkit playground\" in a checkout, or give a module with --module FILE.wasm")

// buildTime is the most that a build may take: the first on a slow machine compiles
// the standard library too.
const buildTime = 10 * time.Minute

// Ready gives the module that is part of this binary if there is one, and else builds
// it from the checkout that the program runs in or was built from, once, with the
// Go toolchain. say, which may be nil, is told that a build has begun.
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
		built, err = compile(dir)
		return built, err
	}
}

// compile does not end with the request that asked for it: the next one wants the
// same.
func compile(dir string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), buildTime)
	defer cancel()
	return build.Module(ctx, dir)
}

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
