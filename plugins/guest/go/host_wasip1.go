package guest

import "unsafe"

// Log writes a line into the host's log.
//
//go:wasmimport tcpkit log
func Log(level uint32, text string)

// Metric counts.
//
//go:wasmimport tcpkit metric
func Metric(id uint32, value int64)

// Clock is the engine's time in nanoseconds, which is that of the record.
//
//go:wasmimport tcpkit now
func Clock() int64

// Random draws a number. The engine's seed decides which.
//
//go:wasmimport tcpkit random
func Random() uint64

// Get is what Set has kept, 0 if nothing.
//
//go:wasmimport tcpkit get
func Get(key int64) int64

// Set keeps a number, or returns 0 if there is no room.
//
//go:wasmimport tcpkit set
func Set(key, value int64) uint32

// Arm asks for a call of tcpkit_tick after so many nanoseconds.
//
//go:wasmimport tcpkit arm
func Arm(id uint32, after int64)

// inject asks for the record at an address to be sent.
//
//go:wasmimport tcpkit inject
func inject(at, size uint32) uint32

// Send asks for the first size octets of Record, as they are now, to be sent
// beside what is being done. It reports false if there is no room.
func Send(size uint32) bool { return inject(uint32(uintptr(unsafe.Pointer(&Record))), size) != 0 }
