// Code generated from plugins/abi by go test ./plugins/guest -update. DO NOT EDIT.

package guest

// The version of this package.
const (
	Version = 0x10000
)

// What a call of an import costs beside the instruction, in fuel, and how much of a text is kept.
const (
	LogSize  = 0x400
	WASISize = 0x1000
)

// The hooks.
const (
	HookABI                = 0x100
	HookInit               = 0x101
	HookConfig             = 0x102
	HookTick               = 0x103
	HookDrain              = 0x104
	HookBatch              = 0x105
	HookStart              = 0x106
	HookFetch              = 0x107
	HookClose              = 0x108
	HookConnNew            = 0x200
	HookConnEstablished    = 0x201
	HookConnClosed         = 0x202
	HookSyn                = 0x300
	HookTransition         = 0x400
	HookTransitionArriving = 0x401
	HookTransitionLeaving  = 0x402
	HookArriving           = 0x500
	HookLeaving            = 0x501
	HookRejected           = 0x502
	HookArrived            = 0x503
	HookLeft               = 0x504
	HookOptionsParse       = 0x600
	HookOptionsReserve     = 0x601
	HookOptionsWrite       = 0x602
	HookTimerArmed         = 0x700
	HookTimerFired         = 0x701
	HookRTT                = 0x800
	HookLost               = 0x801
	HookRetransmit         = 0x802
	HookPhase              = 0x803
	HookSpurious           = 0x804
	HookAck                = 0x900
	HookISN                = 0xa00
	HookPort               = 0xa01
	HookWrite              = 0xb00
	HookRead               = 0xb01
	HookIngress            = 0xc00
	HookEgress             = 0xc01
	HookCCInit             = 0xd00
	HookCCAck              = 0xd01
	HookCCLoss             = 0xd02
	HookCCECN              = 0xd03
	HookCCRTO              = 0xd04
	HookCCSent             = 0xd05
	HookCCRecoveryExit     = 0xd06
	HookCCUndo             = 0xd07
	HookCCReport           = 0xd08
	HookCCRelease          = 0xd09
	HookCCTimer            = 0xd0a
	HookCCIdle             = 0xd0b
)

// The verdicts, with their arguments.
const (
	Pass      = 0x0
	Mutated   = 0x1
	Drop      = 0x2
	Delay     = 0x3
	Duplicate = 0x4
	Inject    = 0x5
	Reset     = 0x6
	Cookie    = 0x7
	Hold      = 0x8
	Release   = 0x9
	Detach    = 0xa
	GoTo      = 0xb
	Now       = 0xc
)

// The fields that a verdict can name as changed: bits of Mutated's argument.
const (
	FieldSeq        = 0x1
	FieldAck        = 0x2
	FieldFlags      = 0x4
	FieldWindow     = 0x8
	FieldUrgent     = 0x10
	FieldOptions    = 0x20
	FieldRawOptions = 0x40
	FieldPayload    = 0x80
	FieldTOS        = 0x100
	FieldTTL        = 0x200
	FieldPorts      = 0x400
	FieldAddresses  = 0x800
	FieldLength     = 0x1000
	FieldState      = 0x2000
	FieldArgs       = 0x4000
)

// A record: 128 octets that each has, and sections behind them at places that are fixed, of which only those are written that the plugin may see and has asked for.
const (
	RecordSize = 0x80
)

// Sections of a record, bits of OffsetSections.
const (
	SectionSegment = 0x1
	SectionArgs    = 0x2
	SectionAddress = 0x4
	SectionState   = 0x8
	SectionOptions = 0x10
	SectionPayload = 0x20
)

// Bits of OffsetBits.
const (
	BitLeaving = 0x1
	BitAgain   = 0x2
	BitPassive = 0x4
	BitOurs    = 0x8
)

// Bits of SegmentFlags.
const (
	FlagFIN = 0x1
	FlagSYN = 0x2
	FlagRST = 0x4
	FlagPSH = 0x8
	FlagACK = 0x10
	FlagURG = 0x20
	FlagECE = 0x40
	FlagCWR = 0x80
	FlagAE  = 0x100
)

// Bits of SegmentHas.
const (
	OptionHasMSS           = 0x1
	OptionHasWindowScale   = 0x2
	OptionHasSACKPermitted = 0x4
	OptionHasTimestamps    = 0x8
	OptionHasSACK          = 0x10
	OptionHasFastOpen      = 0x20
	OptionHasUserTimeout   = 0x40
	OptionHasUnknown       = 0x80
	OptionHasMalformed     = 0x100
)

// What a congestion controller is told and says, in place of the segment and the arguments.
const (
	CCFlags = 0x58
)

// Bits of CCFlags.
const (
	CCFlagECE         = 0x1
	CCFlagAppLimited  = 0x2
	CCFlagInRecovery  = 0x4
	CCFlagCwndLimited = 0x8
	CCFlagRound       = 0x10
	CCFlagAgain       = 0x20
)

