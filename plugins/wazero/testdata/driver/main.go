// The driver runs rows of calls in the engine of the embedder that it is given. It
// reads them from its standard input, and writes what comes of them to its standard
// output.
package main

import (
	"encoding/gob"
	"os"

	"github.com/tcpkit/tcpkit/hosts/wasm/embedder"
	"github.com/tcpkit/tcpkit/plugins/internal/calls"
)

func main() {}

//go:wasmexport run
func run() {
	var rows []calls.Row
	if err := gob.NewDecoder(os.Stdin).Decode(&rows); err != nil {
		panic(err)
	}
	for _, row := range rows {
		if _, err := os.Stdout.WriteString(calls.Run(embedder.Engine{}, row)); err != nil {
			panic(err)
		}
	}
}
