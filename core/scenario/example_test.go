package scenario_test

import (
	"fmt"

	"github.com/tcpkit/tcpkit/core/scenario"
)

func Example() {
	s, err := scenario.Parse(`scenario lost-syn
host client 10.0.0.1
host server 10.0.0.2
link client server delay 50ms
listen server 80
flow web client server:80
  client write 10
  client await-eof
  server await-eof
fault client -> server SYN 1 lose
expect edge client SYN-SENT ESTABLISHED at 1.1s
expect stream server whole
`)
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := scenario.New(s, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	r.Finish()
	for _, i := range r.Items(0) {
		if i.Kind == scenario.Send && i.Packet < 5 {
			fmt.Println(i.At, s.Hosts[i.Host].Name, i.Flags(), i.Seq(), i.Ack(), i.Len())
		}
	}
	for _, o := range r.Check() {
		fmt.Println(o.Held, o.Text)
	}
	// Output:
	// 0.000000 client S 0 0 0
	// 1.000000 client S 0 0 0
	// 1.050000 server S. 0 1 0
	// 1.100000 client . 1 1 0
	// true syn-sent-syn-ack
	// true whole
}

func ExampleParse() {
	_, err := scenario.Parse("scenario H1\nhost client 10.0.0.1\nhost server 10.0.0.2\n", "listen servr 80")
	fmt.Println(err)
	// Output: extra lines 1, line 1: host "servr" is not defined; the hosts are client, server
}
