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
//	tcpkit_buffer   (size i32) -> i32           address of the one buffer, of size octets at least; it may move then
//	tcpkit_transfer (size i32) -> i32           the buffer holds Options: run them, leave a Result
//	tcpkit_plugin   (id i32, size i32) -> i32   the buffer holds a plugin's file: it is called as id from the next run on
//	tcpkit_plugin_error () -> i32               why it is not called any more, 0 while it is
//
// Sizes are those of what lies in the buffer, in octets. The result is the size
// of what lies there then; if it is negative, that is an error in words, as
// long as the number without its sign. The records are those of package
// skeleton.
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
// This is a skeleton: one kind of run, to its end in one call. Built for another
// platform than wasip1 it is the program that builds the module.
package main
