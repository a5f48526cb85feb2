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
	Size        uint16    // 0
	Hook        uint16    // 2
	Sections    uint32    // 4
	Now         int64     // 8
	Conn        uint32    // 16
	Packet      uint32    // 20
	From        uint8     // 24
	To          uint8     // 25
	Cause       uint8     // 26
	Family      uint8     // 27
	Rule        uint16    // 28
	Reason      uint8     // 30
	Bits        uint8     // 31
	LocalPort   uint16    // 32
	RemotePort  uint16    // 34
	SndUNA      uint32    // 36
	SndNXT      uint32    // 40
	SndWND      uint32    // 44
	RcvNXT      uint32    // 48
	RcvWND      uint32    // 52
	ISS         uint32    // 56
	IRS         uint32    // 60
	Seq         uint32    // 64
	Ack         uint32    // 68
	Flags       uint16    // 72
	Window      uint16    // 74
	Urgent      uint16    // 76
	Has         uint16    // 78
	PayloadSize uint32    // 80
	TSVal       uint32    // 84
	TSEcr       uint32    // 88
	MSS         uint16    // 92
	Scale       uint8     // 94
	SACKs       uint8     // 95
	SACK        [6]uint32 // 96
	TOS         uint8     // 120
	TTL         uint8     // 121
	_           [6]byte
	Args        [8]uint64 // 128
	Address     [32]uint8 // 192
	_           [32]byte
	State       [256]uint8 // 256
	OptionsSize uint32     // 512
	Options     [40]uint8  // 516
	_           [20]byte
	Payload     [65536]uint8 // 576
}

// A Controller is what a hook of congestion control is told and says.
type Controller struct {
	Cwnd      uint32 // 64
	Ssthresh  uint32 // 68
	MSS       uint32 // 72
	InFlight  uint32 // 76
	Acked     uint32 // 80
	Losses    uint32 // 84
	Flags     uint32 // 88
	Quantum   uint32 // 92
	Pacing    uint64 // 96
	Delivered uint64 // 104
	Interval  int64  // 112
	RTT       int64  // 120
	SRTT      int64  // 128
	MinRTT    int64  // 136
	TimerAt   int64  // 144
	Idle      int64  // 152
	RTO       int64  // 160
	Buffer    uint32 // 168
	Limit     uint32 // 172
	Total     uint64 // 176
	Since     int64  // 184
	MaxRTT    int64  // 192
	Acks      uint32 // 200
	Marked    uint32 // 204
}
