;; pointers hands the host addresses and lengths that lead out of its memory, one
;; more with each call: text for the log and segments to inject.  THREATS P07
(module
  (import "tcpkit" "log" (func $log (param i32 i32 i32)))
  (import "tcpkit" "inject" (func $inject (param i32 i32) (result i32)))
  (memory (export "memory") 1 1)
  (global $turn (mut i32) (i32.const 0))
  (func (export "tcpkit_abi") (result i32) i32.const 0x10000)
  (func (export "tcpkit_init") (param i32) (result i32) i32.const 1024)
  ;; pairs of address and length
  (data (i32.const 0)
    "\00\00\00\00\ff\ff\ff\ff"  ;; all of it, and more
    "\ff\ff\ff\ff\01\00\00\00"  ;; the last octet that there can be
    "\ff\ff\ff\ff\ff\ff\ff\ff"  ;; a sum that overflows
    "\00\00\01\00\01\00\00\00"  ;; the octet behind the end
    "\ff\ff\00\00\02\00\00\00"  ;; over the end by one
    "\00\00\01\00\00\00\00\00"  ;; nothing, at the end: that is legal
    "\00\00\00\80\00\00\00\80")
  (func (export "tcpkit_segment_arriving") (result i64)
    (local $p i32)
    (local.set $p (i32.mul (i32.rem_u (global.get $turn) (i32.const 7)) (i32.const 8)))
    (if (i32.lt_u (global.get $turn) (i32.const 7))
      (then (call $log (i32.const 0) (i32.load (local.get $p)) (i32.load offset=4 (local.get $p))))
      (else (drop (call $inject (i32.load (local.get $p)) (i32.load offset=4 (local.get $p))))))
    (global.set $turn (i32.add (global.get $turn) (i32.const 1)))
    i64.const 0))
