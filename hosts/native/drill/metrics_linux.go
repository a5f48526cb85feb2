package drill

import (
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// flushMetrics makes the kernel forget what it knows of other hosts, cookies of Fast
// Open among it: ip tcp_metrics flush all.
func flushMetrics() error {
	family, err := netlink.GenlFamilyGet("tcp_metrics")
	if err != nil {
		return fmt.Errorf("looking for tcp_metrics: %w", err)
	}
	const commandDelete = 2 // TCP_METRICS_CMD_DEL: all of them, if no address is given
	r := nl.NewNetlinkRequest(int(family.ID), unix.NLM_F_ACK)
	r.AddData(&nl.Genlmsg{Command: commandDelete, Version: 1})
	if _, err = r.Execute(unix.NETLINK_GENERIC, 0); err != nil {
		return fmt.Errorf("flushing tcp_metrics: %w", err)
	}
	return nil
}
