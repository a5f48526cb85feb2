package scripts

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/script"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// constant is a hook that says the same at every step.
type constant tcp.Verdict

func (h constant) At(*tcp.Record) tcp.Verdict                    { return tcp.Verdict(h) }
func (h constant) Deadline() clock.Instant                       { return clock.Never }
func (h constant) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (h constant) Clone() tcp.Hook                               { return h }
func (h constant) Fingerprint(*siphash.Hash, clock.Instant)      {}

const everyStep = tcp.HookMask(1<<tcp.Steps - 1)

// A hook that passes everything, and one that says of everything that it has changed it
// and has not, leave each script's run as it is, packet by packet and octet by octet.
func TestScriptsWithHooks(t *testing.T) {
	for _, file := range find(t, false) {
		s := load(t, file)
		for _, six := range []bool{false, true} {
			if fixed := fixedVersion(s); fixed != "" && (fixed == "ipv6") != six {
				continue
			}
			version := map[bool]string{false: "ipv4", true: "ipv6"}[six]
			t.Run(strings.TrimSuffix(file, ".pkt")+"/"+version, func(t *testing.T) {
				t.Parallel()
				cfg := script.Config{IPv6: six, Trace: true}
				plain := script.Run(s, cfg)
				for _, v := range []tcp.Verdict{tcp.Pass, tcp.Mutated} {
					cfg.Hook, cfg.Hooks = constant(v), everyStep
					hooked := script.Run(s, cfg)
					require.Equal(t, plain.Ladder, hooked.Ladder)
					require.Equal(t, plain, hooked)
				}
			})
		}
	}
}
