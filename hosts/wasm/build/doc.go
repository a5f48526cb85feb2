// Package build makes the WASM module of package hosts/wasm, in one place for all
// who need it: `tcpkit playground`, tests, benchmarks, and
//
//	go run ./hosts/wasm tcpkit.wasm
//
// It needs the Go toolchain alone, and a checkout of tcpkit.
//
//	wasm, err := build.Module(ctx, "") // "" is the directory that we are in
//
// Command is what runs the toolchain. What it has built is a module that works;
// Pack makes it a fifth smaller, compressed, and quicker to compile: see there.
package build
