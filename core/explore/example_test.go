package explore_test

import (
	"fmt"

	"github.com/tcpkit/tcpkit/core/explore"
)

// Every interleaving of an open to where nobody listens.
func Example() {
	for _, w := range explore.Worlds() {
		if w.Name != "refused" {
			continue
		}
		x, err := explore.New(w)
		if err != nil {
			panic(err)
		}
		r, err := x.Run(explore.Options{})
		if err != nil {
			panic(err)
		}
		fmt.Println(w.Title+", complete:", r.Complete, "counter-example:", r.Breach != nil)
	}
	// Output: nobody listens, complete: true counter-example: false
}
