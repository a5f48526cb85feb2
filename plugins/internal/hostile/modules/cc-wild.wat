;; cc-wild is a congestion controller that sets all to the most there can be, and at
;; each loss to nothing.
(module
  (memory (export "memory") 1 1)
  (func (export "tcpkit_abi") (result i32) i32.const 0x10000)
  (func (export "tcpkit_init") (param i32) (result i32) i32.const 1024)
  (func $all (param $v i64)
    (i64.store (i32.const 1088) (local.get $v)) ;; cwnd, ssthresh
    (i32.store (i32.const 1116) (i32.wrap_i64 (local.get $v))) ;; quantum
    (i64.store (i32.const 1120) (local.get $v)) ;; pacing
    (i64.store (i32.const 1168) (i64.const 1))) ;; timer: long ago
  (func (export "tcpkit_cc_ack") (export "tcpkit_cc_init") (export "tcpkit_cc_timer") (result i64)
    (call $all (i64.const -1)) i64.const 0x400001)
  (func (export "tcpkit_cc_loss") (export "tcpkit_cc_rto") (export "tcpkit_cc_undo") (result i64)
    (call $all (i64.const 0)) i64.const 0x400001))
