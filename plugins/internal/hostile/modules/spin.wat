;; spin never returns from its hook.  THREATS P01
(module
  (memory (export "memory") 1 1)
  (func (export "tcpkit_abi") (result i32) i32.const 0x10000)
  (func (export "tcpkit_init") (param i32) (result i32) i32.const 1024)
  (func (export "tcpkit_segment_arriving") (result i64) (loop (br 0)) i64.const 0))
