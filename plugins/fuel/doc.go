// Package fuel checks a WASM module and rewrites it so that it pays for what it
// does, in every engine the same (THREATS P01 to P04, P16):
//
//	module, err := fuel.Rewrite(wasm, fuel.DefaultLimits())
//
// The rewritten module exports two more globals. The host sets Global to what a
// call may use before the call, and reads after it what is left; below zero it
// has run out. Otherwise the module is used like the original.
//
// # What is paid
//
// Every instruction costs 1, but block, loop, else, end and nop, which cost
// nothing. A call of a host function costs 50 more (call_indirect does not), as
// do memory.grow and table.grow; the other instructions for ranges of memory and
// tables cost 10 more; multiplication, division, square root and change of size of
// floats 20, as long as they take with numbers that are all but zero. Beside that there
// is a price by length: 1 for 8 octets of memory and for an entry of a table, 8192 for
// a page that memory grows by. Growing by more than Limits allow costs no more than
// growing by all that they allow.
//
// A basic block is paid for before its first instruction, and what takes a
// length before it runs. When that leaves less than nothing, the module traps and
// nothing of it is done. Code behind a block, loop or if, out of which no branch
// leads any further, is done exactly as often as what stands before, and is paid
// together with that. So a call that ends has paid for exactly what it has done,
// and one that ends by a trap possibly for some more. Each iteration of a loop
// pays, and so does each call: nothing goes on for ever.
//
// Within a function the fuel is in a local. Global has it while another function
// runs, a host function too (which may take from it), and after a call, a trap for
// want of fuel or depth, or the instruction unreachable. After another trap it
// has what it had at the last call or return: the same in every engine, but more
// than is left. A host lets an instance go that trapped, and charges it the whole
// budget.
//
// # Depth
//
// A function that calls others weighs its locals, the most operands that it has,
// and 24. All that run may weigh Limits.Depth together; beyond that the module
// traps. Functions that call nothing but the host are not counted: there is one of
// them at a time. Engines overflow their own stack each in another place: the limit
// of 32768 comes first in wazero's compiler and its interpreter, and in node with a
// third of its stack.
//
// # NaNs
//
// WASM leaves the sign and payload of a NaN that an operation makes to the
// engine. A module can see them only as integers or as memory, or through the
// sign that copysign takes over: before f32.store, f64.store, the two
// reinterpretations to integers and copysign a NaN becomes the canonical one. All
// else that a float can do (comparisons, conversions to integers, select, locals,
// globals) gives the same for every NaN. So two runs have the same memory and the
// same integers. Floats that leave by an export or a host function are as the
// engine has them; no call of the plugin boundary has any.
//
// # What is refused
//
// What Limits bounds; SIMD, threads, tail calls, exceptions, garbage-collected
// objects, typed references, 64-bit memories, more than one memory, constant
// expressions that calculate, imports that are no functions, and exports by the
// names that are added. Whether types fit is for the engine to check: what was not
// valid before is not valid afterwards. The maxima of memory and tables are cut to
// Limits, so that growing further fails as WASM has it. Custom sections are dropped
// but for the names of functions, which engines show where a module trapped.
//
// # Figures
//
// Measured with wazero's compiler on two cores of a Xeon. A million of fuel takes
// 0.1 to 1 ms, whatever the instructions. What calculates takes 1.0 to 1.3 times as
// long as without fuel (BenchmarkFuel, which also tells what else was tried), and a
// loop whose turn is a single cycle 2.3 times.
//
// A Go guest of 1.8 MB (Go 1.26, TestGoGuest) becomes one of 2.5 MB in 17 ms, and
// compiles in 0.9 s rather than 0.6 s. It needs 37 pages when it is initialised, 43
// after its first collection, and a depth of 901; _initialize takes 590,000, a
// call of an export 52, a collection 1,100,000 with an empty heap, and 36,000,000
// with 32,767 objects on it. Its own recursions take little depth, since the
// runtime unwinds the stack whenever a goroutine's grows: 4828 deep are possible.
package fuel
