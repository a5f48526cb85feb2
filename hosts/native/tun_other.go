//go:build !linux

package native

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/songgao/water"

	"github.com/tcpkit/tcpkit/core/packet"
)

// TUN is a TUN device: a link between this machine's kernel and a stack. The
// kernel removes it when it is closed or the process ends.
type TUN struct {
	name string
	mtu  int
	dev  *water.Interface
}

// OpenTUN makes a TUN device. On this system its addresses, routes and MTU are
// set with the system's own commands (ifconfig and route, or netsh), so Routes
// must be empty, and Peer is only handed to the driver where it asks for one.
func OpenTUN(cfg TUNConfig) (*TUN, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if len(cfg.Routes) > 0 {
		return nil, fmt.Errorf("open TUN: routes are not set on %s", runtime.GOOS)
	}
	dev, err := water.New(water.Config{DeviceType: water.TUN, PlatformSpecificParams: platform(&cfg)})
	if err != nil {
		return nil, fmt.Errorf("open TUN %s: %w", cfg.Name, err)
	}
	return &TUN{name: dev.Name(), mtu: cfg.MTU, dev: dev}, nil
}

// Close removes the device.
func (t *TUN) Close() error { return t.dev.Close() }

// ReadPacket blocks until the kernel sends a packet.
func (t *TUN) ReadPacket(p *packet.Packet) error {
	p.Reset()
	if cap(p.Bytes) < t.mtu {
		p.Bytes = make([]byte, 0, t.mtu)
	}
	n, err := t.dev.Read(p.Bytes[:t.mtu])
	if err != nil {
		return t.failure(err)
	}
	p.Bytes = p.Bytes[:n]
	return nil
}

// WritePacket gives the kernel a packet.
func (t *TUN) WritePacket(p *packet.Packet) error {
	if len(p.Bytes) > t.mtu {
		return packet.ErrSize
	}
	if _, err := t.dev.Write(p.Bytes); err != nil {
		return t.failure(err)
	}
	return nil
}

// failure tells a closed device from one that has gone.
func (t *TUN) failure(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return packet.ErrClosed
	}
	return &DeviceError{Name: t.name, Err: err}
}
