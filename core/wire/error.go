package wire

// Error is why a text is not an address.
type Error uint8

// The errors.
const (
	ErrAddr Error = iota + 1
	ErrPrefix
)

func (e Error) Error() string {
	switch e {
	case ErrAddr:
		return "not an IP address"
	case ErrPrefix:
		return "not an IP address and prefix length"
	default:
		return "unknown error"
	}
}
