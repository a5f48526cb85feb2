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
	ExportABI        = "tcpkit_abi"   // () -> i32
	ExportInit       = "tcpkit_init"  // (i32) -> i32
	ExportBatch      = "tcpkit_batch" // (i32) -> i64
	ExportInitialize = "_initialize"  // () -> (), of WASI reactors
	ExportPrefix     = "tcpkit_"
)

// ManifestSection is the custom section that holds a plugin's manifest.
const ManifestSection = "tcpkit.manifest"

// What a plugin may import, all from ImportModule.
const (
	ImportModule = "tcpkit"
	ImportLog    = "log"    // (level i32, text i32, size i32) -> ()
	ImportMetric = "metric" // (id i32, value i64) -> ()
	ImportNow    = "now"    // () -> i64
	ImportRandom = "random" // () -> i64
	ImportGet    = "get"    // (key i64) -> i64
	ImportSet    = "set"    // (key i64, value i64) -> i32: 1, or 0 where there is no room
	ImportArm    = "arm"    // (id i32, nanoseconds i64) -> ()
	ImportInject = "inject" // (at i32, size i32) -> i32: 1, or 0 where there is no room
)

// What a call of an import costs beside the instruction, in fuel, and how much of a
// text is kept.
const (
	ImportCost = 128 // and 1 for each octet that is read or written by it
	LogSize    = 1024
	WASISize   = 4096 // of fd_write and random_get: the most octets of one call
)

// A Hook is a step of the engine at which plugins are called. Its high octet is
// the group: 1 life, 2 connection, 3 admission, 4 transition, 5 segment, 6
// options, 7 timers, 8 recovery, 9 acknowledgements, 10 identity, 11 data, 12
// link, 13 congestion control.
type Hook uint16

// The hooks.
const (
	HookABI    Hook = 0x0100 // tcpkit_abi
	HookInit   Hook = 0x0101 // tcpkit_init
	HookConfig Hook = 0x0102 // its options have been set, or have changed
	HookTick   Hook = 0x0103 // the manifest's interval has passed, or a timer of its own
	HookDrain  Hook = 0x0104 // the last call
	HookBatch  Hook = 0x0105 // tcpkit_batch
	HookStart  Hook = 0x0106 // of the embedder: make an instance of a module
	HookFetch  Hook = 0x0107 // of the embedder: copy parts back
	HookClose  Hook = 0x0108 // of the embedder: end an instance

	HookConnNew         Hook = 0x0200 // a connection is made
	HookConnEstablished Hook = 0x0201 // it can carry data
	HookConnClosed      Hook = 0x0202 // it has ended

	HookSyn Hook = 0x0300 // a SYN for a listener

	HookTransition         Hook = 0x0400 // a connection has changed its state
	HookTransitionArriving Hook = 0x0401 // a segment that will change it, before the state machine
	HookTransitionLeaving  Hook = 0x0402 // the segment that leaves by a change

	HookArriving Hook = 0x0500 // a segment, before the state machine
	HookLeaving  Hook = 0x0501 // a segment, before its checksum
	HookRejected Hook = 0x0502 // a segment that the state machine has refused
	HookArrived  Hook = 0x0503 // a segment, after the state machine
	HookLeft     Hook = 0x0504 // a segment, after its checksum

	HookOptionsParse   Hook = 0x0600 // the options of a segment that arrives
	HookOptionsReserve Hook = 0x0601 // how many octets of options each segment needs
	HookOptionsWrite   Hook = 0x0602 // the options of a segment that leaves

	HookTimerArmed Hook = 0x0700
	HookTimerFired Hook = 0x0701

	HookRTT        Hook = 0x0800 // a sample of the round trip
	HookLost       Hook = 0x0801 // octets are marked lost
	HookRetransmit Hook = 0x0802 // octets are sent again
	HookPhase      Hook = 0x0803 // recovery begins or ends
	HookSpurious   Hook = 0x0804 // a reduction was for nothing

	HookAck Hook = 0x0900 // when to acknowledge

	HookISN  Hook = 0x0a00 // an initial sequence number is chosen
	HookPort Hook = 0x0a01 // a local port is chosen

	HookWrite Hook = 0x0b00 // the application writes
	HookRead  Hook = 0x0b01 // the application reads

	HookIngress Hook = 0x0c00 // a packet from the link
	HookEgress  Hook = 0x0c01 // a packet to the link

	HookCCInit         Hook = 0x0d00
	HookCCAck          Hook = 0x0d01
	HookCCLoss         Hook = 0x0d02
	HookCCECN          Hook = 0x0d03
	HookCCRTO          Hook = 0x0d04
	HookCCSent         Hook = 0x0d05
	HookCCRecoveryExit Hook = 0x0d06
	HookCCUndo         Hook = 0x0d07
	HookCCReport       Hook = 0x0d08
	HookCCRelease      Hook = 0x0d09
	HookCCTimer        Hook = 0x0d0a
	HookCCIdle         Hook = 0x0d0b
)

