package guest

import "unsafe"

// Record is the buffer that plugin and host share.
var Record Buffer

// Control is what a hook of congestion control has in place of the segment and
// the arguments.
var Control = (*Controller)(unsafe.Pointer(&Record.Seq))

// Levels of Log.
const (
	LevelDebug = 0
	LevelInfo  = 1
	LevelWarn  = 2
	LevelError = 3
)

// Mutate is the result of a hook that has changed the fields named.
func Mutate(fields int64) int64 { return With(Mutated, fields) }

// With is the result of a hook: a verdict and its argument.
func With(verdict, argument int64) int64 { return verdict | argument<<8 }

// Has reports whether a section is there, or all of some.
func Has(section uint32) bool { return Record.Sections&section == section }

// Flags reports which of some flags the segment has.
func Flags(some uint16) uint16 { return Record.Flags & some }

// Text is the text of the options that the user has set, a line of key=value
// each, in tcpkit_config.
func Text() string { return string(Record.Payload[:Record.PayloadSize]) }

//go:wasmexport tcpkit_abi
func version() uint32 { return Version }

//go:wasmexport tcpkit_init
func buffer(size uint32) uint32 {
	if size > uint32(unsafe.Sizeof(Record)) {
		return 0
	}
	return uint32(uintptr(unsafe.Pointer(&Record)))
}
