//go:build !wasip1

package guest

// Without a host its functions do nothing, for tests of a plugin as ordinary Go.

// Log writes a line into the host's log.
func Log(level uint32, text string) {}

// Metric counts.
func Metric(id uint32, value int64) {}

// Clock is the engine's time in nanoseconds, which is that of the record.
func Clock() int64 { return Record.Now }

// Random draws a number. The engine's seed decides which.
func Random() uint64 { return 0 }

// Get is what Set has kept, 0 if nothing.
func Get(key int64) int64 { return 0 }

// Set keeps a number, or returns 0 if there is no room.
func Set(key, value int64) uint32 { return 0 }

// Arm asks for a call of tcpkit_tick after so many nanoseconds.
func Arm(id uint32, after int64) {}

// Send asks for the first size octets of Record, as they are now, to be sent
// beside what is being done. It reports false if there is no room.
func Send(size uint32) bool { return false }
