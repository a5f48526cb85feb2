package script_test

import (
	"fmt"

	"github.com/tcpkit/tcpkit/core/script"
)

// A script that fails shows what was expected above what came.
func ExampleRun() {
	s, err := script.Parse("fin.pkt", `
0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0  bind(3, ..., ...) = 0
+0  listen(3, 1) = 0
+0  < S 0:0(0) win 65535 <mss 1000>
+0  > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 65535
+0  accept(3, ..., ...) = 4
+0  close(4) = 0
+0  > R. 1:1(0) ack 1
`)
	if err != nil {
		fmt.Println(err)
		return
	}
	r := script.Run(s, script.Config{})
	fmt.Println(r.Outcome)
	fmt.Println(r.Detail)
	// Output:
	// failed
	// fin.pkt:10:1: expected  > R. 1:1(0) ack 1            at 0.100000
	//   actual    > F. 1:1(0) ack 1 win 65535  at 0.100000
	//   differs   the flags: expected R., actual F.
	//   states    tcpkit FIN-WAIT-1, script ESTABLISHED, at 0.100000
	//   rule      RFC 9293 §3.10.4: closing sends a FIN after all queued data
}

// A mistake in a script has a place, and says what should stand there.
func ExampleParse() {
	_, err := script.Parse("win.pkt", "0 < . 1:1(0) ack 1 wim 1000")
	fmt.Println(err)
	// Output:
	// win.pkt:1:20: expected win N: an inbound segment needs a window, found "wim"
}
