// Command logger-go is a plugin in Go: it writes each change of state of a stack's
// connections into the host's log. Built it has 1.8 MB, so that it is not kept built.
package main

import (
	"strconv"

	guest "github.com/tcpkit/tcpkit/plugins/guest/go"
)

func main() {}

var states = [...]string{
	"CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
	"FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT",
}

//go:wasmexport tcpkit_transition
func transition() int64 {
	r := &guest.Record
	guest.Log(guest.LevelInfo, "connection "+strconv.Itoa(int(r.Conn))+": "+
		states[int(r.From)%len(states)]+" -> "+states[int(r.To)%len(states)]+" by rule "+strconv.Itoa(int(r.Rule)))
	return guest.Pass
}
