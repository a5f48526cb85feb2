// Package abi is the boundary between tcpkit and a plugin: the names that a
// plugin exports, the records that it is shown, and what it may answer. It is
// the one text that the host in Go, the host in JavaScript and the kits for
// authors are held to; it has constants and prose, and imports nothing.
//
// # A plugin
//
// A plugin is one core WASM module. It exports
//
//	memory                             its memory
//	tcpkit_abi  () -> i32              the Version that it was written for; called first
//	tcpkit_init (size i32) -> i32      the address of a buffer of size octets, or 0: it cannot run
//	tcpkit_...  () -> i64              a hook, for each that it wants; see Exports
//
// A hook that is not exported costs its plugin nothing. The names that begin
// with "tcpkit_" belong to this package: one that is not known here is refused,
// since it is most likely misspelt. A module that was built as a WASI reactor
// exports _initialize too, which then is called before all else. In this
// version a plugin has no imports.
//
// The host asks for BufferSize octets at init, once. For each event it writes
// one record at that address and calls one export; what the plugin changes, it
// changes in the record, and its verdict is the result. Nothing else crosses.
//
// # Versions
//
// Version is Major<<16 | Minor. A plugin runs if its Major is that of the host
// and its Minor not above: a host knows all that hosts of lower Minor knew.
// Numbers that stand here are never used for something else, records only grow
// at their end, and each begins with its size; a plugin reads what it knows
// and leaves the rest.
//
// # Records
//
// Numbers are little-endian and stand at multiples of their own size. Octets
// of addresses stand in network order; an IPv4 address stands in its mapped
// form ::ffff:a.b.c.d, and the family says which it is. Octets without a name
// are zero, and reserved. Times are nanoseconds of the engine's clock, which
// has no epoch.
//
// All records begin alike, up to offset CommonSize: see the constants Offset....
// The transition record is those, with what changed. The segment record goes on
// with the segment: see the constants Segment....
//
// # Verdicts
//
// A hook returns Verdict | argument<<8; the highest bit stays zero, since
// negative results are the engine's: Trapped, NoPlugin. This version obeys
// Pass and Detach of every hook, and Drop of arriving and leaving segments;
// the other numbers are taken for what is to come, and end a plugin that
// returns them now.
//
// # The embedder of the browser's module
//
// In a browser tab the engine itself is a WASM module (hosts/wasm), and plugins
// run beside it. The module reaches them by one import,
//
//	tcpkit.plugin (id i32, hook i32, ptr i32) -> i64
//
// where ptr is the address of a record in the module's memory, that begins with
// its size. The embedder copies the record into the plugin's buffer, calls the
// export for the hook, copies the record back and returns the verdict. Two
// hooks have no record: for HookABI it returns what tcpkit_abi returns, for
// HookInit, with the size in place of ptr, what tcpkit_init returns, and
// remembers the address. It returns Trapped if the plugin trapped, the export
// is not there, or the buffer is not within the plugin's memory. An embedder
// without plugins returns NoPlugin always.
package abi
