package native

import (
	"fmt"
	"net/netip"
	"syscall"

	"github.com/tcpkit/tcpkit/core/packet"
)

// TUNConfig says what OpenTUN makes.
type TUNConfig struct {
	// Name of the device; empty lets the kernel choose (tun0, utun4).
	Name string
	// Peer are the addresses that the kernel gets on the link, with its prefix:
	// 10.9.0.1/24 for a stack at 10.9.0.2.
	Peer []netip.Prefix
	// MTU of the link; 0 is 1500.
	MTU int
	// Routes are networks beyond the link's own that the kernel sends to it.
	Routes []netip.Prefix
}

const defaultMTU = 1500

// minMTU is the smallest that both families allow: RFC 791 for one, and where
// there are IPv6 addresses RFC 8200 §5 for the other.
const (
	minMTU4 = 68
	minMTU6 = 1280
	maxMTU  = 65535
)

func (c *TUNConfig) check() error {
	if c.MTU == 0 {
		c.MTU = defaultMTU
	}
	least := minMTU4
	for _, p := range append(c.Peer[:len(c.Peer):len(c.Peer)], c.Routes...) {
		if !p.IsValid() {
			return fmt.Errorf("open TUN: an address is not valid: %v", p)
		}
		if p.Addr().Is6() {
			least = minMTU6
		}
	}
	if c.MTU < least || c.MTU > maxMTU {
		return fmt.Errorf("open TUN: MTU %d is not between %d and %d", c.MTU, least, maxMTU)
	}
	return nil
}

// DeviceError says that a device failed for good. It is what every connection of the host
// ends with, and matches ENETDOWN.
type DeviceError struct {
	Name string
	Err  error
}

func (e *DeviceError) Error() string { return e.Name + ": the device is gone: " + e.Err.Error() }

// Unwrap lets errors.Is find the cause, and ENETDOWN.
func (e *DeviceError) Unwrap() []error { return []error{syscall.ENETDOWN, e.Err} }

// Name is the name of the device.
func (t *TUN) Name() string { return t.name }

// MTU is the largest packet that goes over it.
func (t *TUN) MTU() int { return t.mtu }

// Link says what the device can do: nothing but packets of its MTU.
func (t *TUN) Link() packet.Link { return packet.Link{MTU: t.mtu} }
