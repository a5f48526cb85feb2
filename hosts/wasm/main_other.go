//go:build !wasip1

package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/hosts/wasm/skeleton"
)

func main() {
	seed := flag.Uint64("seed", 1, "what all randomness comes from")
	octets := flag.Uint("octets", 1<<18, "how much the client sends")
	loss := flag.Uint("loss", 50, "packets lost in a thousand")
	delay := flag.Duration("delay", 10*time.Millisecond, "of the link, each way")
	six := flag.Bool("6", false, "IPv6")
	flag.Parse()
	o := skeleton.Options{
		Seed: *seed, Octets: uint32(*octets), Loss: uint32(*loss), Delay: clock.Duration(*delay), Family: wire.IPv4,
	}
	if *six {
		o.Family = wire.IPv6
	}
	w, err := skeleton.New(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "make the stacks:", err)
		os.Exit(1)
	}
	fmt.Printf("%+v\n", w.Run())
}
