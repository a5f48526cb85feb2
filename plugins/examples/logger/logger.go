package logger

import _ "embed"

// Module is the plugin, built from logger.wat and the manifest.
//
//go:embed logger.wasm
var Module []byte

// Where the plugin keeps what it has seen, in its memory.
const (
	CountAt = 0     // u32: how many changes of state
	PairsAt = 32768 // u8 old, u8 new, of each of the last Pairs
	Pairs   = 16384
)
