package native

import "github.com/songgao/water"

// platform names the adapter, and gives its driver the network for which it
// answers ARP.
func platform(cfg *TUNConfig) water.PlatformSpecificParams {
	p := water.PlatformSpecificParams{ComponentID: "tap0901", InterfaceName: cfg.Name}
	for _, peer := range cfg.Peer {
		if peer.Addr().Is4() {
			p.Network = peer.String()
		}
	}
	return p
}
