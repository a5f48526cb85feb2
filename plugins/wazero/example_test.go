package wazero_test

import (
	"fmt"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/examples/logger"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

// A plugin is loaded by an engine and watches a stack as its hook.
func Example() {
	engine, err := wazero.New(wazero.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer engine.Close()
	plugin, err := plugins.Load(engine, logger.Module, plugins.Options{Name: "logger"})
	if err != nil {
		fmt.Println(err)
		return
	}

	set := plugins.NewSet()
	set.Add(plugin)

	cfg, _ := core.Profile("linux")
	stack, _ := core.New(cfg, packet.Link{MTU: 1500})
	_ = stack.AddAddr(wire.Prefix{Addr: wire.AddrFrom4([4]byte{10, 0, 0, 1}), Bits: 24})
	stack.SetHook(set, set.Mask())

	peer := wire.AddrPort{Addr: wire.AddrFrom4([4]byte{10, 0, 0, 2}), Port: 80}
	conn, _ := stack.Dial(0, wire.AddrPort{}, peer, nil)
	conn.Abort(0)
	fmt.Println(plugin.Stats().Calls, "changes of state,", plugin.Err())
	// Output: 2 changes of state, <nil>
}
