package kit

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/pcapng"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// host is a stack's description with a secret of zeros behind it.
func host(text string) []byte { return append([]byte(text), make([]byte, 16)...) }

func (k *Kit) said(n int32) string {
	if n >= 0 || n == Again {
		return ""
	}
	return string(k.Buffer[:-n])
}

func TestTable(t *testing.T) {
	var h table[string]
	a := h.add("a", 2)
	b := h.add("b", 2)
	require.Positive(t, a)
	require.Zero(t, h.add("c", 2), "there are two already")
	h.remove(a)
	h.remove(a)
	require.Nil(t, h.find(a))
	c := h.add("c", 2)
	require.NotEqual(t, a, c, "a late call reaches nobody else")
	require.Equal(t, "c", h.find(c).value)
	require.Equal(t, "b", h.find(b).value)
	for range lastTurn {
		h.remove(c)
		if c = h.add("c", 2); c == 0 {
			break
		}
		require.Positive(t, c)
	}
	require.Zero(t, c, "a place of which all handles were given is given up")
	for _, bad := range []int32{0, -1, 1 << 30, 3} {
		require.Nil(t, h.find(bad))
	}
}

func TestErrors(t *testing.T) {
	k := &Kit{}
	s := k.StackNew(k.Put(host("10.0.0.1")))
	require.Positive(t, s)
	gone := k.StackNew(k.Put(host("10.0.0.1")))
	require.Zero(t, k.StackFree(gone))
	for _, c := range []struct {
		call func() int32
		want string
	}{
		{func() int32 { return k.StackNew(1 << 31) }, "there is less in the buffer"},
		{func() int32 { return k.StackNew(k.Put([]byte("short"))) }, "there is less in the buffer"},
		{func() int32 { return k.StackNew(k.Put(host("10.0.0.1 mtu 12"))) }, "no link has an MTU of 12"},
		{func() int32 { return k.StackNew(k.Put(host("fd00::1 mtu 600"))) }, "does not fit the stack"},
		{func() int32 { return k.StackNew(k.Put(host("10.0.0.1 set burst=0"))) }, tcp.ErrInvalid.Error()},
		{func() int32 { return k.StackNew(k.Put(host("10.0.0.1 plugin none"))) }, `there is no file "none"`},
		{func() int32 { return k.Expire(gone, 100) }, "nothing behind this handle"},
		{func() int32 { return k.StackFree(gone) }, "it was freed"},
		{func() int32 { return k.Input(s, 100, 1<<30) }, "there is less in the buffer"},
		{func() int32 { return k.Expire(s, -1) }, "time does not run backwards"},
		{func() int32 { return k.Expire(s, 100) }, ""},
		{func() int32 { return k.Expire(s, 99) }, "time does not run backwards"},
		{func() int32 { return k.Listen(s, 100, 0, k.Put([]byte("80"))) }, `"80" is no address and port`},
		{func() int32 { return k.Listen(s, 100, 0, k.Put([]byte("10.0.0.9:80"))) }, tcp.ErrAddrNotAvail.Error()},
		{func() int32 { return k.Dial(s, 100, k.Put([]byte("10.0.0.2:0"))) }, tcp.ErrInvalid.Error()},
		{func() int32 { return k.Dial(s, 100, k.Put([]byte("10.0.0.2:80 [10.0.0.1]:5"))) }, "no address and port"},
		{func() int32 { return k.Accept(s, 7, 100) }, "nothing behind this handle"},
		{func() int32 { return k.Read(s, 7, 100, 1) }, tcp.ErrNotExist.Error()},
		{func() int32 { return k.Set(s, k.Dial(s, 100, k.Put([]byte("10.0.0.2:80"))), 100, 99, 0) }, "no such option"},
		{func() int32 { return k.File(9, k.Put([]byte("short"))) }, "there is less in the buffer"},
	} {
		require.Contains(t, k.said(c.call()), c.want)
	}
	for k.StackNew(k.Put(host("10.0.0.1"))) > 0 {
	}
	require.Contains(t, k.said(k.StackNew(k.Put(host("10.0.0.1")))), "too many stacks")
}

// pair is two stacks between which settle carries packets.
type pair struct {
	*testing.T
	*Kit
	a, b int32
}

