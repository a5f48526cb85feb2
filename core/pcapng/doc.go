// Package pcapng writes and reads captures of IP packets in the pcapng format,
// with a comment to each packet. It appends to a slice and reads from one: where
// the bytes go and come from is the caller's.
//
//	w := pcapng.Writer{Application: "tcpkit", Interface: "tun0"}
//	file := w.AppendHeader(nil)
//	file = w.AppendPacket(file, now, packet, pcapng.Inbound, "the SYN is dropped")
//
// A Writer writes one section with one interface, little-endian, of link type
// LINKTYPE_RAW, with times in nanoseconds. The format is described in
// draft-ietf-opsawg-pcapng, whose sections the comments cite.
//
// A Reader takes any pcapng file: both byte orders, several sections and
// interfaces, all time resolutions. It skips blocks and options that it doesn't
// know, and stops at the first thing that is wrong. It has no use for compressed
// files and for the older pcap format.
package pcapng
