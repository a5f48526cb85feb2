package script

import "github.com/tcpkit/tcpkit/core/clock"

// Pos is a place in the source. Lines and columns count from one; a column
// counts bytes.
type Pos struct{ Line, Col int }

// Script is a parsed script.
type Script struct {
	Name    string   // of the file, for messages
	Title   []string // the lines of the comment at its very beginning
	Failure string   // the regular expression of a comment "// Failure: ...": the message that the script must fail with
	Options []Option
	Init    *Command // runs before the first event; nil if there is none
	Events  []Event
	Final   *Command // runs after the last event, whatever became of it
}

// Option is --name or --name=value.
type Option struct {
	Pos      Pos
	Name     string
	HasValue bool
	Value    string
}

// Command is the text between two backticks, meant for a shell.
type Command struct {
	Pos  Pos
	Text string
}

// Code is the text between %{ and }%, already parsed.
type Code struct {
	Pos  Pos
	Text string
	prog program
}

// Event is one line: a time and what happens then. Exactly one of Packet,
// Call, Code and Command is set.
type Event struct {
	Pos     Pos
	Time    Time
	Packet  *Packet
	Call    *Call
	Code    *Code
	Command *Command
}

// TimeKind tells how a Time is to be read.
type TimeKind uint8

// The five forms of a time.
const (
	Absolute      TimeKind = iota // 0.1
	Relative                      // +.1
	Any                           // *
	AbsoluteRange                 // 1~2
	RelativeRange                 // +.1~+.2
)

// Time says when an event happens. Its resolution is a microsecond.
type Time struct {
	Kind TimeKind
	At   clock.Duration // since the start, or since the event before
	End  clock.Duration // of a range
}

// Flags are the flags of a TCP header, in the bits that they have there.
type Flags uint16

// The flags in the order in which they are printed.
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
	AE
)

// PacketKind is what a packet carries.
type PacketKind uint8

// The kinds of packets.
const (
	TCP PacketKind = iota
	UDP
	ICMP
)

// Packet is a packet to inject (Inbound) or to expect.
type Packet struct {
	Inbound bool
	Encap   []Encap
	IP      []IPField
	Ports   *Ports // nil: those of the connection under test
	Kind    PacketKind

	// UDP: the size of the payload.
	Len uint16

	ICMP *ICMPMessage // for kind ICMP
	TCP  *Segment     // for kind TCP

	Tunnel *Ports // the nplab suffix /udp(S > D)
}

// Ports are the ports of one packet.
type Ports struct{ Src, Dst uint16 }

// Encap is an outer header.
type Encap struct {
	Kind     string // ipv4, ipv6, gre, mpls
	Src, Dst string // ipv4, ipv6
	Labels   []Label
	GRE      []IPNumber // gre: flags, proto, sum, off, key, seq by name
}

// IPNumber is a word with its number.
type IPNumber struct {
	Name  string
	Value uint32
}

// Label is an MPLS label stack entry.
type Label struct {
	Label  uint32
	TC     uint8
	Bottom bool
	TTL    uint8
}

// IPField is one item of IP information: "ect0", "tos 0x10", "ttl 5".
type IPField struct {
	Name  string // noecn ect0 ect1 ect01 ce | tos ttl flowlabel dscp hlim
	Value uint32 // of the second group
}

// Segment is a TCP header and the size of its payload.
type Segment struct {
	Flags  Flags
	HasACE bool
	ACE    uint8 // AccECN's counter in the place of AE, CWR and ECE

	Seq uint32
	Len uint16

	HasAck bool
	Ack    uint32
	HasWin bool
	Win    uint16
	HasUrg bool
	Urg    uint16

	AnyOptions bool // <...>: not looked at
	Options    []TCPOption
}

// End is the sequence number behind the payload, as it is written: SYN and
// FIN are not counted.
func (s *Segment) End() uint32 { return s.Seq + uint32(s.Len) }

// OptionKind is a TCP option as the notation names it.
type OptionKind uint8

// The TCP options of the notation.
const (
	OptEOL OptionKind = iota
	OptNOP
	OptMSS
	OptWScale
	OptSACKPermitted
	OptSACK
	OptTimestamps
	OptMD5
	OptFastOpen
	OptFastOpenExp
	OptAccECN
	OptOther // an addition of ours: "kind N HEX", an option that has no name here
)

// TCPOption is one TCP option.
type TCPOption struct {
	Kind   OptionKind
	Value  uint32      // mss, wscale, TS val, kind
	Ecr    uint32      // TS ecr
	Blocks []SeqRange  // sack
	Hex    []byte      // md5, FO, FOEXP, kind
	Valid  bool        // md5 valid: computed from a secret
	Counts []ECNNumber // ECN: in their order
	Word   string      // eceb, ee0b: how AccECN was spelt, if not ECN
}

// ECNNumber is one counter of the AccECN option: e0b, e1b or ceb.
type ECNNumber struct {
	Name  string
	Value uint32
}

// SeqRange is a SACK block.
type SeqRange struct{ Left, Right uint32 }

// ICMPMessage is an ICMP message about the connection, or an echo.
type ICMPMessage struct {
	Type, Code string // words, or numbers as they are written; Code may be empty
	HasMTU     bool
	MTU        uint32
	HasID      bool
	ID         uint32
	Quote      QuoteKind
	QuoteSeq   uint32 // QuoteTCP
	QuoteLen   uint16
}

// QuoteKind is what an ICMP message quotes.
type QuoteKind uint8

// The things an ICMP message may quote.
const (
	QuoteNone QuoteKind = iota // nothing is said: the connection, sequence number 0
	QuoteTCP
	QuoteUDP
	QuoteRaw
)

// Call is a system call and what it must return.
type Call struct {
	Name     string
	Args     []Expr
	Blocking bool
	End      clock.Duration // of a blocking call; counts from the same point as its start
	Result   Expr
	Errno    string // empty: not looked at
	HasText  bool
	Text     string // the free text behind the errno
	HasNote  bool
	Note     string // a second, or lone, parenthesis
}

// ExprKind is the form of an argument.
type ExprKind uint8

// The forms of an argument.
const (
	Default ExprKind = iota // ...
	Int                     // 5, -1, 0x10
	Word                    // SOCK_STREAM, &word
	String                  // "a" "b"
	Or                      // A|B
	List                    // [..]
	Struct                  // {..}
	Apply                   // htons(80)
	Assign                  // a = b, within a struct
)

// Expr is an argument or a result.
type Expr struct {
	Pos   Pos
	Kind  ExprKind
	Int   int64
	Hex   bool   // an Int that is printed in hexadecimal
	Text  string // Word, Apply: the name; String: the bytes
	Items []Expr // Or, List, Struct, Apply: the parts; Assign: the two sides
}
