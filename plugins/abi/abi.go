package abi

// The version of this package.
const (
	Major   = 1
	Minor   = 0
	Version = Major<<16 | Minor
)

// What a plugin exports beside its hooks.
const (
	ExportMemory     = "memory"
	ExportABI        = "tcpkit_abi"  // () -> i32
	ExportInit       = "tcpkit_init" // (i32) -> i32
	ExportInitialize = "_initialize" // () -> (), of WASI reactors
	ExportPrefix     = "tcpkit_"
)

// The import of the browser's module.
const (
	ImportModule = "tcpkit"
	ImportPlugin = "plugin" // (i32, i32, i32) -> i64
)

// A Hook is a step of the engine at which plugins are called. Its high octet is
// the group: 1 life, 2 connection, 3 admission, 4 transition, 5 segment, 6
// options, 7 timers, 8 recovery, 9 acknowledgements, 10 identity, 11 data, 12
// link, 13 congestion control.
type Hook uint16

// The hooks.
const (
	HookABI        Hook = 0x0100 // tcpkit_abi
	HookInit       Hook = 0x0101 // tcpkit_init
	HookTransition Hook = 0x0400 // a connection has changed its state
	HookArriving   Hook = 0x0500 // a segment, before the state machine
	HookLeaving    Hook = 0x0501 // a segment, before its checksum
	HookRejected   Hook = 0x0502 // a segment that the state machine has refused
)

// The exports of hooks. Each is () -> i64.
const (
	ExportTransition = "tcpkit_transition"
	ExportArriving   = "tcpkit_segment_arriving"
	ExportLeaving    = "tcpkit_segment_leaving"
	ExportRejected   = "tcpkit_segment_rejected"
)

// A Verdict is what a hook wants done, the low octet of its result.
type Verdict uint8

// The verdicts, with their arguments.
const (
	Pass      Verdict = 0  // go on
	Mutated   Verdict = 1  // go on with the changed record; which fields
	Drop      Verdict = 2  // forget the segment; a reason of the plugin's own
	Delay     Verdict = 3  // nanoseconds
	Duplicate Verdict = 4  // how many, and from bit 8 on the nanoseconds between them
	Inject    Verdict = 5  // the record is a segment to be sent beside
	Reset     Verdict = 6  // abort the connection
	Cookie    Verdict = 7  // answer the SYN with a cookie
	Hold      Verdict = 8  // keep the segment until Release
	Release   Verdict = 9  // let go what is held
	Detach    Verdict = 10 // the plugin does not want to be called any more
)

// The results that the engine gives in place of a plugin's.
const (
	Trapped  int64 = -1 // the call failed
	NoPlugin int64 = -2 // there is none with this id
)

// The sizes of the records, and of the buffer that they stand in.
const (
	CommonSize     = 104
	TransitionSize = 128
	SegmentSize    = 192
	BufferSize     = 1024
)

// What all records begin with.
const (
	OffsetSize       = 0  // u16: of the whole record
	OffsetHook       = 2  // u16: the Hook
	OffsetFlags      = 4  // u32: reserved
	OffsetNow        = 8  // i64: nanoseconds
	OffsetConn       = 16 // u32: id of the connection
	OffsetPacket     = 20 // u32: ordinal of the packet that is being handled, 0 if none is
	OffsetFrom       = 24 // u8: the old state; of a segment record: the state
	OffsetTo         = 25 // u8: the new state; of a segment record: the state
	OffsetCause      = 26 // u8: what changed the state, see the Cause...; of a rejected segment: the reason
	OffsetFamily     = 27 // u8: 4 or 6
	OffsetRule       = 28 // u16: id of the rule that wants it, 0 if none does
	OffsetLocal      = 32 // 16 octets: our address
	OffsetRemote     = 48 // 16 octets: the peer's address
	OffsetLocalPort  = 64 // u16
	OffsetRemotePort = 66 // u16
	OffsetSndISS     = 68 // u32: the variables of RFC 9293 §3.3.1
	OffsetSndUNA     = 72
	OffsetSndNXT     = 76
	OffsetSndWND     = 80
	OffsetSndUP      = 84
	OffsetRcvIRS     = 88
	OffsetRcvNXT     = 92
	OffsetRcvWND     = 96
	OffsetRcvUP      = 100
)

// What a segment record goes on with. The options have the values of
// OptionHas....
const (
	SegmentSeq     = 104 // u32: SEG.SEQ
	SegmentAck     = 108 // u32: SEG.ACK
	SegmentFlags   = 112 // u16: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128, AE 256
	SegmentWindow  = 114 // u16: as it stands in the header, not scaled
	SegmentUrgent  = 116 // u16: urgent pointer
	SegmentHas     = 118 // u16: which options are there
	SegmentPayload = 120 // u32: octets of payload
	SegmentTSVal   = 124 // u32
	SegmentTSEcr   = 128 // u32
	SegmentMSS     = 132 // u16
	SegmentScale   = 134 // u8: window scale
	SegmentSACKs   = 135 // u8: how many SACK blocks there are, at most 4
	SegmentSACK    = 136 // 4 times u32 left, u32 right
	SegmentEnd     = 168 // the rest is reserved
)

// Bits of SegmentHas.
const (
	OptionHasMSS           = 1 << 0
	OptionHasWindowScale   = 1 << 1
	OptionHasSACKPermitted = 1 << 2
	OptionHasTimestamps    = 1 << 3
	OptionHasSACK          = 1 << 4
	OptionHasFastOpen      = 1 << 5
	OptionHasUserTimeout   = 1 << 6
	OptionHasUnknown       = 1 << 7
	OptionHasMalformed     = 1 << 8
)

// The states, RFC 9293 §3.3.2.
const (
	StateClosed      = 0
	StateListen      = 1
	StateSynSent     = 2
	StateSynReceived = 3
	StateEstablished = 4
	StateFinWait1    = 5
	StateFinWait2    = 6
	StateCloseWait   = 7
	StateClosing     = 8
	StateLastAck     = 9
	StateTimeWait    = 10
)

// What changes a state.
const (
	CauseSegment = 1
	CauseCall    = 2
	CauseTimer   = 3
	CauseICMP    = 4
)
