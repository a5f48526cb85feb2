package main

import "github.com/tcpkit/tcpkit/hosts/native"

func init() {
	tunPeers["tcpkit"] = tunPeer{false, func(fd, mtu int) (Stack, error) {
		tun, err := native.TUNFromFD(fd, mtu)
		if err != nil {
			return nil, err
		}
		return newTkStack(addrStack, tun)
	}}
}
