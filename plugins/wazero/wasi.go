package wazero

import (
	"encoding/binary"

	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// moduleWASI has the ten functions that Go's runtime imports. They give a guest
// nothing that the functions of package abi do not: THREATS P16.
const moduleWASI = "wasi_snapshot_preview1"

// What WASI's functions return.
const (
	success = 0
	badf    = 8  // there is no such file
	inval   = 28 // an argument that cannot be
)

// mostVectors bounds the vectors and subscriptions of one call.
const mostVectors = 16

func (c *calling) schedYield(v []uint64) {
	v[0] = success
}

func (c *calling) procExit(v []uint64) {
	panic(plugins.Trap(abi.TrapExit | uint32(v[0])<<8))
}

// none is args_get and environ_get: there are none.
func (c *calling) none(v []uint64) {
	v[0] = success
}

func (c *calling) noneSizes(v []uint64) {
	c.put32(v[0], 0)
	c.put32(v[1], 0)
	v[0] = success
}

func (c *calling) clockTimeGet(v []uint64) {
	c.put64(v[2], uint64(c.wasi.Clock(c.host)))
	v[0] = success
}

// fdWrite takes no more than abi.WASISize octets, and says how many.
func (c *calling) fdWrite(v []uint64) {
	stream, vectors, count := uint32(v[0]), v[1], v[2]
	if stream != 1 && stream != 2 {
		v[0] = badf
		return
	}
	if count > mostVectors {
		v[0] = inval
		return
	}
	total := uint32(0)
	for k := range count {
		at := c.octets(vectors+8*k, 8)
		text := c.octets(uint64(le32(at)), uint64(le32(at[4:])))
		text = text[:min(uint32(len(text)), abi.WASISize-total)]
		c.pay(len(text))
		c.wasi.Write(c.host, stream, text)
		total += uint32(len(text))
	}
	c.put32(v[3], total)
	v[0] = success
}

func (c *calling) randomGet(v []uint64) {
	at, size := v[0], v[1]
	if size > abi.WASISize {
		v[0] = inval
		return
	}
	c.pay(int(size))
	b := c.octets(at, size)
	for len(b) > 0 {
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], c.host.Random())
		b = b[copy(b, word[:]):]
	}
	v[0] = success
}

// Of a subscription, and of an event.
const (
	subscriptionSize     = 48
	subscriptionTag      = 8  // u8: 0 if it waits for a clock
	subscriptionTimeout  = 24 // u64
	subscriptionAbsolute = 40 // u16, bit 0
	eventSize            = 32
	eventError           = 8  // u16
	eventType            = 10 // u8
)

// pollOneoff returns at once: sleeping takes the guest's own time (see
// plugins.WASI), and of files there is nothing to wait for.
func (c *calling) pollOneoff(v []uint64) {
	from, to, count := v[0], v[1], v[2]
	if count == 0 || count > mostVectors {
		v[0] = inval
		return
	}
	for k := range count {
		s := c.octets(from+k*subscriptionSize, subscriptionSize)
		var event [eventSize]byte
		copy(event[:8], s)
		event[eventType] = s[subscriptionTag]
		if s[subscriptionTag] == 0 {
			c.wasi.Sleep(c.host, binary.LittleEndian.Uint64(s[subscriptionTimeout:]), s[subscriptionAbsolute]&1 != 0)
		} else {
			event[eventError] = badf
		}
		copy(c.octets(to+k*eventSize, eventSize), event[:])
	}
	c.put32(v[3], uint32(count))
	v[0] = success
}

func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

func (c *calling) put32(at uint64, x uint32) { binary.LittleEndian.PutUint32(c.octets(at, 4), x) }
func (c *calling) put64(at uint64, x uint64) { binary.LittleEndian.PutUint64(c.octets(at, 8), x) }
