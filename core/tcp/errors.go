package tcp

// An Error is the answer to a user call that cannot be served, or the reason
// why a connection ended. The texts are those of RFC 9293 §3.10 where it has
// one. Zero is no error and never returned as an error value.
type Error uint8

// The errors. Ids are stable; new ones go to the end.
const (
	NoError                Error = iota
	ErrWouldBlock                // nothing can be done now; the connection's Ready tells when
	ErrEOF                       // the peer has closed, all its data has been read
	ErrReset                     // the peer reset the connection
	ErrRefused                   // the peer, or an ICMP error, refused the open
	ErrTimeout                   // retransmissions, probes or keepalive found no peer
	ErrClosing                   // the call came after Close
	ErrPipe                      // data cannot be sent any more: our side is closed, or the peer reset after its FIN
	ErrNotConnected              // the connection is not open yet
	ErrNotExist                  // there is no such connection
	ErrExists                    // there is one already
	ErrResources                 // memory, table or queue is full
	ErrAddrInUse                 // somebody listens there
	ErrAddrNotAvail              // not an address of this stack, or no free port
	ErrInvalid                   // an argument makes no sense
	ErrAborted                   // this side aborted the connection
	ErrHostUnreachable           // ICMP
	ErrNetUnreachable            // ICMP
	ErrProtocolUnreachable       // ICMP
	ErrMessageSize               // ICMP: packet too big
	ErrUserTimeout               // data was not acknowledged within the user timeout
	ErrUnsupported               // this stack does not do that
	ErrProhibited                // ICMPv6: somebody on the path does not let it through
	errorCount
)

var texts = [errorCount]string{
	NoError:                "no error",
	ErrWouldBlock:          "operation would block",
	ErrEOF:                 "end of stream",
	ErrReset:               "connection reset",
	ErrRefused:             "connection refused",
	ErrTimeout:             "connection timed out",
	ErrClosing:             "connection closing",
	ErrPipe:                "broken pipe",
	ErrNotConnected:        "connection not open",
	ErrNotExist:            "connection does not exist",
	ErrExists:              "connection already exists",
	ErrResources:           "insufficient resources",
	ErrAddrInUse:           "address already in use",
	ErrAddrNotAvail:        "address not available",
	ErrInvalid:             "invalid argument",
	ErrAborted:             "connection aborted",
	ErrHostUnreachable:     "host unreachable",
	ErrNetUnreachable:      "network unreachable",
	ErrProtocolUnreachable: "protocol unreachable",
	ErrMessageSize:         "message too long",
	ErrUserTimeout:         "connection aborted due to user timeout",
	ErrUnsupported:         "not supported",
	ErrProhibited:          "communication prohibited",
}

// Error is the error's text.
func (e Error) Error() string {
	if e >= errorCount {
		return "unknown error"
	}
	return texts[e]
}

// orNil turns NoError into a nil error.
func (e Error) orNil() error {
	if e == NoError {
		return nil
	}
	return e
}
