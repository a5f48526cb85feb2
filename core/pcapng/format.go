package pcapng

// LinkTypeRaw is LINKTYPE_RAW: a packet begins with its IPv4 or IPv6 header.
const LinkTypeRaw = 101

// Direction is which way a packet went, as bits 0 and 1 of epb_flags, §4.3.1.
type Direction uint8

// The directions.
const (
	Unknown Direction = iota
	Inbound
	Outbound
)

// Error is why a Reader stopped.
type Error uint8

// The errors.
const (
	ErrNotPcapng Error = iota + 1
	ErrVersion
	ErrTruncated
	ErrBlock
	ErrInterface
	ErrInterfaces
)

var errorTexts = [...]string{
	ErrNotPcapng:  "pcapng: not a pcapng file",
	ErrVersion:    "pcapng: not version 1 of the format",
	ErrTruncated:  "pcapng: the file ends within a block",
	ErrBlock:      "pcapng: a block's lengths contradict each other",
	ErrInterface:  "pcapng: a packet is of an interface that is not described",
	ErrInterfaces: "pcapng: more interfaces than a Reader keeps",
}

// Error returns what is wrong.
func (e Error) Error() string {
	if int(e) < len(errorTexts) && errorTexts[e] != "" {
		return errorTexts[e]
	}
	return "pcapng: unknown error"
}

// Block types, §4.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockSimple    = 3
	blockPacket    = 6
)

// Option codes, §3.5 and §4.1 to §4.3; each block has its own above 1.
const (
	optEnd         = 0
	optComment     = 1
	optPacketFlags = 2
	optName        = 2
	optDescription = 3
	optApplication = 4
	optResolution  = 9
	optTimeOffset  = 14
)

const (
	byteOrderMagic = 0x1a2b3c4d
	nanoseconds    = 9 // if_tsresol: ten to the minus nine
)
