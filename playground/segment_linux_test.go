package playground_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/scenario"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/chrome"
	"github.com/tcpkit/tcpkit/internal/narrate"
)

// What the page says of a segment that is clicked on is what stands in the octets and
// in the timeline made here: each field, the options, the rule, what changed in the
// TCB, the timers.
func TestSegmentFieldByField(t *testing.T) {
	const id, p = "F1", 2 // the SYN+ACK
	r := made(t, shipped(t, id))
	octets := r.Packet(p)
	var ip wire.IP
	var syn wire.TCP
	require.True(t, wire.ParseIP(octets, &ip) == 0 && wire.ParseTCP(octets[ip.HeaderLen:], &syn) == 0)

	tab := open(t, "#s="+id+"&lang=en", 1280, 900)
	store[bool](tab, `(s.seekTime(200e6), true)`)
	tab.ClickAt(tab.Middle(fmt.Sprintf(`.seg[data-p="%d"] .hit`, p)), 1)
	tab.Wait(`document.querySelector('.inspector .dump') !== null`)
	require.Equal(t, "Segment 2: SYN ACK", text(tab, "#h-inspector"))
	tab.ClickAt(tab.Middle(".octet-group.ipv4 .group-head"), 1)
	tab.Wait(`document.querySelector('.octet-group.ipv4 .field') !== null`)
	fields := map[string]string{}
	for _, f := range chrome.Eval[[][]string](tab, `[...document.querySelectorAll('.inspector .field')].map((f) => f.classList.contains('one')
		? f.getAttribute('aria-label').split(': ') : [f.querySelector('.name').textContent, f.querySelector('.value').textContent.replace(/^: /, '')])`) {
		fields[f[0]] = f[1]
	}
	header := octets[ip.HeaderLen:]
	for name, want := range map[string]string{
		"Source": "10.0.0.2", "Destination": "10.0.0.1", "Total length": strconv.Itoa(len(octets)), "TTL": strconv.Itoa(int(octets[8])), "Protocol": "6 TCP",
		"Source port": "80", "Destination port": "40000",
		"Sequence number":       fmt.Sprintf("0 (%d)", syn.Seq),
		"Acknowledgment number": fmt.Sprintf("1 (%d)", syn.Ack),
		"Data offset":           strconv.Itoa(len(header) / 4), "Window": strconv.Itoa(int(syn.Window)),
		"Checksum": fmt.Sprintf("%#04x", binary.BigEndian.Uint16(header[16:])), "Urgent pointer": "0",
		"SYN": "set", "ACK": "set", "FIN": "not set", "RST": "not set", "PSH": "not set", "URG": "not set", "ECE": "not set", "CWR": "not set",
		"MSS": strconv.Itoa(int(syn.Options.MSS)), "Window scale": fmt.Sprintf("%d: × %d", syn.Options.WindowScale, 1<<syn.Options.WindowScale),
		"SACK permitted": "", "Timestamps": fmt.Sprintf("TSval %d, TSecr %d", syn.Options.TSVal, syn.Options.TSEcr),
	} {
		require.Contains(t, fields, name)
		require.Equal(t, want, fields[name], name)
	}
	require.Equal(t, fmt.Sprintf("%x", octets), chrome.Eval[string](tab, `[...document.querySelectorAll('.dump .hex span')].map((one) => one.textContent).join('')`))

	// A field that is pointed at is explained, and its octets are lit.
	tab.ClickAt(tab.Middle(`.octet-group.tcp .field:nth-child(3)`), 1)
	require.Contains(t, text(tab, ".meaning"), "RFC 9293 §3.4")
	require.Equal(t, fmt.Sprintf("%08x", uint32(syn.Seq)), chrome.Eval[string](tab, `[...document.querySelectorAll('.dump .hex .lit')].map((one) => one.textContent).join('')`))

	// What it did at the client.
	step := upon(r, p)
	require.NotEmpty(t, step)
	effects := text(tab, ".effects[open]")
	rules := 0
	for _, item := range step {
		switch {
		case item.Rule != rule.None:
			row, _ := rule.Lookup(item.Rule)
			require.Contains(t, effects, narrate.English.Rule(item.Rule))
			require.Contains(t, effects, fmt.Sprintf("%s · RFC %d §%s", row.Name, row.RFC, row.Section))
			rules++
		}
		switch item.Kind {
		case scenario.State:
			require.Contains(t, effects, fmt.Sprintf("%s → %s", tcp.State(item.From), tcp.State(item.Into)))
		case scenario.Timer:
			require.Contains(t, text(tab, ".effects[open]"), map[uint8]string{scenario.TimerArmed: ": set, ", scenario.TimerStopped: ": stopped"}[item.Into])
		}
	}
	require.Positive(t, rules)
	require.Contains(t, effects, "SYN-SENT → ESTABLISHED")
	want, got := changesOf(r, step), rows(tab, ".effects[open] tbody tr")
	slices.SortFunc(want, slices.Compare)
	slices.SortFunc(got, slices.Compare)
	require.Equal(t, want, got)

	// The keyboard goes from field to field, and its neighbours are one press away.
	tab.Press(kb.ArrowRight)
	require.Contains(t, text(tab, ".meaning"), "Acknowledgment number")
	tab.ClickAt(tab.Middle(`.inspector-actions button:nth-of-type(2)`), 1)
	require.Equal(t, "Segment 3: ACK", text(tab, "#h-inspector"))
}

// upon are the items that tell what a packet did where it arrived first.
func upon(r *scenario.Run, p uint32) []scenario.Item {
	items := r.Items(0)
	at := slices.IndexFunc(items, func(i scenario.Item) bool { return i.Kind == scenario.Arrive && i.Packet == p })
	var found []scenario.Item
	for i := at; i < len(items) && items[i].Step == items[at].Step; i++ {
		if items[i].Host == items[at].Host {
			found = append(found, items[i])
		}
	}
	return found
}

// changesOf writes what changed in the TCB by some items, as the page does.
func changesOf(r *scenario.Run, step []scenario.Item) [][]string {
	type variable struct {
		host int8
		conn uint32
		name string
	}
	known := map[variable]uint64{}
	note := func(i *scenario.Item, to map[variable]uint64) {
		if i.Kind == scenario.TCB {
			r.Changed(i, func(name string, value uint64) { to[variable{i.Host, i.Conn, name}] = value })
		}
	}
	for _, item := range r.Items(0) {
		if item.Step >= step[0].Step {
			break
		}
		note(&item, known)
	}
	after := map[variable]uint64{}
	for i := range step {
		note(&step[i], after)
	}
	var lines [][]string
	for v, to := range after {
		from, was := known[v]
		if from == to {
			continue
		}
		line := []string{v.name, "–", shown(v.name, to)}
		if was {
			line[1] = shown(v.name, from)
		}
		lines = append(lines, line)
	}
	return lines
}

// shown writes a variable's value as the page does.
func shown(name string, value uint64) string {
	switch {
	case name == "srtt" || name == "rto" || name == "rttvar":
		return durationOf(int64(value))
	case name == "ssthresh" && value >= 65535<<14:
		return "∞"
	}
	return strconv.FormatUint(value, 10)
}

// durationOf writes whole milliseconds below two minutes as the page does.
func durationOf(ns int64) string {
	switch ms := ns / int64(clock.Millisecond); {
	case ns == 0:
		return "0 s"
	case ms < 1000:
		return fmt.Sprintf("%d ms", ms)
	default:
		return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", float64(ms)/1000), "0"), ".") + " s"
	}
}
