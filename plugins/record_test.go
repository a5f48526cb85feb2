package plugins_test

import (
	"encoding/hex"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

var update = flag.Bool("update", false, "add to testdata/records.txt the hooks that are not there")

// full is a record of which each field has a value of its own.
func full(step tcp.Step) *tcp.Record {
	r := &tcp.Record{
		Step: step, Now: 0x0102030405060708, Conn: 0x0a0b0c0d, Packet: 0x1a1b1c1d, From: tcp.SynReceived, To: tcp.Established,
		Cause: tcp.BySegment, Rule: 0x2a2b, Tuple: tuple4, Passive: true,
		Send:    tcp.SendSpace{ISS: 0x11111111, UNA: 0x22222222, NXT: 0x33333333, UP: 0x55555555, WND: 0x44444444},
		Receive: tcp.ReceiveSpace{IRS: 0x66666666, NXT: 0x77777777, UP: 0x99999999, WND: 0x88888888},
	}
	for k := range r.Args {
		r.Args[k] = 0x1111111111111111 * uint64(k+1)
	}
	switch step {
	case tcp.StepMoving, tcp.StepMoved, tcp.StepArriving, tcp.StepArrived, tcp.StepLeaving, tcp.StepLeft, tcp.StepRejected, tcp.StepSyn, tcp.StepParse, tcp.StepOptions:
		r.Segment = true
		r.TOS, r.TTL, r.Payload = 0x5a, 0x6b, []byte("payload")
		r.TCP = wire.TCP{
			Seq: 0xa1a2a3a4, Ack: 0xb1b2b3b4, Flags: wire.ACK | wire.PSH | wire.AE, Window: 0xc1c2, Urgent: 0xd1d2,
			Options: wire.Options{
				Has: wire.HasMSS | wire.HasWindowScale | wire.HasTimestamps | wire.HasSACK,
				MSS: 1460, WindowScale: 7, TSVal: 0xe1e2e3e4, TSEcr: 0xf1f2f3f4,
				SACKCount: 2, SACK: [4]wire.SACKBlock{{Left: 1, Right: 2}, {Left: 3, Right: 4}, {Left: 5, Right: 6}},
			},
		}
	case tcp.StepIngress, tcp.StepEgress, tcp.StepWrite, tcp.StepRead:
		r.Payload = []byte("payload")
	}
	switch step {
	case tcp.StepLeaving, tcp.StepMoved, tcp.StepLeft, tcp.StepOptions:
		r.Leaving, r.Again = true, true
	case tcp.StepArrived:
		r.Tuple, r.Ours = tuple6, true
	case tcp.StepRejected:
		r.Drop, r.Rule = rule.DropPAWS, rule.DropPAWS.Rule()
	}
	return r
}

// records makes, for each hook, what a plugin with every grant finds in its buffer.
func records(t *testing.T) (names []string, octets map[string][]byte) {
	octets = map[string][]byte{}
	var seen []byte
	f := &fake{on: func(c *call) int64 {
		last := c.at[len(c.at)-1]
		seen = append(seen[:0], c.b[:last.At+last.Size]...)
		if c.Hook == abi.HookArriving {
			c.host.Arm(0x77, 0)
		}
		return 0
	}}
	keep := func(h abi.Hook) {
		names = append(names, plugins.Export(h))
		octets[plugins.Export(h)] = append([]byte(nil), seen...)
	}
	for _, h := range engineHooks() {
		hooks, manifest := of(h), []string{"grants observe payload options link inject", "state 8"}
		switch h {
		case abi.HookConfig:
			hooks, manifest = of(h), append(manifest, "option n 7", "option text hello", "option after 1ms")
		case abi.HookTick:
			hooks = of(abi.HookArriving, h)
		}
		b := newBench(load(t, f, hooks, manifest...))
		switch step, ok := stepOf(t, h); {
		case ok:
			b.at(full(step))
		case h == abi.HookTick:
			b.at(full(tcp.StepArriving))
			b.expire(b.Deadline())
		case h == abi.HookDrain:
			require.NoError(t, b.Remove("plugin", 0x0102030405060708, nil))
		case h == abi.HookConfig: // was called by load
		}
		keep(h)
	}
	b := newBench(load(t, f, of(abi.HookBatch), "hooks segment_arrived connection_closed", "batch 2"))
	b.at(full(tcp.StepArrived))
	b.at(full(tcp.StepClosed))
	keep(abi.HookBatch)
	controllerRecords(t, keep, f)
	return names, octets
}

// controllerRecords adds what a congestion controller finds.
func controllerRecords(t *testing.T, keep func(h abi.Hook), f *fake) {
	var all []abi.Hook
	for h := abi.HookCCInit; plugins.Export(h) != ""; h++ {
		all = append(all, h)
	}
	c := chain(load(t, f, all, "grants cc", "state 16")).Controller()
	state := func() *cc.State {
		s := &cc.State{Cwnd: 0x10101010, Ssthresh: 0x20202020, MSS: 0x30303030, Limit: 0x40404040, PacingRate: 0x5050505050505050}
		s.More = &cc.More{Quantum: 0x60606060, TimerAt: 0x7070707070707070}
		s.More.Priv[0], s.More.Priv[1] = 0x8080808080808080, 0x9090909090909090
		s.Priv[0] = 16 // it has begun with this plugin, which keeps so many octets
		return s
	}
	const now, flight = 0x0102030405060708, 0xa0a0a0a0
	for _, one := range []struct {
		hook abi.Hook
		call func(s *cc.State)
	}{
		{abi.HookCCInit, func(s *cc.State) { c.Init(s, now) }},
		{abi.HookCCAck, func(s *cc.State) {
			c.OnAck(s, &cc.Ack{Now: now, InFlight: flight, Acked: 0x01010101, Losses: 0x02020202, ECE: true, Round: true, Delivered: 3, Interval: 4, RTT: 5, SRTT: 6, MinRTT: 7, Total: 8})
		}},
		{abi.HookCCLoss, func(s *cc.State) { c.OnLoss(s, now, flight) }},
		{abi.HookCCECN, func(s *cc.State) { c.OnECN(s, now, flight) }},
		{abi.HookCCRTO, func(s *cc.State) { c.OnRTO(s, now, flight) }},
		{abi.HookCCSent, func(s *cc.State) { c.OnSent(s, &cc.Sent{Now: now, InFlight: flight, Octets: 9, Again: true}) }},
		{abi.HookCCRecoveryExit, func(s *cc.State) { c.OnRecoveryExit(s, now) }},
		{abi.HookCCUndo, func(s *cc.State) { c.Undo(s, now) }},
		{abi.HookCCReport, func(s *cc.State) {
			c.OnReport(s, &cc.Report{Now: now, InFlight: flight, Acked: 1, Losses: 2, Marked: 3, AppLimited: true, Delivered: 4, Interval: 5, Since: 6, MaxRTT: 7, Acks: 8, SRTT: 9, MinRTT: 10})
		}},
		{abi.HookCCRelease, func(s *cc.State) { c.OnRelease(s, now) }},
		{abi.HookCCTimer, func(s *cc.State) { c.OnTimer(s, now) }},
		{abi.HookCCIdle, func(s *cc.State) { c.OnIdle(s, now, 11, 12) }},
	} {
		one.call(state())
		keep(one.hook)
	}
}

// TestRecordsAreFrozen holds the records of version 1, octet by octet, to a file
// that other hosts can be held to. Records are added to it, and none is changed.
func TestRecordsAreFrozen(t *testing.T) {
	const file = "testdata/records.txt"
	names, octets := records(t)
	golden, err := os.ReadFile(file)
	if !*update {
		require.NoError(t, err)
	}
	frozen := map[string]string{}
	name := ""
	for line := range strings.Lines(string(golden)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, abi.ExportPrefix) {
			name = line
			frozen[name] = ""
		} else {
			frozen[name] += strings.ReplaceAll(line, " ", "")
		}
	}
	text := string(golden)
	for _, name := range names {
		if want, ok := frozen[name]; ok {
			require.Equal(t, want, hex.EncodeToString(octets[name]), "%s: plugins exist that read it", name)
			continue
		}
		text += name + "\n"
		for b := octets[name]; len(b) > 0; b = b[min(len(b), 32):] {
			line := hex.EncodeToString(b[:min(len(b), 32)])
			text += line[:min(len(line), 32)] + " " + line[min(len(line), 32):] + "\n"
		}
	}
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		return
	}
	require.Equal(t, string(golden), text, "what is new is frozen too: go test ./plugins -run Frozen -update")
}

