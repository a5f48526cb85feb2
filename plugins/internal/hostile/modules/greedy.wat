;; greedy computes for as long as it may and a little less: legal, and slow. It does
;; 4096 turns of a small loop.  THREATS P13
(module
  (memory (export "memory") 1 1)
  (func (export "tcpkit_abi") (result i32) i32.const 0x10000)
  (func (export "tcpkit_init") (param i32) (result i32) i32.const 1024)
  (func (export "tcpkit_segment_arriving") (result i64)
    (local $n i32)
    (local.set $n (i32.const 4096))
    (loop $more (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    i64.const 0))
