package plugins_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// data is a segment that leaves with text, from an offset of the stream on.
func data(off int, text string, again bool, acked int) *tcp.Record {
	r := segment(tcp.StepLeaving, 0)
	r.Again = again
	r.Send.UNA = una.Add(seq.Size(acked))
	r.TCP.Seq = una.Add(seq.Size(off))
	r.Payload = []byte(text)
	return r
}

// TestRetransmissionIsConsistent has a plugin that writes another octet at each
// call: what the peer has been sent once it is sent again, however segments are
// cut then and whatever the plugin wants.
//
// Proves: P10
func TestRetransmissionIsConsistent(t *testing.T) {
	n := byte('0')
	f := &fake{on: func(c *call) int64 {
		if size := c.u32(abi.SegmentPayload); size > 3 {
			n++
			c.b[abi.PayloadAt+2] = n
			return mutated(abi.FieldPayload)
		}
		return 0
	}}
	b := newBench(load(t, f, of(abi.HookLeaving), "grants payload"))
	send := func(off int, text string, again bool, acked int) string {
		r := data(off, text, again, acked)
		b.at(r)
		return string(r.Payload)
	}
	require.Equal(t, "ab1d", send(0, "abcd", false, 0))
	require.Equal(t, "ef2hi", send(4, "efghi", false, 0))
	require.Equal(t, "ab1d", send(0, "abcd", true, 0))
	require.Equal(t, "ab1def2hi", send(0, "abcdefghi", true, 0), "two segments as one")
	require.Equal(t, "1d", send(2, "cd", true, 0))
	require.Equal(t, "f2h", send(5, "fgh", true, 0))
	require.Equal(t, "ef2hi", send(4, "efghi", true, 4))
	require.Equal(t, "abcd", send(0, "abcd", true, 7), "what is acknowledged is forgotten, and an edit of what was sent is refused")
	require.Positive(t, b.Plugins()[0].Stats().Calls)
	require.Zero(t, b.Plugins()[0].Stats().Strikes)

	// Each connection has its own, until it is closed.
	other := data(0, "abcd", true, 0)
	other.Conn = 8
	b.at(other)
	require.Equal(t, "abcd", string(other.Payload), "it was sent before the plugin came")
	got := send(9, "jklm", false, 7)
	require.Equal(t, "jk"+string(rune(n))+"m", got)
	b.at(established(tcp.StepClosed))
	require.Equal(t, "jklm", send(9, "jklm", true, 7))
}

// TestEditsOfAStream sends a stream in random pieces, some again, through a plugin
// that writes at random: the peer is told one octet for each sequence number.
//
// Proves: P10
func TestEditsOfAStream(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &fake{}
		p, err := plugins.Load(f, export(of(abi.HookLeaving, abi.HookTransitionLeaving), "grants resize"), plugins.Options{Allow: everything})
		require.NoError(t, err)
		b := newBench(p)
		stream := bytes.Repeat([]byte("0123456789"), 20)
		told := map[int]byte{}
		sent, acked := 0, 0
		for range rapid.IntRange(1, 30).Draw(t, "segments") {
			from := sent
			again := sent > acked && rapid.Bool().Draw(t, "again")
			if again {
				from = rapid.IntRange(acked, sent-1).Draw(t, "from")
			}
			size := rapid.IntRange(0, 12).Draw(t, "size")
			if again {
				size = min(size, sent-from)
			}
			f.on = func(c *call) int64 {
				n := rapid.IntRange(0, 15).Draw(t, "length")
				c.put32(abi.SegmentPayload, uint32(n))
				for i := range n {
					if rapid.Bool().Draw(t, "write") {
						c.b[abi.PayloadAt+i] = 'x' + byte(i%3)
					}
				}
				return mutated(abi.FieldPayload | rapid.SampledFrom([]int64{0, abi.FieldLength}).Draw(t, "resize"))
			}
			r := data(from, string(stream[from:from+size]), again, acked)
			r.Step = rapid.SampledFrom([]tcp.Step{tcp.StepLeaving, tcp.StepMoved}).Draw(t, "step")
			b.at(r)
			require.NoError(t, p.Err())
			for i, c := range r.Payload {
				before, ok := told[from+i]
				require.True(t, !ok || before == c, "octet %d was %q and is %q", from+i, before, c)
				told[from+i] = c
			}
			sent = max(sent, from+size)
			if rapid.Bool().Draw(t, "acknowledged") {
				acked = rapid.IntRange(acked, sent).Draw(t, "acked")
			}
		}
	})
}

// TestEditsAreBounded has a plugin that changes all octets of a stream of which
// nothing is acknowledged.
//
// Proves: P10
func TestEditsAreBounded(t *testing.T) {
	f := &fake{on: func(c *call) int64 {
		for i := range c.u32(abi.SegmentPayload) {
			c.b[abi.PayloadAt+i] ^= 0xff
		}
		return mutated(abi.FieldPayload)
	}}
	b := newBench(load(t, f, of(abi.HookLeaving), "grants payload"))
	edited, text := 0, string(make([]byte, 1000))
	for i := range 100 {
		r := data(1000*i, text, false, 0)
		r.Send.WND = 1 << 20
		b.at(r)
		if r.Payload[0] == 0xff {
			edited++
			continue
		}
		require.Equal(t, text, string(r.Payload))
	}
	require.Equal(t, 65, edited)
	require.Equal(t, uint64(35), b.Plugins()[0].Stats().Whys[plugins.WhyNotEdited], "the others leave as they are, and that is told")
	require.Zero(t, b.Plugins()[0].Stats().Strikes)
}
