;; again injects a copy of every segment that arrives, which if it came back would be
;; one more to copy, for ever.  THREATS P11
(module
  (import "tcpkit" "inject" (func $inject (param i32 i32) (result i32)))
  (memory (export "memory") 1 1)
  (func (export "tcpkit_abi") (result i32) i32.const 0x10000)
  (func (export "tcpkit_init") (param i32) (result i32) i32.const 1024)
  (func (export "tcpkit_segment_arriving") (result i64)
    (drop (call $inject (i32.const 1024) (i32.const 576)))
    i64.const 0))
