package pcapng_test

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/pcapng"
	"github.com/tcpkit/tcpkit/internal/need"
)

// A SYN from 192.0.2.1 port 40000 to 192.0.2.2 port 80, and one over IPv6.
const (
	synIPv4 = "45000028000040004006b6ccc0000201c0000202" + "9c400050000003e80000000050022000" + "6b660000"
	synIPv6 = "600000000014064020010db8000000000000000000000001" + "20010db8000000000000000000000002" +
		"9c400050000003e80000000050022000" + "93f50000"
)

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	require.NoError(t, err)
	return b
}

func read(t testing.TB, file []byte) []pcapng.Packet {
	r := pcapng.NewReader(file)
	var all []pcapng.Packet
	for p := (pcapng.Packet{}); r.Next(&p); {
		all = append(all, p)
	}
	require.NoError(t, r.Err())
	return all
}

func TestGolden(t *testing.T) {
	w := pcapng.Writer{Application: "tcpkit", Comment: "seed 7", Interface: "tun0", Description: "a link"}
	file := w.AppendHeader(nil)
	file = w.AppendPacket(file, clock.Instant(5*clock.Second+1), []byte{0x45, 1, 2, 3, 4}, pcapng.Outbound, "why")
	file = w.AppendPacket(file, 0, nil, pcapng.Unknown, "")
	require.Equal(t, unhex(t, `
		0a0d0d0a 38000000 4d3c2b1a 0100 0000 ffffffff ffffffff
			0100 0600 736565642037 0000
			0400 0600 7463706b6974 0000
			0000 0000 38000000
		01000000 34000000 6500 0000 00000000
			0200 0400 74756e30
			0300 0600 61206c696e6b 0000
			0900 0100 09000000
			0000 0000 34000000
		06000000 3c000000 00000000 01000000 01f2052a 05000000 05000000
			4501020304 000000
			0100 0300 776879 00
			0200 0400 02000000
			0000 0000 3c000000
		06000000 24000000 00000000 00000000 00000000 00000000 00000000
			0000 0000 24000000`), file)
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 40, -1)
		w := pcapng.Writer{
			Application: text.Draw(t, "application"),
			Comment:     text.Draw(t, "section comment"),
			Interface:   text.Draw(t, "interface"),
			Description: text.Draw(t, "description"),
			Epoch:       clock.Duration(rapid.Int64Range(0, 1<<62).Draw(t, "epoch")),
		}
		file := w.AppendHeader([]byte{1, 2, 3})
		var want []pcapng.Packet
		for range rapid.IntRange(0, 5).Draw(t, "packets") {
			p := pcapng.Packet{
				At:        clock.Instant(rapid.Int64Range(0, 1<<61).Draw(t, "at")),
				Bytes:     rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "bytes"),
				Direction: pcapng.Direction(rapid.IntRange(0, 2).Draw(t, "direction")),
				Comment:   text.Draw(t, "comment"),
			}
			file = w.AppendPacket(file, p.At, p.Bytes, p.Direction, p.Comment)
			p.At = p.At.Add(w.Epoch)
			p.Length = uint32(len(p.Bytes))
			want = append(want, p)
		}
		require.Equal(t, []byte{1, 2, 3}, file[:3], "what was there stays")

		r := pcapng.NewReader(file[3:])
		for i := range want {
			var p pcapng.Packet
			require.True(t, r.Next(&p))
			require.Equal(t, want[i], p)
			in := r.Interface(p.Interface)
			require.Equal(t, w.Interface, in.Name)
			require.Equal(t, w.Description, in.Description)
			require.Equal(t, uint16(pcapng.LinkTypeRaw), in.LinkType)
		}
		var p pcapng.Packet
		require.False(t, r.Next(&p))
		require.NoError(t, r.Err())
		require.Equal(t, pcapng.Section{Application: w.Application, Comment: w.Comment}, r.Section())
	})
}

