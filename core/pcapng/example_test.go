package pcapng_test

import (
	"fmt"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/pcapng"
)

func ExampleWriter() {
	w := pcapng.Writer{Application: "tcpkit", Interface: "tun0"}
	file := w.AppendHeader(nil)
	file = w.AppendPacket(file, clock.Instant(clock.Second), []byte{0x45, 0x00}, pcapng.Inbound, "too short for a header")
	fmt.Println(len(file), "octets")
	// Output: 160 octets
}

func ExampleReader() {
	w := pcapng.Writer{Interface: "tun0"}
	file := w.AppendPacket(w.AppendHeader(nil), clock.Instant(clock.Second), []byte{0x45, 0x00}, pcapng.Inbound, "too short")

	r := pcapng.NewReader(file)
	var p pcapng.Packet
	for r.Next(&p) {
		fmt.Println(p.At, r.Interface(p.Interface).Name, p.Bytes, p.Comment)
	}
	fmt.Println("error:", r.Err())
	// Output:
	// 1.000000 tun0 [69 0] too short
	// error: <nil>
}
