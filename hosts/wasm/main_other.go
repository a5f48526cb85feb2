//go:build !wasip1

package main

import (
	"context"
	"fmt"
	"os"

	"github.com/tcpkit/tcpkit/hosts/wasm/build"
)

// Built for another platform than wasip1 this is the program that builds the
// module.
func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./hosts/wasm FILE.wasm")
		os.Exit(2)
	}
	wasm, err := build.Module(context.Background(), "")
	if err == nil {
		err = os.WriteFile(os.Args[1], wasm, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
