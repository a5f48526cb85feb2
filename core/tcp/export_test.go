package tcp

import "github.com/tcpkit/tcpkit/core/clock"

// Steps is how many inner steps the sender's scoreboard has taken so far.
func (c *TCB) Steps() uint64 {
	if c.out == nil {
		return 0
	}
	return c.out.steps
}

// Runs is how many stretches are SACKed, and SackedOctets how many octets.
func (c *TCB) Runs() int { return c.out.runs }

// SackedOctets is how many octets in flight are SACKed.
func (c *TCB) SackedOctets() int { return int(c.out.sacked) }

// HeldStretches is how many stretches wait for what lies before them.
func (c *TCB) HeldStretches() int {
	if c.hold == nil {
		return 0
	}
	return c.hold.n
}

// TSRecent is TS.Recent of RFC 7323 §4.3.
func (c *TCB) TSRecent() uint32 { return c.ts.recent }

// ShowSettings shows the hook what the connection goes by, once more.
func (c *TCB) ShowSettings(now clock.Instant) { c.hookSettings(now, StepEstablished) }
