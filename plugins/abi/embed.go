package abi

// The import of the browser's module, and the exports by which an embedder asks
// for what a plugin has imported. See the last chapter of the package's text.
const (
	ImportPlugin = "plugin"               // (id i32, hook i32, frame i32) -> i64
	ExportImport = "tcpkit_plugin_import" // (id i32, what i32, a i64, b i64) -> i64
	ExportRoom   = "tcpkit_plugin_room"   // (id i32, size i32) -> i32
)

// A frame of tcpkit.plugin.
const (
	FrameFuel    = 0  // i64: what the call may use, and then what is left
	FrameTrap    = 8  // u32: then Trap..., 0 if it has not trapped
	FrameArg     = 12 // u32: argument of the export, if it takes one
	FrameImage   = 16 // u32: address of the image, or of the module
	FrameSize    = 20 // u32: octets of the module
	FrameParts   = 24 // u32: how many parts follow
	FramePart    = 28 // of each: u32 offset in the image and in the buffer, u32 octets
	FramePartEnd = FramePart + 8*FrameMost
	FrameMost    = 8 // parts
)

// What ends a call before its time. Of TrapExit the bits from 8 on are the code.
const (
	TrapOther       = 1  // the engine does not tell
	TrapUnreachable = 2  // the instruction, which a guest's own checks end in too
	TrapMemory      = 3  // an address out of bounds
	TrapTable       = 4  // call_indirect of nothing, or of another type; a table out of bounds
	TrapDivide      = 5  // an integer divided by zero
	TrapRange       = 6  // a number that its type cannot hold
	TrapStack       = 7  // stack overflow, which the depth that fuel counts prevents
	TrapFuel        = 8  // it used up its fuel
	TrapExit        = 9  // proc_exit
	TrapEarly       = 10 // the start function has called an import
)

// What ExportImport is asked for, with its arguments; text stands in the room.
const (
	AskLog    = 1 // level, size
	AskMetric = 2 // id, value
	AskNow    = 3
	AskRandom = 4
	AskGet    = 5  // key
	AskSet    = 6  // key, value
	AskArm    = 7  // id, nanoseconds
	AskInject = 8  // size
	AskClock  = 16 // of WASI
	AskSleep  = 17 // of WASI: 1 if absolute, nanoseconds
	AskWrite  = 18 // of WASI: stream, size
)