// The states, RFC 9293 §3.3.2.
const (
	StateClosed      = 0x0
	StateListen      = 0x1
	StateSynSent     = 0x2
	StateSynReceived = 0x3
	StateEstablished = 0x4
	StateFinWait1    = 0x5
	StateFinWait2    = 0x6
	StateCloseWait   = 0x7
	StateClosing     = 0x8
	StateLastAck     = 0x9
	StateTimeWait    = 0xa
)

// What changes a state.
const (
	CauseSegment = 0x1
	CauseCall    = 0x2
	CauseTimer   = 0x3
	CauseICMP    = 0x4
	CausePlugin  = 0x5
)

// A Buffer is a record and its sections.
type Buffer struct {
	Size        uint16    // 0: RecordSize
	Hook        uint16    // 2: the Hook
	Sections    uint32    // 4: which sections are there, Section...
	Now         int64     // 8: nanoseconds
	Conn        uint32    // 16: id of the connection, 0 if there is none
	Packet      uint32    // 20: ordinal of the packet that is being handled, 0 if none is
	From        uint8     // 24: the old state, or the state
	To          uint8     // 25: the new state, or the state
	Cause       uint8     // 26: what changed the state, see the Cause...
	Family      uint8     // 27: 4 or 6
	Rule        uint16    // 28: id of the rule that wants it, 0 if none does
	Reason      uint8     // 30: why a segment was refused
	Bits        uint8     // 31: Bit...
	LocalPort   uint16    // 32
	RemotePort  uint16    // 34
	SndUNA      uint32    // 36: the variables of RFC 9293 §3.3.1
	SndNXT      uint32    // 40
	SndWND      uint32    // 44
	RcvNXT      uint32    // 48
	RcvWND      uint32    // 52
	ISS         uint32    // 56
	IRS         uint32    // 60
	Seq         uint32    // 64: SEG.SEQ
	Ack         uint32    // 68: SEG.ACK
	Flags       uint16    // 72: Flag...
	Window      uint16    // 74: as it stands in the header, not scaled
	Urgent      uint16    // 76: urgent pointer
	Has         uint16    // 78: which options are there
	PayloadSize uint32    // 80: octets of payload
	TSVal       uint32    // 84
	TSEcr       uint32    // 88
	MSS         uint16    // 92
	Scale       uint8     // 94: window scale
	SACKs       uint8     // 95: how many SACK blocks there are, of which three are shown
	SACK        [6]uint32 // 96: 3 times u32 left, u32 right
	TOS         uint8     // 120: DSCP and ECN
	TTL         uint8     // 121
	_           [6]byte
	Args        [8]uint64 // 128: 8 times u64: what the hook says beside, and may be told
	Address     [32]uint8 // 192: 16 octets local, 16 octets remote; with grant observe
	_           [32]byte
	State       [256]uint8 // 256: what the plugin keeps of the connection; its size is in the manifest
	OptionsSize uint32     // 512: u32 size, 40 octets of options as they stand in the header; with grant options
	Options     [40]uint8  // 516
	_           [20]byte
	Payload     [65536]uint8 // 576: octets of payload, or of a packet; with grant payload or link
}

// A Controller is what a hook of congestion control is told and says.
type Controller struct {
	Cwnd      uint32 // 64: octets; may be set
	Ssthresh  uint32 // 68: octets; may be set
	MSS       uint32 // 72: octets
	InFlight  uint32 // 76: octets
	Acked     uint32 // 80: octets newly acknowledged; of sent: octets sent
	Losses    uint32 // 84: octets lost since the last ACK
	Flags     uint32 // 88: CCFlag...
	Quantum   uint32 // 92: octets that may be sent in one go; may be set, 0: the engine's choice
	Pacing    uint64 // 96: octets a second, 0: not paced; may be set
	Delivered uint64 // 104: octets delivered in the interval of the sample
	Interval  int64  // 112: nanoseconds
	RTT       int64  // 120: nanoseconds, 0: no sample
	SRTT      int64  // 128: nanoseconds
	MinRTT    int64  // 136: nanoseconds
	TimerAt   int64  // 144: when to call tcpkit_cc_timer, 0: not at all; may be set
	Idle      int64  // 152: nanoseconds without a segment; of tcpkit_cc_idle
	RTO       int64  // 160: nanoseconds
	Buffer    uint32 // 168: octets that the send buffer may hold, the most that cwnd may be
	Limit     uint32 // 172: L of RFC 3465 §2.2, most growth by one ACK in slow start, octets; 0: no limit
	Total     uint64 // 176: octets delivered since the connection began
	Since     int64  // 184: of a report: when the first of its ACKs came
	MaxRTT    int64  // 192: nanoseconds; of a report, as CCMinRTT then is
	Acks      uint32 // 200: of a report: how many ACKs are in it
	Marked    uint32 // 204: and how many of them had ECN-Echo
}
