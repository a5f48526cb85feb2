;; chaos answers every hook with noise: it overwrites some octets of the buffer and
;; returns a verdict of any kind with any argument. Its noise comes from one word, the
;; option "seed", so that a run can be repeated.
(module
  (memory (export "memory") 2 2)
  (global $seed (mut i64) (i64.const 0x2545f4914f6cdd1d))
  (func (export "tcpkit_abi") (result i32) i32.const 0x10000)
  (func (export "tcpkit_init") (param i32) (result i32) i32.const 1024)
  (func (export "tcpkit_config") (result i64)
    (global.set $seed (i64.mul (i64.or (i64.load (i32.const 1152)) (i64.const 1)) (i64.const 0x2545f4914f6cdd1d)))
    i64.const 0)
  (func $noise (result i64)          ;; xorshift64*
    (global.set $seed (i64.xor (global.get $seed) (i64.shr_u (global.get $seed) (i64.const 12))))
    (global.set $seed (i64.xor (global.get $seed) (i64.shl (global.get $seed) (i64.const 25))))
    (global.set $seed (i64.xor (global.get $seed) (i64.shr_u (global.get $seed) (i64.const 27))))
    (i64.mul (global.get $seed) (i64.const 0x2545f4914f6cdd1d)))
  (func $chaos (export "tcpkit_tick") (export "tcpkit_drain")
    (export "tcpkit_connection_new") (export "tcpkit_connection_established") (export "tcpkit_connection_closed")
    (export "tcpkit_syn")
    (export "tcpkit_transition") (export "tcpkit_transition_arriving") (export "tcpkit_transition_leaving")
    (export "tcpkit_segment_arriving") (export "tcpkit_segment_leaving") (export "tcpkit_segment_rejected")
    (export "tcpkit_segment_arrived") (export "tcpkit_segment_left")
    (export "tcpkit_options_parse") (export "tcpkit_options_reserve") (export "tcpkit_options_write")
    (export "tcpkit_timer_armed") (export "tcpkit_timer_fired")
    (export "tcpkit_rtt") (export "tcpkit_lost") (export "tcpkit_retransmit") (export "tcpkit_phase") (export "tcpkit_spurious")
    (export "tcpkit_ack") (export "tcpkit_isn") (export "tcpkit_port")
    (export "tcpkit_write") (export "tcpkit_read")
    (export "tcpkit_ingress") (export "tcpkit_egress")
    (result i64)
    (local $n i32) (local $r i64)
    (local.set $n (i32.and (i32.wrap_i64 (call $noise)) (i32.const 15)))
    (block $done
      (loop $more
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $r (call $noise))
        (i32.store8
          (i32.add (i32.const 1024) (i32.rem_u (i32.wrap_i64 (local.get $r)) (i32.const 700)))
          (i32.wrap_i64 (i64.shr_u (local.get $r) (i64.const 32))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $more)))
    (local.set $r (call $noise))
    ;; One in four passes, half are mutations of any fields, the rest any verdict at all.
    (if (result i64) (i32.eqz (i32.and (i32.wrap_i64 (local.get $r)) (i32.const 3)))
      (then (i64.const 0))
      (else
        (if (result i64) (i32.and (i32.wrap_i64 (local.get $r)) (i32.const 1))
          (then (i64.or (i64.const 1) (i64.shl (i64.and (i64.shr_u (local.get $r) (i64.const 8)) (i64.const 0x7fff)) (i64.const 8))))
          (else (i64.and (i64.shr_u (local.get $r) (i64.const 8)) (i64.const 0xffffff0f))))))))