// The exports of hooks. Each is () -> i64.
const (
	ExportConfig             = "tcpkit_config"
	ExportTick               = "tcpkit_tick"
	ExportDrain              = "tcpkit_drain"
	ExportConnNew            = "tcpkit_connection_new"
	ExportConnEstablished    = "tcpkit_connection_established"
	ExportConnClosed         = "tcpkit_connection_closed"
	ExportSyn                = "tcpkit_syn"
	ExportTransition         = "tcpkit_transition"
	ExportTransitionArriving = "tcpkit_transition_arriving"
	ExportTransitionLeaving  = "tcpkit_transition_leaving"
	ExportArriving           = "tcpkit_segment_arriving"
	ExportLeaving            = "tcpkit_segment_leaving"
	ExportRejected           = "tcpkit_segment_rejected"
	ExportArrived            = "tcpkit_segment_arrived"
	ExportLeft               = "tcpkit_segment_left"
	ExportOptionsParse       = "tcpkit_options_parse"
	ExportOptionsReserve     = "tcpkit_options_reserve"
	ExportOptionsWrite       = "tcpkit_options_write"
	ExportTimerArmed         = "tcpkit_timer_armed"
	ExportTimerFired         = "tcpkit_timer_fired"
	ExportRTT                = "tcpkit_rtt"
	ExportLost               = "tcpkit_lost"
	ExportRetransmit         = "tcpkit_retransmit"
	ExportPhase              = "tcpkit_phase"
	ExportSpurious           = "tcpkit_spurious"
	ExportAck                = "tcpkit_ack"
	ExportISN                = "tcpkit_isn"
	ExportPort               = "tcpkit_port"
	ExportWrite              = "tcpkit_write"
	ExportRead               = "tcpkit_read"
	ExportIngress            = "tcpkit_ingress"
	ExportEgress             = "tcpkit_egress"
	ExportCCInit             = "tcpkit_cc_init"
	ExportCCAck              = "tcpkit_cc_ack"
	ExportCCLoss             = "tcpkit_cc_loss"
	ExportCCECN              = "tcpkit_cc_ecn"
	ExportCCRTO              = "tcpkit_cc_rto"
	ExportCCSent             = "tcpkit_cc_sent"
	ExportCCRecoveryExit     = "tcpkit_cc_recovery_exit"
	ExportCCUndo             = "tcpkit_cc_undo"
	ExportCCReport           = "tcpkit_cc_report"
	ExportCCRelease          = "tcpkit_cc_release"
	ExportCCTimer            = "tcpkit_cc_timer"
	ExportCCIdle             = "tcpkit_cc_idle"
)

// A Verdict is what a hook wants done, the low octet of its result.
type Verdict uint8

