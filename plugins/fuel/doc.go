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
// nothing. Beside that memory.copy, fill and init cost 1 for 8 octets, their
// table kin and table.grow 1 for an entry, and memory.grow 8192 for a page, no
// more than for as many pages as it may have.
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
// and 24, while it waits. All together may weigh Limits.Depth; beyond that the
// module traps. Host functions and functions that call nothing else are not
// counted: there is one of them at most. The limit lies far below where engines
// overflow their own stack, which they do each in another place.
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
package fuel
