package main

import (
	"fmt"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/pcapng"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/ladder"
)

// A heard is one packet of a capture.
type heard struct {
	At      clock.Instant `json:"t"` // from the first packet on
	Src     string        `json:"from"`
	Dst     string        `json:"to"`
	Flags   string        `json:"flags,omitempty"`
	Seq     uint32        `json:"seq"` // from the initial sequence number, or the first one seen
	Ack     uint32        `json:"ack"`
	Len     int           `json:"len"`
	Window  uint16        `json:"win"`
	Comment string        `json:"comment,omitempty"`
	Wrong   string        `json:"wrong,omitempty"` // why it is no good
	Other   bool          `json:"other,omitempty"` // no TCP

	from, to wire.Addr
	again    bool
}

// linkHeaders are the octets before the IP header, by LINKTYPE.
var linkHeaders = map[uint16]int{0: 4, 1: 14, pcapng.LinkTypeRaw: 0, 228: 0, 229: 0, 113: 16, 276: 20}

// readCapture reads a capture's packets. What ends it early is the error, with what
// came before.
func readCapture(b []byte) (all []heard, err error) {
	type side struct {
		src, dst wire.AddrPort
	}
	first := map[side]seq.Value{}
	sent := map[side]map[seq.Value]int{}
	r := pcapng.NewReader(b)
	var p pcapng.Packet
	var start clock.Instant
	for r.Next(&p) {
		if len(all) == 0 {
			start = p.At
		}
		h := heard{At: clock.Instant(p.At.Sub(start)), Comment: p.Comment}
		kind := r.Interface(p.Interface).LinkType
		skip, known := linkHeaders[kind]
		var ip wire.IP
		var t wire.TCP
		switch {
		case !known:
			return all, fmt.Errorf("packets of link type %d, which tcpkit does not know; capture on a TUN, or on Ethernet", kind)
		case int(p.Length) > len(p.Bytes):
			h.Wrong = "cut off in the capture"
		case len(p.Bytes) < skip:
			h.Wrong = "shorter than its link header"
		default:
			octets := p.Bytes[skip:]
			why := wire.ParseIP(octets, &ip)
			h.from, h.to = ip.Src, ip.Dst
			h.Src, h.Dst = ip.Src.String(), ip.Dst.String()
			switch {
			case why != rule.NotDropped:
				h.Wrong = why.String()
			case ip.Protocol != wire.ProtocolTCP:
				h.Other = true
			default:
				upper := octets[ip.HeaderLen:ip.TotalLen]
				if why := wire.ParseTCP(upper, &t); why != rule.NotDropped {
					h.Wrong = why.String()
					break
				}
				if !wire.VerifyTCP(upper, &ip) {
					h.Wrong = rule.DropTCPChecksum.String()
				}
				way := side{wire.AddrPort{Addr: ip.Src, Port: t.SrcPort}, wire.AddrPort{Addr: ip.Dst, Port: t.DstPort}}
				back := side{way.dst, way.src}
				if _, ok := first[way]; !ok || t.Flags.Has(wire.SYN) {
					first[way] = t.Seq
					if !t.Flags.Has(wire.SYN) {
						first[way] = t.Seq.Sub(1) // as after a SYN
					}
				}
				if _, ok := first[back]; !ok && t.Flags.Has(wire.ACK) {
					first[back] = t.Ack.Sub(1)
				}
				h.Src, h.Dst = way.src.String(), way.dst.String()
				h.Flags, h.Window, h.Len = t.Flags.String(), t.Window, len(upper)-t.HeaderLen
				h.Seq = uint32(t.Seq.From(first[way]))
				if t.Flags.Has(wire.ACK) {
					h.Ack = uint32(t.Ack.From(first[back]))
				}
				if h.Len > 0 || t.Flags.Has(wire.SYN) || t.Flags.Has(wire.FIN) {
					if sent[way] == nil {
						sent[way] = map[seq.Value]int{}
					}
					h.again = sent[way][t.Seq] > 0
					sent[way][t.Seq]++
				}
			}
		}
		all = append(all, h)
	}
	return all, r.Err()
}

// ladderOf makes a timeline of a capture: what was seen at one place, so nothing is
// known of states and of the time on the way.
func ladderOf(all []heard) *ladder.Timeline {
	t := &ladder.Timeline{NoStates: true}
	hosts := map[wire.Addr]int{} // a flood has as many as it has packets
	index := func(a wire.Addr) int {
		i, known := hosts[a]
		if !known {
			i = len(t.Hosts)
			hosts[a] = i
			t.Hosts = append(t.Hosts, ladder.Host{Name: a.String(), Addr: a.String()})
		}
		return i
	}
	for i := range all {
		h := &all[i]
		if h.Src == "" {
			continue
		}
		from, to := index(h.from), index(h.to)
		p := i + 1
		t.Items = append(t.Items, ladder.Item{
			Index: len(t.Items), Step: p, At: h.At, Kind: "send", Packet: p, Host: from, Dest: to,
			Flags: h.Flags, Seq: int64(h.Seq), Ack: int64(h.Ack), Len: h.Len, Again: h.again,
		})
		if h.Wrong != "" {
			t.Items = append(t.Items, ladder.Item{Index: len(t.Items), Step: p, At: h.At, Kind: "drop", Packet: p, Host: to, Reason: h.Wrong})
		}
		if h.Comment != "" {
			t.Items = append(t.Items, ladder.Item{Index: len(t.Items), Step: p, At: h.At, Kind: "comment", Packet: p, Text: h.Comment})
		}
	}
	return t
}