// Wireshark's own reading of a file: comments, direction, times, bytes.
func TestTshark(t *testing.T) {
	tshark := need.Tool(t, "tshark", "tshark")
	w := pcapng.Writer{
		Application: "tcpkit", Comment: "seed 7", Interface: "tun0", Description: "a link",
		Epoch: 1_700_000_000 * clock.Second,
	}
	type row struct {
		at      clock.Instant
		packet  string
		dir     pcapng.Direction
		comment string
		fields  []string
		ipOK    string
	}
	rows := []row{
		{1, synIPv4, pcapng.Inbound, "RFC 9293 §3.10.7.2: 到 LISTEN", []string{"192.0.2.1", "", "1700000000.000000001", "0x00000001"}, "1"},
		{clock.Instant(3 * clock.Second / 2), synIPv6, pcapng.Outbound, "sent again", []string{"", "2001:db8::1", "1700000001.500000000", "0x00000002"}, ""},
	}
	file := w.AppendHeader(nil)
	for _, r := range rows {
		file = w.AppendPacket(file, r.at, unhex(t, r.packet), r.dir, r.comment)
	}
	path := filepath.Join(t.TempDir(), "t.pcapng")
	require.NoError(t, os.WriteFile(path, file, 0o600))

	args := []string{"-r", path, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-T", "fields", "-E", "separator=|"}
	for _, f := range []string{
		"ip.src", "ipv6.src", "frame.time_epoch", "frame.packet_flags", "frame.comment",
		"frame.interface_name", "tcp.dstport", "tcp.flags.syn", "ip.checksum.status", "tcp.checksum.status",
	} {
		args = append(args, "-e", f)
	}
	out, err := exec.Command(tshark, args...).Output()
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, lines, len(rows), "%s", out)
	for i, r := range rows {
		want := append(r.fields, r.comment, "tun0", "80", "1", r.ipOK, "1")
		require.Equal(t, strings.Join(want, "|"), lines[i])
	}

	out, err = exec.Command(tshark, "-r", path, "-T", "json", "-x", "-j", "frame").Output()
	require.NoError(t, err)
	var frames []struct {
		Source struct {
			Layers struct {
				Raw []any `json:"frame_raw"`
			} `json:"layers"`
		} `json:"_source"`
	}
	require.NoError(t, json.Unmarshal(out, &frames))
	require.Len(t, frames, len(rows))
	for i, r := range rows {
		require.Equal(t, r.packet, frames[i].Source.Layers.Raw[0], "the bytes of packet %d", i)
	}
}

// block builds a block of either byte order.
func block(order binary.AppendByteOrder, kind uint32, body []byte) []byte {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	n := uint32(len(body) + 12)
	b := order.AppendUint32(nil, kind)
	b = order.AppendUint32(b, n)
	return order.AppendUint32(append(b, body...), n)
}

func section(order binary.AppendByteOrder) []byte {
	body := order.AppendUint32(nil, 0x1a2b3c4d)
	body = order.AppendUint16(body, 1)
	body = order.AppendUint16(body, 2)
	return block(order, 0x0a0d0d0a, order.AppendUint64(body, math.MaxUint64))
}

func link(order binary.AppendByteOrder, snap uint32, options ...byte) []byte {
	body := order.AppendUint16(nil, 101)
	body = order.AppendUint16(body, 0)
	return block(order, 1, append(order.AppendUint32(body, snap), options...))
}

func stamped(order binary.AppendByteOrder, in uint32, at uint64, packet string, options ...byte) []byte {
	body := order.AppendUint32(nil, in)
	body = order.AppendUint32(body, uint32(at>>32))
	body = order.AppendUint32(body, uint32(at))
	body = order.AppendUint32(body, uint32(len(packet)))
	body = order.AppendUint32(body, 1500)
	body = append(body, packet...)
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	return block(order, 6, append(body, options...))
}

