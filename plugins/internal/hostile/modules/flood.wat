;; flood writes a thousand lines to the log in each call.  THREATS P19
(module
  (import "tcpkit" "log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 1 1)
  (data (i32.const 16) "all work and no play")
  (func (export "tcpkit_abi") (result i32) i32.const 0x10000)
  (func (export "tcpkit_init") (param i32) (result i32) i32.const 1024)
  (func (export "tcpkit_segment_arriving") (result i64)
    (local $n i32)
    (local.set $n (i32.const 1000))
    (loop $more
      (call $log (i32.const 1) (i32.const 16) (i32.const 20))
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    i64.const 0))
