package e2e

import (
	"fmt"
	"testing"

	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
)

// A situation is played by both ends in both roles, over both families.
type situation struct {
	name string
	play func(*play)
}

var situations = []situation{
	{"open refused", openRefused},
	{"client resets", func(p *play) { resets(p, "client") }},
	{"server resets", func(p *play) { resets(p, "server") }},
	{"client closes with unread data", func(p *play) { resetsUnread(p, "client") }},
	{"server closes with unread data", func(p *play) { resetsUnread(p, "server") }},
	{"client half-closes", func(p *play) { halfCloses(p, "client") }},
	{"server half-closes", func(p *play) { halfCloses(p, "server") }},
	{"simultaneous close", closesTogether},
	{"peer vanished, keepalive", vanishesIdle},
	{"peer vanished, user timeout", vanishesBusy},
	{"zero window", zeroWindow},
	{"backlog full", backlogFull},
}

// Each situation ends in the same states, with the same errors and the same
// segments, whether the kernel or tcpkit plays a part; and tshark finds no fault
// with any packet.
func TestSituations(t *testing.T) {
	netnstest.Need(t)
	c := newCapture(t, "situations")
	t.Run("all", func(t *testing.T) {
		for _, s := range situations {
			everyWay(t, s.name, func(t *testing.T, family int, kernelIsClient bool) {
				t.Parallel()
				s.play(newPlay(t, c, family, kernelIsClient))
			})
		}
	})
	t.Run("tshark", c.judge)
}

func everyWay(t *testing.T, name string, f func(t *testing.T, family int, kernelIsClient bool)) {
	for _, family := range []int{4, 6} {
		for _, kernelIsClient := range []bool{true, false} {
			client := map[bool]string{true: "kernel to tcpkit", false: "tcpkit to kernel"}[kernelIsClient]
			t.Run(fmt.Sprintf("%s/%s v%d", name, client, family), func(t *testing.T) { f(t, family, kernelIsClient) })
		}
	}
}
