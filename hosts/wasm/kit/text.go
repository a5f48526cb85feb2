package kit

import (
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
)

// parseEndpoint reads "10.0.0.1:80", "[fd00::1]:80" or ":80".
func parseEndpoint(text string) (a wire.AddrPort, err error) {
	colon := len(text) - 1
	for colon >= 0 && text[colon] != ':' {
		colon--
	}
	wrong := plugins.Error("\"" + text + "\" is no address and port; write it as 10.0.0.1:80, [fd00::1]:80 or :80")
	if colon < 0 {
		return a, wrong
	}
	port, ok := parsePort(text[colon+1:])
	if !ok {
		return a, wrong
	}
	a.Port = port
	host := text[:colon]
	if host == "" {
		return a, nil
	}
	six := host[0] == '[' && host[len(host)-1] == ']'
	if six {
		host = host[1 : len(host)-1]
	}
	a.Addr, err = wire.ParseAddr(host)
	if err != nil || a.Addr.Is6() != six {
		return a, wrong
	}
	return a, nil
}

// parsePort reads a number of 16 bits. strconv's would bring errors that quote, and
// those the tables of what is printable: 9 kB of the module.
func parsePort(text string) (uint16, bool) {
	n := 0
	for i := range len(text) {
		if n = 10*n + int(text[i]-'0'); text[i] < '0' || text[i] > '9' || n > 0xffff {
			return 0, false
		}
	}
	return uint16(n), text != ""
}

// cut parts text at the first sep.
func cut(text string, sep byte) (before, after string) {
	for i := range len(text) {
		if text[i] == sep {
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}