// The verdicts, with their arguments.
const (
	Pass      Verdict = 0  // go on; FieldState if the connection's state has changed
	Mutated   Verdict = 1  // go on with the changed record; Fields that have changed
	Drop      Verdict = 2  // forget the segment; a reason of the plugin's own
	Delay     Verdict = 3  // nanoseconds
	Duplicate Verdict = 4  // how many, and from bit 8 on the nanoseconds between them
	Inject    Verdict = 5  // the record is a segment to be sent beside, which has not changed
	Reset     Verdict = 6  // abort the connection; of a SYN: answer with a reset
	Cookie    Verdict = 7  // answer the SYN with a cookie
	Hold      Verdict = 8  // lab: keep the segment until Release; do not let the timer act
	Release   Verdict = 9  // lab: let go what is held
	Detach    Verdict = 10 // the plugin does not want to be called any more
	GoTo      Verdict = 11 // lab: go on to another state, by an edge of Figure 5; the state
	Now       Verdict = 12 // lab: of a timer that is armed: let it act at once
)

// The fields that a verdict can name as changed: bits of Mutated's argument.
const (
	FieldSeq        = 1 << 0
	FieldAck        = 1 << 1
	FieldFlags      = 1 << 2
	FieldWindow     = 1 << 3
	FieldUrgent     = 1 << 4
	FieldOptions    = 1 << 5 // SegmentHas and what it stands for
	FieldRawOptions = 1 << 6 // the section of options, which then counts alone
	FieldPayload    = 1 << 7
	FieldTOS        = 1 << 8
	FieldTTL        = 1 << 9
	FieldPorts      = 1 << 10
	FieldAddresses  = 1 << 11
	FieldLength     = 1 << 12 // SegmentPayload: the payload is shorter or longer
	FieldState      = 1 << 13 // the connection's state
	FieldArgs       = 1 << 14 // the arguments, or what a congestion controller sets
)

// The results that the engine gives in place of a plugin's.
const (
	Trapped  int64 = -1 // the call failed
	NoPlugin int64 = -2 // there is none with this id
)

// A record: 128 octets that each has, and sections behind them at places that
// are fixed, of which only those are written that the plugin may see and has
// asked for.
const (
	RecordSize = 128
	ArgsAt     = 128 // 8 times u64: what the hook says beside, and may be told
	ArgsEnd    = 192
	AddressAt  = 192 // 16 octets local, 16 octets remote; with grant observe
	AddressEnd = 224
	StateAt    = 256 // what the plugin keeps of the connection; its size is in the manifest
	StateEnd   = 512
	OptionsAt  = 512 // u32 size, 40 octets of options as they stand in the header; with grant options
	OptionsEnd = 556
	PayloadAt  = 576 // octets of payload, or of a packet; with grant payload or link
	BatchSize  = 192 // of one record in a batch: the record and its arguments
)

// What all records begin with.
const (
	OffsetSize       = 0  // u16: RecordSize
	OffsetHook       = 2  // u16: the Hook
	OffsetSections   = 4  // u32: which sections are there, Section...
	OffsetNow        = 8  // i64: nanoseconds
	OffsetConn       = 16 // u32: id of the connection, 0 if there is none
	OffsetPacket     = 20 // u32: ordinal of the packet that is being handled, 0 if none is
	OffsetFrom       = 24 // u8: the old state, or the state
	OffsetTo         = 25 // u8: the new state, or the state
	OffsetCause      = 26 // u8: what changed the state, see the Cause...
	OffsetFamily     = 27 // u8: 4 or 6
	OffsetRule       = 28 // u16: id of the rule that wants it, 0 if none does
	OffsetReason     = 30 // u8: why a segment was refused
	OffsetBits       = 31 // u8: Bit...
	OffsetLocalPort  = 32 // u16
	OffsetRemotePort = 34 // u16
	OffsetSndUNA     = 36 // u32: the variables of RFC 9293 §3.3.1
	OffsetSndNXT     = 40
	OffsetSndWND     = 44
	OffsetRcvNXT     = 48
	OffsetRcvWND     = 52
	OffsetISS        = 56
	OffsetIRS        = 60
)

// Sections of a record, bits of OffsetSections.
const (
	SectionSegment = 1 << 0 // there is a segment, from SegmentSeq on
	SectionArgs    = 1 << 1
	SectionAddress = 1 << 2
	SectionState   = 1 << 3
	SectionOptions = 1 << 4
	SectionPayload = 1 << 5
)

