// Wasm is the engine as a WASM module, for a browser tab, Node, wazero or any
// other host:
//
//	go run ./hosts/wasm tcpkit.wasm
//
// Package build, beside this one, has the flags, and makes the module a fifth
// smaller than the linker leaves it.
//
// Its host calls _initialize once, and then its exports, one at a time:
//
//	tcpkit_buffer(size i32) i32                address of the one buffer, of size octets at least; it may move then. 0: too large
//	tcpkit_file(nameSize, size i32) i32        a name and a plugin's file, one after the other
//	tcpkit_transfer(octets i64, mtu i32) i32   packets that a transfer took inside the module, for measuring
//
// Stacks, whose doc is package core's:
//
//	tcpkit_stack_new(size i32) i32             addresses, profile and settings as on a scenario's host line, and 16 octets of secret
//	tcpkit_stack_clone(stack i32) i32
//	tcpkit_stack_free(stack i32) i32
//	tcpkit_stack_input(stack i32, now i64, size i32) i32
//	tcpkit_stack_output(stack i32, now i64) i32
//	tcpkit_stack_expire(stack i32, now i64) i32
//	tcpkit_stack_deadline(stack i32) i64       -1: there is no such stack
//	tcpkit_stack_ready(stack i32) i32          three u32: what became possible, connection, listener
//	tcpkit_stack_record(stack, mask i32) i32   the kinds of events that are logged
//	tcpkit_stack_events(stack i32) i32         records of seven u64, those of package event
//	tcpkit_stack_hash(stack i32) i32           8 octets, the most significant first
//	tcpkit_stack_fingerprint(stack i32, now i64) i32
//	tcpkit_stack_capture(stack, most i32) i32  a file of the packets from now on, of so many octets at most; 0 ends it
//	tcpkit_stack_pcapng(stack i32) i32         that file
//	tcpkit_stack_status(stack i32, now i64) i32                 JSON
//	tcpkit_stack_plugin(stack i32, now i64, size i32) i32       NAME,option=value of a file
//	tcpkit_stack_plugin_errors(stack i32) i32                   lines of name, tab, error
//	tcpkit_listen(stack i32, now i64, backlog, size i32) i32    "10.0.0.1:80" or ":80"; a listener
//	tcpkit_accept(stack, listener i32, now i64) i32             a connection
//	tcpkit_unlisten(stack, listener i32, now i64) i32
//	tcpkit_dial(stack i32, now i64, size i32) i32               "REMOTE" or "REMOTE LOCAL"; a connection
//	tcpkit_read(stack, conn i32, now i64, most i32) i32         0 at the end of the stream
//	tcpkit_write(stack, conn i32, now i64, size i32) i32
//	tcpkit_shutdown(stack, conn i32, now i64, what i32) i32     1: reading, 2: writing
//	tcpkit_close(stack, conn i32, now i64) i32
//	tcpkit_abort(stack, conn i32, now i64) i32
//	tcpkit_set(stack, conn i32, now i64, option i32, value i64) i32   options by the numbers of package kit
//	tcpkit_error(stack, conn i32) i32                           why it has ended
//
// Runs of scenarios, packages core/scenario and kit:
//
//	tcpkit_run_new(textSize, size i32) i32     a scenario's text, and extra lines behind it
//	tcpkit_run_clone(run i32) i32
//	tcpkit_run_free(run i32) i32
//	tcpkit_run_step(run, n i32) i32            how many steps were made
//	tcpkit_run_finish(run i32) i32
//	tcpkit_run_seek(run, step i32) i32         where it is then
//	tcpkit_run_at(run i32) i32
//	tcpkit_run_steps(run i32) i32
//	tcpkit_run_ended(run i32) i32              1 or 0
//	tcpkit_run_length(run i32) i32             items of the timeline so far
//	tcpkit_run_head(run i32) i32               JSON; items, view and check too
//	tcpkit_run_items(run, from, upto i32) i32
//	tcpkit_run_view(run, host i32) i32
//	tcpkit_run_check(run i32) i32
//	tcpkit_run_packet(run, id i32) i32
//	tcpkit_run_pcapng(run, host i32) i32
//	tcpkit_run_hash(run i32) i32
//	tcpkit_run_fingerprint(run i32) i32
//
// Sizes are those of what lies in the buffer, in octets; times are nanoseconds. The
// result is the size of what lies in the buffer then, or a count, or a handle. If it is
// negative that is an error in words, as long as the number without its sign; but
// -2^31 says that nothing can be done now. Package kit is what the exports do.
//
// It imports the ten WASI calls of the Go runtime, and tcpkit.plugin, by which its
// host runs plugins. js/plugins.mjs, beside this package, does that in a browser and in
// Node; package plugins/abi says how, and what tcpkit_plugin_import and
// tcpkit_plugin_room are for. A host without plugins gives it
//
//	plugin: () => -2n
//
// Nothing that the module is built from uses fmt, os, encoding/json or reflect:
// each costs a third of the budget of 1 MB, compressed. Tests pin the imports,
// the packages and the size.
//
// The folder examples has one program each for Node, a page and wazero.
//
// Built for another platform than wasip1 this is the program that builds the module.
package main
