// Wazero runs a scenario in the WASM module, as any program with a WASM engine can:
//
//	go run ./hosts/wasm tcpkit.wasm
//	go run ./hosts/wasm/examples/wazero tcpkit.wasm core/scenario/catalogue/scenarios/H1.scenario
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: wazero tcpkit.wasm FILE.scenario")
		os.Exit(2)
	}
	hash, err := run(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%x\n", hash)
}

// run returns the hash of a scenario's run.
func run(module, scenario string) ([]byte, error) {
	wasm, err := os.ReadFile(module)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(scenario)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	// Plugins do not run here: the one import beside WASI says so.
	_, err = r.NewHostModuleBuilder("tcpkit").NewFunctionBuilder().
		WithFunc(func(id, hook, frame uint32) int64 { return -2 }).Export("plugin").Instantiate(ctx)
	if err != nil {
		return nil, err
	}
	m, err := r.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithStartFunctions("_initialize").WithStderr(os.Stderr))
	if err != nil {
		return nil, err
	}
	k := &kit{ctx, m}
	if err := k.put(text); err != nil {
		return nil, err
	}
	handle, err := k.call("tcpkit_run_new", uint64(len(text)), uint64(len(text)))
	if err != nil {
		return nil, err
	}
	if _, err := k.call("tcpkit_run_finish", handle); err != nil {
		return nil, err
	}
	size, err := k.call("tcpkit_run_hash", handle)
	if err != nil {
		return nil, err
	}
	return k.taken(size)
}

// A kit is the module at work.
type kit struct {
	ctx context.Context
	api.Module
}

// buffer is where the buffer is, which is made to hold size octets.
func (k *kit) buffer(size uint64) (uint32, error) {
	at, err := k.ExportedFunction("tcpkit_buffer").Call(k.ctx, size)
	if err != nil {
		return 0, err
	}
	return uint32(at[0]), nil
}

func (k *kit) put(b []byte) error {
	at, err := k.buffer(uint64(len(b)))
	if err == nil && !k.Memory().Write(at, b) {
		err = errors.New("the text is too large")
	}
	return err
}

func (k *kit) taken(size uint64) ([]byte, error) {
	at, err := k.buffer(0)
	if err != nil {
		return nil, err
	}
	b, _ := k.Memory().Read(at, uint32(size))
	return b, nil
}

// call calls an export; a negative result is the size of an error in words.
func (k *kit) call(name string, args ...uint64) (uint64, error) {
	results, err := k.ExportedFunction(name).Call(k.ctx, args...)
	if err != nil {
		return 0, err
	}
	n := int32(results[0])
	if n >= 0 {
		return uint64(n), nil
	}
	why, err := k.taken(uint64(-n))
	if err != nil {
		return 0, err
	}
	return 0, errors.New(string(why))
}
