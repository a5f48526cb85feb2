package packet_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

var offload = packet.Link{MTU: 1500, Checksum: true, MaxSuper: 65535}

func of(b ...byte) *packet.Packet { return &packet.Packet{Bytes: b} }

func TestPipeKeepsOrderAndBounds(t *testing.T) {
	a, b := packet.NewPipe(packet.Link{MTU: 1500}, 3)
	var got packet.Packet
	require.ErrorIs(t, b.ReadPacket(&got), packet.ErrEmpty)
	next, read := byte(0), byte(0)
	for range 10 { // around the ring
		for range 3 {
			require.NoError(t, a.WritePacket(of(next)))
			next++
		}
		require.ErrorIs(t, a.WritePacket(of(99)), packet.ErrFull, "the fourth is not taken")
		require.Equal(t, 3, b.Len())
		for range 2 {
			require.NoError(t, b.ReadPacket(&got))
			require.Equal(t, []byte{read}, got.Bytes)
			read++
		}
		require.NoError(t, a.WritePacket(of(next)))
		next++
		for read != next {
			require.NoError(t, b.ReadPacket(&got))
			require.Equal(t, []byte{read}, got.Bytes)
			read++
		}
	}
	require.ErrorIs(t, a.ReadPacket(&got), packet.ErrEmpty, "the other way is its own")
}

func TestPipeKeepsNoBuffer(t *testing.T) {
	a, b := packet.NewPipe(offload, 1)
	sent := &packet.Packet{Bytes: []byte{1, 2, 3}, SegmentSize: 9, Partial: true}
	require.NoError(t, a.WritePacket(sent))
	sent.Bytes[0] = 99
	room := make([]byte, 8)
	got := packet.Packet{Bytes: room[:0]}
	require.NoError(t, b.ReadPacket(&got))
	require.Equal(t, packet.Packet{Bytes: []byte{1, 2, 3}, SegmentSize: 9, Partial: true}, got)
	require.Same(t, &room[0], &got.Bytes[0], "the reader's room is used again")
	require.NoError(t, a.WritePacket(of(7)))
	require.Equal(t, byte(1), got.Bytes[0], "and is the reader's")
	require.NoError(t, b.ReadPacket(&got))
	require.Equal(t, packet.Packet{Bytes: []byte{7}}, got, "nothing is left of the packet before")
}

func TestPipeClose(t *testing.T) {
	a, b := packet.NewPipe(packet.Link{}, 2)
	require.NoError(t, a.WritePacket(of(1)))
	require.NoError(t, a.Close())
	var got packet.Packet
	require.ErrorIs(t, a.WritePacket(of(2)), packet.ErrClosed)
	require.ErrorIs(t, b.WritePacket(of(2)), packet.ErrClosed)
	require.ErrorIs(t, a.ReadPacket(&got), packet.ErrClosed)
	require.NoError(t, b.ReadPacket(&got), "what was sent is there to read")
	require.ErrorIs(t, b.ReadPacket(&got), packet.ErrClosed)
	require.Panics(t, func() { packet.NewPipe(packet.Link{}, 0) })
}

func TestLinkRefusesWhatItLacks(t *testing.T) {
	big := make([]byte, 1501)
	plain := packet.Link{MTU: 1500}
	for _, c := range []struct {
		name string
		link packet.Link
		p    packet.Packet
		want error
	}{
		{"fits", plain, packet.Packet{Bytes: big[:1500]}, nil},
		{"too long", plain, packet.Packet{Bytes: big}, packet.ErrSize},
		{"no limit", packet.Link{}, packet.Packet{Bytes: big}, nil},
		{"partial", plain, packet.Packet{Bytes: big[:40], Partial: true}, packet.ErrOffload},
		{"super", plain, packet.Packet{Bytes: big[:40], SegmentSize: 10}, packet.ErrOffload},
		{"super on a link that takes it", offload, packet.Packet{Bytes: big, SegmentSize: 10, Partial: true}, nil},
		{"super that is too long", packet.Link{MTU: 1500, MaxSuper: 1500}, packet.Packet{Bytes: big, SegmentSize: 10}, packet.ErrSize},
	} {
		a, b := packet.NewPipe(c.link, 1)
		require.Equal(t, c.link, b.Link())
		require.Equal(t, c.want, a.WritePacket(&c.p), c.name)
	}
}

