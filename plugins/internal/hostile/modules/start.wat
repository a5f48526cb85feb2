;; start never ends its start function.  THREATS P05
(module
  (memory (export "memory") 1 1)
  (func (export "tcpkit_abi") (result i32) i32.const 0x10000)
  (func (export "tcpkit_init") (param i32) (result i32) i32.const 1024)
  (func $start (loop (br 0)))
  (start $start)
  (func (export "tcpkit_segment_arriving") (result i64) i64.const 0))