func newPair(t *testing.T) *pair {
	k := &Kit{}
	p := &pair{t, k, k.StackNew(k.Put(host("10.0.0.1"))), k.StackNew(k.Put(host("10.0.0.2")))}
	require.Positive(t, p.a)
	require.Positive(t, p.b)
	return p
}

func (p *pair) settle(now int64) {
	for moved := true; moved; {
		moved = false
		for _, way := range [][2]int32{{p.a, p.b}, {p.b, p.a}} {
			for n := p.Output(way[0], now); n > 0; n = p.Output(way[0], now) {
				require.Zero(p, p.Input(way[1], now, uint32(n)), "what is in the buffer is the packet")
				moved = true
			}
		}
	}
}

func TestStream(t *testing.T) {
	p := newPair(t)
	l := p.Listen(p.b, 1, -1, p.Put([]byte(":80")))
	require.Positive(t, l)
	require.Equal(t, int32(Again), p.Accept(p.b, l, 1))
	c := p.Dial(p.a, 1, p.Put([]byte("10.0.0.2:80 10.0.0.1:4000")))
	require.Positive(t, c)
	p.settle(1)
	s := p.Accept(p.b, l, 1)
	require.Positive(t, s)
	require.Equal(t, int32(12), p.Ready(p.a))
	require.Equal(t, byte(c), p.Buffer[4], "the connection is told of")

	require.Equal(t, int32(5), p.Write(p.a, c, 2, p.Put([]byte("hello"))))
	require.Zero(t, p.Shutdown(p.a, c, 2, ShutWrite))
	p.settle(2)
	require.Equal(t, int32(3), p.Read(p.b, s, 2, 3))
	require.Equal(t, "hel", string(p.Buffer[:3]))
	copied := p.StackClone(p.b)
	require.Positive(t, copied)
	for _, stack := range []int32{p.b, copied} {
		require.Equal(t, int32(2), p.Read(stack, s, 2, 1<<31))
		require.Equal(t, "lo", string(p.Buffer[:2]), "the copy goes on by itself")
		require.Zero(t, p.Read(stack, s, 2, 10), "the end of the stream")
	}
	n := p.Status(p.b, 2)
	require.Contains(t, string(p.Buffer[:n]), `"state":"CLOSE-WAIT","local":"10.0.0.2:80","remote":"10.0.0.1:4000"`)
	require.Zero(t, p.Close(p.b, s, 3))
	require.Contains(t, p.said(p.Read(p.b, s, 3, 10)), tcp.ErrNotExist.Error(), "nobody holds it any more")
	p.settle(3)
	require.Zero(t, p.Read(p.a, c, 3, 10))
	require.Zero(t, p.Unlisten(p.b, l, 3))
	require.Contains(t, p.said(p.Accept(p.b, l, 3)), "nothing behind this handle")
	require.Equal(t, int32(Again), p.Accept(copied, l, 3), "the copy has its listener still")
}

// directions are those of the packets of a capture.
func (p *pair) directions(stack int32) (all []pcapng.Direction) {
	n := p.Pcapng(stack)
	require.GreaterOrEqual(p, n, int32(0))
	r := pcapng.NewReader(slices.Clone(p.Buffer[:n]))
	for packet := (pcapng.Packet{}); n > 0 && r.Next(&packet); {
		all = append(all, packet.Direction)
	}
	require.NoError(p, r.Err())
	return all
}

func TestCapture(t *testing.T) {
	p := newPair(t)
	require.Empty(t, p.directions(p.a), "none was begun")
	const few = 250
	require.Zero(t, p.Capture(p.a, 1<<32-1))
	require.Zero(t, p.Capture(p.b, few))
	p.Listen(p.b, 1, -1, p.Put([]byte(":80")))
	require.Positive(t, p.Dial(p.a, 1, p.Put([]byte("10.0.0.2:80"))))
	p.settle(1)
	handshake := []pcapng.Direction{pcapng.Outbound, pcapng.Inbound, pcapng.Outbound}
	require.Equal(t, handshake, p.directions(p.a))
	require.Equal(t, []pcapng.Direction{pcapng.Inbound}, p.directions(p.b), "what there is room for")
	require.LessOrEqual(t, p.Pcapng(p.b), int32(few))

	copied := p.StackClone(p.a)
	require.Zero(t, p.Capture(p.a, 0))
	require.Empty(t, p.directions(p.a), "it was ended")
	require.Equal(t, handshake, p.directions(copied), "the copy goes on")
}

