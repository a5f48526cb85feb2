package abi

// The import of the browser's module, and the exports by which an embedder asks
// it for what a plugin has imported. See "The embedder of the browser's module".
const (
	ImportPlugin = "plugin"               // (id i32, hook i32, frame i32) -> i64
	ExportImport = "tcpkit_plugin_import" // (id i32, what i32, a i64, b i64) -> i64
	ExportRoom   = "tcpkit_plugin_room"   // (id i32, size i32) -> i32
)

// A frame.
const (
	FrameFuel      = 0   // i64: what the call may use, and then what is left
	FrameTrap      = 8   // u32: then Trap..., or 0
	FrameArg       = 12  // u32: argument of the export, if it takes one
	FrameImage     = 16  // u32: address of the image; of HookStart: of the module
	FrameSize      = 20  // u32: of HookStart: octets of the module; of HookInit: then octets of the plugin's memory
	FrameNames     = 24  // u32: of HookStart: address of the names of exports
	FrameNamesSize = 28  // u32: octets of them
	FrameParts     = 32  // u32: how many parts follow
	FramePart      = 36  // of each: u32 where it stands in image and buffer, u32 octets
	FrameEnd       = 100 // 8 parts at most
)

// What ends a call before its time. Of TrapExit the bits from 8 on are the code.
const (
	TrapOther       = 1  // the engine does not tell
	TrapUnreachable = 2  // the instruction, which a guest's own checks end in, and calls too deep
	TrapMemory      = 3  // an address out of bounds
	TrapTable       = 4  // call_indirect of nothing, or of another type; a table out of bounds
	TrapDivide      = 5  // an integer divided by zero
	TrapRange       = 6  // a number that its type cannot hold
	TrapStack       = 7  // the engine's own stack is full
	TrapFuel        = 8  // it used up its fuel
	TrapExit        = 9  // proc_exit
	TrapEarly       = 10 // the start function has called an import
	TrapRefused     = 11 // of HookStart: the engine does not take the module
)

// What ExportImport is asked for, with its arguments. A text or a record stands in
// the room.
const (
	AskLog     = 1  // level, size
	AskMetric  = 2  // id, value
	AskNow     = 3  // its result is the time
	AskRandom  = 4  // its result is the number
	AskGet     = 5  // key; its result is the value
	AskSet     = 6  // key, value; its result is 1 or 0
	AskArm     = 7  // id, nanoseconds
	AskInject  = 8  // size; its result is 1 or 0
	AskClock   = 16 // of WASI; its result is the time
	AskSleep   = 17 // of WASI: 1 if to an instant, nanoseconds
	AskWrite   = 18 // of WASI: stream 1 or 2, size
	AskRefused = 32 // not asked but told: 0, size; why the module was not taken
)