// Files of other programs: big-endian, more sections, more interfaces with other
// clocks, simple packet blocks, unknown blocks and options, several comments.
func TestForeign(t *testing.T) {
	be, le := binary.BigEndian, binary.LittleEndian
	file := section(be)
	file = append(file, link(be, 0)...)                                                                // microseconds
	file = append(file, link(be, 0, 0, 9, 0, 1, 0x8a, 0, 0, 0)...)                                     // 1/1024 s
	file = append(file, link(be, 0, 0, 9, 0, 1, 12, 0, 0, 0, 0, 14, 0, 8, 0, 0, 0, 0, 0, 0, 0, 10)...) // picoseconds, from 10 s
	file = append(file, block(be, 0x0bad, []byte("skipped"))...)
	file = append(file, stamped(be, 0, 7, "a", 0, 1, 0, 3, 'o', 'n', 'e', 0, 0x0b, 0xad, 0, 1, 9, 0, 0, 0, 0, 1, 0, 3, 't', 'w', 'o', 0)...)
	file = append(file, stamped(be, 1, 512, "bc", 0, 2, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 'j', 'u', 'n', 'k')...)
	file = append(file, stamped(be, 2, 5000, "def")...)
	file = append(file, section(le)...)
	file = append(file, link(le, 4)...)
	file = append(file, block(le, 3, append(le.AppendUint32(nil, 6), "simple"...))...)
	require.Equal(t, []pcapng.Packet{
		{At: 7000, Bytes: []byte("a"), Length: 1500, Comment: "one\ntwo"},
		{At: 500_000_000, Interface: 1, Bytes: []byte("bc"), Length: 1500, Direction: pcapng.Inbound},
		{At: 10_000_000_005, Interface: 2, Bytes: []byte("def"), Length: 1500},
		{Bytes: []byte("simp"), Length: 6},
	}, read(t, file))
}

func TestClocks(t *testing.T) {
	le := binary.LittleEndian
	for _, test := range []struct {
		resolution byte
		stamp      uint64
		want       clock.Instant
	}{
		{0, 2, clock.Instant(2 * clock.Second)},
		{3, 2, clock.Instant(2 * clock.Millisecond)},
		{9, math.MaxInt64, math.MaxInt64},
		{9, math.MaxInt64 + 1, clock.Never},
		{0, math.MaxUint64, clock.Never},
		{0x7f, math.MaxUint64, 0},
		{0x80, 3, clock.Instant(3 * clock.Second)},
		{0x80, math.MaxUint64, clock.Never},
		{0xa0, 1<<32 + 1<<31, clock.Instant(1500 * clock.Millisecond)},
		{0xc0, 1 << 63, clock.Instant(500 * clock.Millisecond)},
		{0xff, math.MaxUint64, 0},
	} {
		file := append(section(le), link(le, 0, 9, 0, 1, 0, test.resolution, 0, 0, 0)...)
		file = append(file, stamped(le, 0, test.stamp, "")...)
		require.Equal(t, test.want, read(t, file)[0].At, "%d in units of %#x", test.stamp, test.resolution)
	}
}

func TestErrors(t *testing.T) {
	le := binary.LittleEndian
	good := append(section(le), link(le, 0)...)
	with := func(more []byte) []byte { return append(good[:len(good):len(good)], more...) }
	spoil := func(file []byte, at int, value byte) []byte {
		file = append([]byte(nil), file...)
		file[at] = value
		return file
	}
	packet := stamped(le, 0, 0, "abcd")
	many := section(le)
	for range pcapng.MaxInterfaces + 1 {
		many = append(many, link(le, 0)...)
	}
	for name, test := range map[string]struct {
		file []byte
		want pcapng.Error
	}{
		"empty":                   {nil, pcapng.ErrNotPcapng},
		"short":                   {good[:11], pcapng.ErrNotPcapng},
		"older pcap":              {append([]byte{0xd4, 0xc3, 0xb2, 0xa1}, make([]byte, 20)...), pcapng.ErrNotPcapng},
		"no magic":                {spoil(good, 8, 0), pcapng.ErrNotPcapng},
		"version 2":               {spoil(good, 12, 2), pcapng.ErrVersion},
		"ends in a block":         {with(packet)[:len(good)+20], pcapng.ErrTruncated},
		"ends in a block's start": {with(packet)[:len(good)+7], pcapng.ErrTruncated},
		"odd length":              {with(spoil(packet, 4, 37)), pcapng.ErrBlock},
		"length of 8":             {with(spoil(packet, 4, 8)), pcapng.ErrBlock},
		"lengths differ":          {with(spoil(packet, len(packet)-4, 8)), pcapng.ErrBlock},
		"packet beyond its block": {with(spoil(packet, 20, 5)), pcapng.ErrBlock},
		"vast packet":             {with(spoil(packet, 23, 255)), pcapng.ErrBlock},
		"packet too short":        {with(block(le, 6, make([]byte, 16))), pcapng.ErrBlock},
		"option beyond its block": {with(stamped(le, 0, 0, "", 1, 0, 9, 0)), pcapng.ErrBlock},
		"no such interface":       {with(stamped(le, 1, 0, "")), pcapng.ErrInterface},
		"simple, no interface":    {append(section(le), block(le, 3, make([]byte, 8))...), pcapng.ErrInterface},
		"simple, too short":       {with(block(le, 3, nil)), pcapng.ErrBlock},
		"short section":           {block(le, 0x0a0d0d0a, le.AppendUint32(nil, 0x1a2b3c4d)), pcapng.ErrBlock},
		"short interface":         {with(block(le, 1, nil)), pcapng.ErrBlock},
		"too many interfaces":     {many, pcapng.ErrInterfaces},
	} {
		r := pcapng.NewReader(test.file)
		var p pcapng.Packet
		require.False(t, r.Next(&p), name)
		require.Equal(t, error(test.want), r.Err(), name)
		require.False(t, r.Next(&p), "%s: it stays where it failed", name)
		require.NotContains(t, r.Err().Error(), "unknown", name)
	}
	require.Contains(t, pcapng.Error(200).Error(), "unknown")
}

