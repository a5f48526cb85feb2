//go:build !wasip1

package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/hosts/wasm/kit"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

// A caller is the exports, of the module or natively.
type caller struct {
	*testing.T
	call func(name string, args ...uint64) (int32, []byte)
	put  func(b []byte) uint64
}

// native is what the exports do, without a module around it.
func native(t *testing.T) *caller {
	engine, err := wazero.New(wazero.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	k := &kit.Kit{Engine: engine}
	return &caller{T: t,
		put: func(b []byte) uint64 { return uint64(k.Put(b)) },
		call: func(name string, a ...uint64) (int32, []byte) {
			n := exported(k, name, append(a, 0, 0, 0, 0, 0))
			if n == kit.Again {
				return n, nil
			}
			return n, bytes.Clone(k.Buffer[:min(len(k.Buffer), int(max(n, -n)))])
		},
	}
}

// exported does what an export does.
func exported(k *kit.Kit, name string, a []uint64) int32 {
	i := func(k int) int32 { return int32(a[k]) }
	switch name {
	case "tcpkit_file":
		return k.File(uint32(a[0]), uint32(a[1]))
	case "tcpkit_stack_new":
		return k.StackNew(uint32(a[0]))
	case "tcpkit_stack_free":
		return k.StackFree(i(0))
	case "tcpkit_stack_record":
		return k.Record(i(0), uint32(a[1]))
	case "tcpkit_stack_input":
		return k.Input(i(0), int64(a[1]), uint32(a[2]))
	case "tcpkit_stack_output":
		return k.Output(i(0), int64(a[1]))
	case "tcpkit_stack_expire":
		return k.Expire(i(0), int64(a[1]))
	case "tcpkit_stack_hash":
		return k.Hash(i(0))
	case "tcpkit_stack_fingerprint":
		return k.Fingerprint(i(0), int64(a[1]))
	case "tcpkit_stack_plugin_errors":
		return k.PluginErrors(i(0))
	case "tcpkit_listen":
		return k.Listen(i(0), int64(a[1]), i(2), uint32(a[3]))
	case "tcpkit_accept":
		return k.Accept(i(0), i(1), int64(a[2]))
	case "tcpkit_dial":
		return k.Dial(i(0), int64(a[1]), uint32(a[2]))
	case "tcpkit_read":
		return k.Read(i(0), i(1), int64(a[2]), uint32(a[3]))
	case "tcpkit_write":
		return k.Write(i(0), i(1), int64(a[2]), uint32(a[3]))
	case "tcpkit_close":
		return k.Close(i(0), i(1), int64(a[2]))
	default:
		panic("this test does not call " + name)
	}
}

func (c *caller) file(name string, octets []byte) {
	n, why := c.call("tcpkit_file", uint64(len(name)), c.put(append([]byte(name), octets...)))
	require.Zero(c, n, "%s", why)
}

// stack makes a stack with a secret that begins with key.
func (c *caller) stack(host string, key byte) (int32, []byte) {
	return c.call("tcpkit_stack_new", c.put(append([]byte(host), append([]byte{key}, make([]byte, 15)...)...)))
}

// transfer sends octets from one stack to another over a link that loses packets, with
// a plugin at the sender, "" for none, and says how it went.
func (c *caller) transfer(plugin string) string {
	const ms, octets, lost = 1_000_000, 200_000, 23
	host := "10.0.0.1"
	if plugin != "" {
		host += " plugin " + plugin
	}
	a, why := c.stack(host, 1)
	if a < 0 {
		return string(why)
	}
	b, why := c.stack("10.0.0.2", 2)
	require.Positive(c, b, "%s", why)
	ends := [2]uint64{uint64(a), uint64(b)}
	for _, s := range ends {
		c.call("tcpkit_stack_record", s, 1<<32-1)
	}
	now := uint64(1000 * ms)
	l, _ := c.call("tcpkit_listen", uint64(b), now, 1, c.put([]byte(":80")))
	from, why := c.call("tcpkit_dial", uint64(a), now, c.put([]byte("10.0.0.2:80")))
	require.Positive(c, from, "%s", why)
	to, unsent, unread, packets := int32(kit.Again), octets, octets, 0
	var flying [2][][]byte
	for range 3000 {
		now += ms
		for i, s := range ends {
			arrived := flying[1-i]
			flying[1-i] = nil
			for _, p := range arrived {
				c.call("tcpkit_stack_input", s, now, c.put(p))
			}
			c.call("tcpkit_stack_expire", s, now)
		}
		if to == kit.Again {
			to, _ = c.call("tcpkit_accept", uint64(b), uint64(l), now)
		}
		if n, _ := c.call("tcpkit_write", uint64(a), uint64(from), now, c.put(make([]byte, min(unsent, 8192)))); n > 0 {
			unsent -= int(n)
		}
		if n, _ := c.call("tcpkit_read", uint64(b), uint64(to), now, 1<<20); n > 0 {
			unread -= int(n)
		}
		for i, s := range ends {
			for n, p := c.call("tcpkit_stack_output", s, now); n > 0; n, p = c.call("tcpkit_stack_output", s, now) {
				if packets++; packets%lost != 0 {
					flying[i] = append(flying[i], p)
				}
			}
		}
		if unread == 0 {
			break
		}
	}
	var said strings.Builder
	if unread == 0 {
		said.WriteString("all has come\n")
	}
	fmt.Fprintf(&said, "%d packets, at %d\n", packets, now)
	for _, s := range ends {
		_, hash := c.call("tcpkit_stack_hash", s)
		_, fingerprint := c.call("tcpkit_stack_fingerprint", s, now)
		_, errors := c.call("tcpkit_stack_plugin_errors", s)
		fmt.Fprintf(&said, "%x %x %s\n", hash, fingerprint, errors)
		c.call("tcpkit_stack_free", s)
	}
	return said.String()
}