// TestNumbers holds the numbers that plugins know to those of the engine.
func TestNumbers(t *testing.T) {
	require.Equal(t, []tcp.State{
		abi.StateClosed, abi.StateListen, abi.StateSynSent, abi.StateSynReceived, abi.StateEstablished, abi.StateFinWait1,
		abi.StateFinWait2, abi.StateCloseWait, abi.StateClosing, abi.StateLastAck, abi.StateTimeWait,
	}, []tcp.State{
		tcp.Closed, tcp.Listen, tcp.SynSent, tcp.SynReceived, tcp.Established, tcp.FinWait1,
		tcp.FinWait2, tcp.CloseWait, tcp.Closing, tcp.LastAck, tcp.TimeWait,
	})
	require.Equal(t, []tcp.Cause{abi.CauseSegment, abi.CauseCall, abi.CauseTimer, abi.CauseICMP},
		[]tcp.Cause{tcp.BySegment, tcp.ByCall, tcp.ByTimer, tcp.ByICMP})
	require.Equal(t, []wire.OptionSet{
		abi.OptionHasMSS, abi.OptionHasWindowScale, abi.OptionHasSACKPermitted, abi.OptionHasTimestamps, abi.OptionHasSACK,
		abi.OptionHasFastOpen, abi.OptionHasUserTimeout, abi.OptionHasUnknown, abi.OptionHasMalformed,
	}, []wire.OptionSet{
		wire.HasMSS, wire.HasWindowScale, wire.HasSACKPermitted, wire.HasTimestamps, wire.HasSACK,
		wire.HasFastOpen, wire.HasUserTimeout, wire.HasUnknown, wire.HasMalformed,
	})
	require.Equal(t, []wire.Flags{abi.FlagFIN, abi.FlagSYN, abi.FlagRST, abi.FlagPSH, abi.FlagACK, abi.FlagURG, abi.FlagECE, abi.FlagCWR, abi.FlagAE},
		[]wire.Flags{wire.FIN, wire.SYN, wire.RST, wire.PSH, wire.ACK, wire.URG, wire.ECE, wire.CWR, wire.AE})
	require.LessOrEqual(t, abi.SegmentEnd, abi.RecordSize)
	require.GreaterOrEqual(t, abi.BatchSize, abi.ArgsEnd)
}

// TestOptionsThatAreNotThere has a header whose parser has left what a segment
// before had.
func TestOptionsThatAreNotThere(t *testing.T) {
	r := full(tcp.StepArriving)
	r.TCP.Options.Has = 0
	f := &fake{on: func(c *call) int64 {
		for i, octet := range c.b[abi.SegmentTSVal:abi.SegmentTOS] {
			require.Zero(t, octet, "octet %d", abi.SegmentTSVal+i)
		}
		return 0
	}}
	newBench(load(t, f, of(abi.HookArriving))).at(r)
}