// A comment that is too long for its option is cut between characters.
func TestLongComment(t *testing.T) {
	var w pcapng.Writer
	file := w.AppendPacket(w.AppendHeader(nil), 0, nil, pcapng.Unknown, "x"+strings.Repeat("字", 30000))
	require.Equal(t, "x"+strings.Repeat("字", 21844), read(t, file)[0].Comment)
}

// Before 1970 there are no time stamps.
func TestNegativeTime(t *testing.T) {
	var w pcapng.Writer
	file := w.AppendPacket(w.AppendHeader(nil), -5, nil, pcapng.Unknown, "")
	require.Zero(t, read(t, file)[0].At)
}

func TestAllocations(t *testing.T) {
	w := pcapng.Writer{Interface: "tun0"}
	packet := make([]byte, 1500)
	file := make([]byte, 0, 4096)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		file = w.AppendPacket(file[:0], 1, packet, pcapng.Inbound, "a comment")
	}))
	file = w.AppendPacket(w.AppendHeader(nil), 1, packet, pcapng.Inbound, "")
	r := pcapng.NewReader(w.AppendPacket(file, 1, packet, pcapng.Inbound, ""))
	var p pcapng.Packet
	require.True(t, r.Next(&p)) // past the header, which is kept
	require.Zero(t, testing.AllocsPerRun(100, func() {
		again := *r
		again.Next(&p)
	}))
}

// Whatever is read can be written, and read again.
func FuzzReader(f *testing.F) {
	w := pcapng.Writer{Application: "tcpkit", Interface: "tun0"}
	file := w.AppendHeader(nil)
	f.Add(w.AppendPacket(file, 1, unhex(f, synIPv4), pcapng.Inbound, "why"))
	be := binary.BigEndian
	f.Add(append(append(section(be), link(be, 3, 0, 9, 0, 1, 0x8a, 0, 0, 0)...), stamped(be, 0, 9, "abc")...))
	f.Add(append(append(section(be), link(be, 3)...), block(be, 3, []byte{0, 0, 0, 9, 1, 2, 3, 4})...))
	f.Fuzz(func(t *testing.T, file []byte) {
		r := pcapng.NewReader(file)
		var w pcapng.Writer
		var want []pcapng.Packet
		again := w.AppendHeader(nil)
		for p := (pcapng.Packet{}); r.Next(&p); {
			r.Interface(p.Interface)
			again = w.AppendPacket(again, p.At, p.Bytes, p.Direction, p.Comment)
			if len(p.Comment) < 1<<16 {
				p.At, p.Interface, p.Length = max(p.At, 0), 0, uint32(len(p.Bytes))
				want = append(want, p)
			}
		}
		got := read(t, again)
		if len(got) == len(want) {
			require.Equal(t, want, got)
		}
	})
}
