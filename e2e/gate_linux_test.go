package e2e

import (
	"slices"
	"sync"

	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/hosts/native"
)

// A gate stands between a TUN and a host. It passes packets, holds segments until
// they are released, or cuts the link; and it lets a test put in packets of its
// own, as if the kernel had sent them.
type gate struct {
	tun       *native.TUN
	in        chan []byte // to the host
	done      chan struct{}
	wg        sync.WaitGroup
	swallowed func(packet.Direction, []byte) // is told of what was cut off

	mu   sync.Mutex
	mode gateMode
	held [2][][]byte // by packet.Direction
	err  error
}

type gateMode uint8

const (
	gatePass gateMode = iota
	gateHold
	gateCut
)

func newGate(tun *native.TUN, swallowed func(packet.Direction, []byte)) *gate {
	g := &gate{tun: tun, in: make(chan []byte, 256), done: make(chan struct{}), swallowed: swallowed}
	g.wg.Add(1)
	go g.pump()
	return g
}

// pump takes packets from the kernel.
func (g *gate) pump() {
	defer g.wg.Done()
	defer close(g.done)
	var p packet.Packet
	for {
		if err := g.tun.ReadPacket(&p); err != nil {
			g.mu.Lock()
			g.err = err
			g.mu.Unlock()
			return
		}
		if g.passes(packet.In, p.Bytes) {
			g.inject(slices.Clone(p.Bytes))
		}
	}
}

// passes says whether a packet goes on now, and keeps it if it shall go later.
func (g *gate) passes(dir packet.Direction, b []byte) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.mode == gateCut:
		g.swallowed(dir, b)
		return false
	case g.mode == gateHold && isTCP(b):
		g.held[dir] = append(g.held[dir], slices.Clone(b))
		return false
	}
	return true
}

func isTCP(b []byte) bool {
	var ip wire.IP
	return wire.ParseIP(b, &ip) == rule.NotDropped && ip.Protocol == wire.ProtocolTCP
}

// inject gives the host a packet, which it keeps.
func (g *gate) inject(b []byte) bool {
	select {
	case g.in <- b:
		return true
	case <-g.done:
		return false
	}
}

func (g *gate) set(m gateMode) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mode = m
}

// holds is how many segments are held on their way to dir.
func (g *gate) holds(dir packet.Direction) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.held[dir])
}

// release lets the first n held segments go on.
func (g *gate) release(dir packet.Direction, n int) error {
	g.mu.Lock()
	n = min(n, len(g.held[dir]))
	out := g.held[dir][:n:n]
	g.held[dir] = g.held[dir][n:]
	g.mu.Unlock()
	for _, b := range out {
		if dir == packet.In {
			g.inject(b)
		} else if err := g.tun.WritePacket(&packet.Packet{Bytes: b}); err != nil {
			return err
		}
	}
	return nil
}

// The gate is a packet.IO.

func (g *gate) Link() packet.Link { return g.tun.Link() }

func (g *gate) ReadPacket(p *packet.Packet) error {
	select {
	case b := <-g.in:
		p.Reset()
		p.Bytes = append(p.Bytes, b...)
		return nil
	case <-g.done:
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.err
	}
}

func (g *gate) WritePacket(p *packet.Packet) error {
	if !g.passes(packet.Out, p.Bytes) {
		return nil
	}
	return g.tun.WritePacket(p)
}

func (g *gate) WaitWritable() error { return g.tun.WaitWritable() }

func (g *gate) Close() error {
	err := g.tun.Close()
	g.wg.Wait()
	return err
}