func TestPipeAllocatesNothing(t *testing.T) {
	a, b := packet.NewPipe(offload, 4)
	p := packet.Packet{Bytes: make([]byte, 1500)}
	var got packet.Packet
	step := func() {
		for range 4 {
			if a.WritePacket(&p) != nil {
				panic("write")
			}
		}
		for b.ReadPacket(&got) == nil {
		}
	}
	step()
	require.Zero(t, testing.AllocsPerRun(100, step))
}

func TestText(t *testing.T) {
	require.Equal(t, "in out", packet.In.String()+" "+packet.Out.String())
	for e := packet.Error(1); e <= packet.ErrOffload; e++ {
		require.NotEqual(t, "unknown error", e.Error())
	}
	p := packet.Packet{Bytes: make([]byte, 3, 9), SegmentSize: 1, Partial: true}
	p.Reset()
	require.Equal(t, packet.Packet{Bytes: []byte{}}, p)
	require.Equal(t, 9, cap(p.Bytes))
}

// superPacket returns n octets of data in one packet.
func superPacket(src string, n int, size uint16, partial bool, tcp wire.TCP) (*packet.Packet, []byte) {
	a, err := wire.ParseAddr(src)
	if err != nil {
		panic(err)
	}
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i * 7)
	}
	ip := wire.IP{Src: a, Dst: a, Protocol: wire.ProtocolTCP, TTL: 64, ID: 0xfffe, DontFragment: true}
	header := wire.AppendTCP(nil, &tcp)
	b := wire.AppendIP(nil, &ip, len(header)+n)
	off := len(b)
	b = append(append(b, header...), data...)
	wire.FinishTCP(b, &ip, off, partial)
	return &packet.Packet{Bytes: b, SegmentSize: size, Partial: partial}, data
}

// The segments of a super-packet, one after the other, carry its data, and each
// is a packet that a receiver takes.
func TestNextSegment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 5000).Draw(t, "octets")
		size := rapid.IntRange(1, 1448).Draw(t, "size")
		want := wire.TCP{
			SrcPort: 1, DstPort: 2, Seq: 0xffffff00, Ack: 7, Window: 9,
			Flags:   wire.ACK | wire.PSH | wire.FIN | wire.CWR,
			Options: wire.Options{Has: wire.HasTimestamps, TSVal: 3, TSEcr: 4},
		}
		src := rapid.SampledFrom([]string{"10.0.0.1", "fe80::1"}).Draw(t, "src")
		super, data := superPacket(src, n, uint16(size), rapid.Bool().Draw(t, "partial"), want)
		before := append([]byte(nil), super.Bytes...)
		out := packet.Packet{Bytes: bytes.Repeat([]byte{0xa5}, 2000), SegmentSize: 0xa5, Partial: true}
		var joined []byte
		count := 0
		for off := 0; off >= 0; {
			require.Equal(t, off, len(joined))
			off = packet.NextSegment(super, off, &out)
			last := off < 0
			require.Zero(t, out.SegmentSize)
			require.False(t, out.Partial)
			var ip wire.IP
			var tcp wire.TCP
			require.Equal(t, rule.NotDropped, wire.ParseIP(out.Bytes, &ip))
			require.Equal(t, len(out.Bytes), ip.TotalLen)
			if ip.Src.Is4() {
				require.Equal(t, uint16(0xfffe+count), ip.ID)
			}
			segment := out.Bytes[ip.HeaderLen:]
			require.True(t, wire.VerifyTCP(segment, &ip))
			require.Equal(t, rule.NotDropped, wire.ParseTCP(segment, &tcp))
			require.Equal(t, want.Seq.Add(seq.Size(len(joined))), tcp.Seq)
			require.Equal(t, want.Options, tcp.Options)
			require.Equal(t, last, tcp.Flags.Has(wire.FIN), "FIN and PSH are of the last")
			require.Equal(t, last, tcp.Flags.Has(wire.PSH))
			require.Equal(t, count == 0, tcp.Flags.Has(wire.CWR), "CWR is of the first")
			part := segment[tcp.HeaderLen:]
			require.True(t, last || len(part) == size, "all but the last are full")
			joined = append(joined, part...)
			count++
		}
		require.True(t, bytes.Equal(data, joined))
		require.Equal(t, max(1, (n+size-1)/size), count)
		require.Equal(t, before, super.Bytes, "the super-packet stays as it is")
	})
}

