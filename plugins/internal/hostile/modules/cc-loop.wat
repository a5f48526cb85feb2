;; cc-loop is a congestion controller that answers well until its hundredth ACK, from
;; which it does not come back.
(module
  (memory (export "memory") 1 1)
  (global $acks (mut i32) (i32.const 0))
  (func (export "tcpkit_abi") (result i32) i32.const 0x10000)
  (func (export "tcpkit_init") (param i32) (result i32) i32.const 1024)
  (func (export "tcpkit_cc_ack") (result i64)
    (global.set $acks (i32.add (global.get $acks) (i32.const 1)))
    (if (i32.ge_u (global.get $acks) (i32.const 100)) (then (loop $ever (br $ever))))
    (i32.store (i32.const 1088) (i32.add (i32.load (i32.const 1088)) (i32.load (i32.const 1104)))) ;; cwnd += acked
    i64.const 0x400001)
  (func $halve (export "tcpkit_cc_loss") (export "tcpkit_cc_rto") (result i64)
    (i32.store (i32.const 1092) (i32.shr_u (i32.load (i32.const 1100)) (i32.const 1))) ;; ssthresh = half of the flight
    i64.const 0x400001))
