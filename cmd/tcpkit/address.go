package main

import (
	"net"
	"strconv"
)

// checkPort refuses what is no port from 1 to 65535. Service names are not
// taken: what they mean differs between machines.
func checkPort(port, whole string) error {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return usagef("bad port in %q: %q is not a number from 1 to 65535", whole, port)
	}
	return nil
}

// splitTarget reads HOST:PORT as dial takes it. A missing port is port
// fallback, where there is one.
func splitTarget(s, fallback string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(s)
	if err != nil && fallback != "" {
		if h, p, again := net.SplitHostPort(net.JoinHostPort(s, fallback)); again == nil {
			host, port, err = h, p, nil
		}
	}
	if err != nil {
		return "", "", usagef("bad address %q: %v; give HOST:PORT, an IPv6 host in brackets", s, err)
	}
	if host == "" {
		return "", "", usagef("bad address %q: no host to connect to; give HOST:PORT", s)
	}
	return host, port, checkPort(port, s)
}

// mustPort is the number of a port that checkPort has let through.
func mustPort(port string) uint16 {
	n, _ := strconv.ParseUint(port, 10, 16)
	return uint16(n)
}
