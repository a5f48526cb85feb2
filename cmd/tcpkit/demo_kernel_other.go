//go:build !linux

package main

import (
	"context"
	"net/netip"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/hosts/native"
)

// A kernelLink shows the kernel's side of a TUN, which takes Linux's socket
// diagnostics.
type kernelLink struct{ release string }

func openKernelLink(native.TUNConfig) (*kernelLink, error) { return nil, errDemoLinux }

func (l *kernelLink) Now() clock.Instant                        { return 0 }
func (l *kernelLink) carry()                                    {}
func (l *kernelLink) idle(context.Context, clock.Instant) error { return errDemoLinux }
func (l *kernelLink) close()                                    {}
func (l *kernelLink) link() packet.Link                         { return packet.Link{} }
func (l *kernelLink) name() string                              { return "" }
func (l *kernelLink) mtu() int                                  { return 0 }
func (l *kernelLink) end(netip.Addr) (endpoint, func())         { return nil, func() {} }