// Bits of OffsetBits.
const (
	BitLeaving = 1 << 0 // the segment leaves
	BitAgain   = 1 << 1 // its first octet was sent before
	BitPassive = 1 << 2 // the open was passive
	BitOurs    = 1 << 3 // a plugin has made the segment
)

// The segment of a record. The options have the values of OptionHas....
const (
	SegmentSeq     = 64  // u32: SEG.SEQ
	SegmentAck     = 68  // u32: SEG.ACK
	SegmentFlags   = 72  // u16: Flag...
	SegmentWindow  = 74  // u16: as it stands in the header, not scaled
	SegmentUrgent  = 76  // u16: urgent pointer
	SegmentHas     = 78  // u16: which options are there
	SegmentPayload = 80  // u32: octets of payload
	SegmentTSVal   = 84  // u32
	SegmentTSEcr   = 88  // u32
	SegmentMSS     = 92  // u16
	SegmentScale   = 94  // u8: window scale
	SegmentSACKs   = 95  // u8: how many SACK blocks there are, of which three are shown
	SegmentSACK    = 96  // 3 times u32 left, u32 right
	SegmentTOS     = 120 // u8: DSCP and ECN
	SegmentTTL     = 121 // u8
	SegmentEnd     = 122 // the rest is reserved
)

// Bits of SegmentFlags.
const (
	FlagFIN = 1 << 0
	FlagSYN = 1 << 1
	FlagRST = 1 << 2
	FlagPSH = 1 << 3
	FlagACK = 1 << 4
	FlagURG = 1 << 5
	FlagECE = 1 << 6
	FlagCWR = 1 << 7
	FlagAE  = 1 << 8
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

// What a congestion controller is told and says, in place of the segment and the
// arguments.
const (
	CCCwnd      = 64  // u32: octets; may be set
	CCSsthresh  = 68  // u32: octets; may be set
	CCMSS       = 72  // u32: octets
	CCInFlight  = 76  // u32: octets
	CCAcked     = 80  // u32: octets newly acknowledged; of sent: octets sent
	CCLosses    = 84  // u32: octets lost since the last ACK
	CCFlags     = 88  // u32: CCFlag...
	CCQuantum   = 92  // u32: octets that may be sent in one go; may be set, 0: the engine's choice
	CCPacing    = 96  // u64: octets a second, 0: not paced; may be set
	CCDelivered = 104 // u64: octets delivered in the interval of the sample
	CCInterval  = 112 // i64: nanoseconds
	CCRTT       = 120 // i64: nanoseconds, 0: no sample
	CCSRTT      = 128 // i64: nanoseconds
	CCMinRTT    = 136 // i64: nanoseconds
	CCTimerAt   = 144 // i64: when to call tcpkit_cc_timer, 0: not at all; may be set
	CCIdle      = 152 // i64: nanoseconds without a segment; of tcpkit_cc_idle
	CCRTO       = 160 // i64: nanoseconds
	CCBuffer    = 168 // u32: octets that the send buffer may hold, the most that cwnd may be
	CCLimit     = 172 // u32: L of RFC 3465 §2.2, most growth by one ACK in slow start, octets; 0: no limit
	CCTotal     = 176 // u64: octets delivered since the connection began
	CCSince     = 184 // i64: of a report: when the first of its ACKs came
	CCMaxRTT    = 192 // i64: nanoseconds; of a report, as CCMinRTT then is
	CCAcks      = 200 // u32: of a report: how many ACKs are in it
	CCMarked    = 204 // u32: and how many of them had ECN-Echo
	CCEnd       = 208
)

// Bits of CCFlags.
const (
	CCFlagECE         = 1 << 0
	CCFlagAppLimited  = 1 << 1
	CCFlagInRecovery  = 1 << 2
	CCFlagCwndLimited = 1 << 3
	CCFlagRound       = 1 << 4 // the first ACK of a round trip
	CCFlagAgain       = 1 << 5 // of sent: it was sent before
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
	CausePlugin  = 5
)