func TestNextSegmentOfOtherPackets(t *testing.T) {
	var out packet.Packet
	plain, _ := superPacket("10.0.0.1", 100, 0, false, wire.TCP{})
	require.Equal(t, -1, packet.NextSegment(plain, 0, &out))
	require.Equal(t, plain.Bytes, out.Bytes, "a packet is its own only segment")

	partial, _ := superPacket("10.0.0.1", 100, 0, true, wire.TCP{})
	require.Equal(t, -1, packet.NextSegment(partial, 0, &out))
	require.Equal(t, plain.Bytes, out.Bytes, "the checksum is completed")

	junk := &packet.Packet{Bytes: []byte{0x45, 1, 2, 3}, SegmentSize: 1, Partial: true}
	require.Equal(t, -1, packet.NextSegment(junk, 0, &out))
	require.Equal(t, packet.Packet{Bytes: junk.Bytes}, out)
}

// FuzzNextSegment: no bytes make it panic or go on for ever.
func FuzzNextSegment(f *testing.F) {
	p, _ := superPacket("10.0.0.1", 100, 9, true, wire.TCP{})
	f.Add(p.Bytes, uint16(9), true)
	p, _ = superPacket("fe80::1", 100, 9, true, wire.TCP{})
	f.Add(p.Bytes, uint16(100), false)
	f.Fuzz(func(t *testing.T, b []byte, size uint16, partial bool) {
		super := packet.Packet{Bytes: b, SegmentSize: size, Partial: partial}
		var out packet.Packet
		for off := 0; off >= 0; {
			next := packet.NextSegment(&super, off, &out)
			require.True(t, next < 0 || next > off)
			off = next
		}
	})
}

func TestNextSegmentAllocatesNothing(t *testing.T) {
	super, _ := superPacket("10.0.0.1", 5000, 1448, true, wire.TCP{})
	out := packet.Packet{Bytes: make([]byte, 0, 1500)}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		for off := 0; off >= 0; {
			off = packet.NextSegment(super, off, &out)
		}
	}))
}

func ExampleNewPipe() {
	a, b := packet.NewPipe(packet.Link{MTU: 1500}, 1)
	p := packet.Packet{Bytes: []byte("an IP packet")}
	fmt.Println(a.WritePacket(&p), a.WritePacket(&p))
	var got packet.Packet
	err := b.ReadPacket(&got)
	fmt.Println(string(got.Bytes), err)
	fmt.Println(b.ReadPacket(&got))
	// Output:
	// <nil> link is full
	// an IP packet <nil>
	// no packet
}

func BenchmarkPipe(b *testing.B) {
	x, y := packet.NewPipe(packet.Link{MTU: 1500}, 16)
	p := packet.Packet{Bytes: make([]byte, 1500)}
	var got packet.Packet
	for b.Loop() {
		if x.WritePacket(&p) != nil || y.ReadPacket(&got) != nil {
			b.Fatal("pipe")
		}
	}
}

func BenchmarkNextSegment(b *testing.B) {
	super, _ := superPacket("10.0.0.1", 64000, 1448, true, wire.TCP{})
	out := packet.Packet{Bytes: make([]byte, 0, 1500)}
	b.SetBytes(64000)
	for b.Loop() {
		for off := 0; off >= 0; {
			off = packet.NextSegment(super, off, &out)
		}
	}
}