func TestFilesAreBounded(t *testing.T) {
	k := &Kit{}
	file := func(name string, size int) string {
		return k.said(k.File(uint32(len(name)), k.Put(append([]byte(name), make([]byte, size)...))))
	}
	const half = filesOctets/2 - 8
	require.Empty(t, file("a", half))
	require.Empty(t, file("b", half))
	require.Empty(t, file("b", half), "in place of the one before")
	require.Contains(t, file("c", half), "too large")
	require.Empty(t, file("a", 1))
	require.Empty(t, file("c", half))
	for i := range filesMost - 3 {
		require.Empty(t, file("d"+string(rune('A'+i)), 0))
	}
	require.Contains(t, file("e", 0), "too many")
}

func TestTransfer(t *testing.T) {
	k := &Kit{}
	require.Greater(t, k.Transfer(1<<20, 1500), int32(1<<20/1500))
	require.Negative(t, k.Transfer(-1, 1500))
	require.Negative(t, k.Transfer(transferMost+1, 1500), "nobody waits for it")
	require.Negative(t, k.Transfer(1, 10))
	require.Positive(t, k.Transfer(0, 1500))
}

// FuzzCalls has a caller who knows the exports but not what they are for.
func FuzzCalls(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16"), "10.0.0.2:80")
	f.Add([]byte(strings.Repeat("\x03\x04\x02\x01", 20)), "fd00::1 mtu 1280")
	f.Fuzz(func(t *testing.T, calls []byte, text string) {
		p := newPair(t)
		p.Listen(p.b, 1, -1, p.Put([]byte(":80")))
		p.Dial(p.a, 1, p.Put([]byte("10.0.0.2:80")))
		p.settle(1)
		p.Record(p.a, 1<<32-1)
		const scenario = "scenario x\nhost a 10.0.0.1\nhost b 10.0.0.2\nlink a b delay 1ms\nlisten b 80\nflow f a b:80\n  a write 9\nend 1s\n"
		run := p.RunNew(p.Put([]byte(scenario)), uint32(len(scenario)))
		require.Positive(t, run)
		now, conn := int64(1), int32(1)
		for i, c := range calls {
			s, x := []int32{p.a, p.b, 3, -7}[c>>5&3], uint32(c>>3)
			size := min(p.Put([]byte(text)), 1<<16)
			switch c % 32 {
			case 0:
				p.StackNew(p.Put(host(text)))
			case 1:
				p.StackClone(s)
			case 2:
				p.Input(s, now, size)
			case 3:
				p.Output(s, now)
			case 4:
				now += int64(c) << (c % 32)
				p.Expire(s, now)
			case 5:
				p.Kit.Deadline(s)
			case 6:
				p.Ready(s)
			case 7:
				p.Events(s)
			case 8:
				p.Hash(s)
			case 9:
				p.Fingerprint(s, now)
			case 10:
				p.Status(s, now)
			case 11:
				p.Listen(s, now, int32(c)-3, size)
			case 12:
				p.Dial(s, now, size)
			case 13:
				p.Accept(s, conn, now)
			case 14:
				p.Unlisten(s, conn, now)
			case 15:
				p.Read(s, conn, now, x<<20)
			case 16:
				p.Write(s, conn, now, size)
			case 17:
				p.Shutdown(s, conn, now, x)
			case 18:
				p.Close(s, conn, now)
			case 19:
				p.Set(s, conn, now, x, int64(i)<<(c%64))
			case 20:
				p.Abort(s, conn, now)
			case 21:
				conn = int32(x)
			case 22:
				p.File(x, size)
			case 23:
				p.RunNew(x, size)
			case 24:
				p.RunStep(run, x)
			case 25:
				p.RunSeek(run, x)
			case 26:
				p.RunItems(run, x, uint32(i))
			case 27:
				p.RunView(run, x)
			case 28:
				p.RunPacket(run, x)
			case 29:
				p.RunPcapng(run, x)
			case 30:
				run = max(p.RunClone(run), run)
			case 31:
				p.RunFree(int32(x))
			}
		}
	})
}
