;; edges does something at one change of state, and says of each of its hooks that it
;; has seen that change: it logs the head of the record.
;;
;; Options: the old state, the new one, what to do there, and whether the plugin itself
;; is to order the change.
;;   1  give the segment that is about to cause it the window 4242
;;   2  take all its flags, so that it causes nothing
;;   3  give the segment that leaves by it the window 4242
(module
  (import "tcpkit" "log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 1 1)
  (global $from (mut i32) (i32.const 0))
  (global $to (mut i32) (i32.const 0))
  (global $do (mut i32) (i32.const 0))
  (global $order (mut i32) (i32.const 0))

  (func (export "tcpkit_abi") (result i32) i32.const 0x10000)
  (func (export "tcpkit_init") (param i32) (result i32) i32.const 1024)
  (func (export "tcpkit_config") (result i64)      ;; args: 1024 + 128
    (global.set $from (i32.load (i32.const 1152)))
    (global.set $to (i32.load (i32.const 1160)))
    (global.set $do (i32.load (i32.const 1168)))
    (global.set $order (i32.load (i32.const 1176)))
    i64.const 0)

  ;; whether the record is of that change; then it is logged.
  (func $mine (result i32)
    (if (i32.or
          (i32.ne (i32.load8_u offset=1024 (i32.const 24)) (global.get $from))
          (i32.ne (i32.load8_u offset=1024 (i32.const 25)) (global.get $to)))
      (then (return (i32.const 0))))
    (call $log (i32.const 0) (i32.const 1024) (i32.const 32))
    i32.const 1)

  (func $mark (result i64)
    (i32.store16 offset=1024 (i32.const 74) (i32.const 4242))
    i64.const 0x801)                               ;; mutated 1, field_window 8

  (func (export "tcpkit_transition") (result i64)
    (if (i32.and (global.get $order)
          (i32.eq (i32.load8_u offset=1024 (i32.const 25)) (global.get $from)))
      (then (return                                ;; go_to 11, the state
        (i64.or (i64.const 11) (i64.shl (i64.extend_i32_u (global.get $to)) (i64.const 8))))))
    (drop (call $mine))
    i64.const 0)

  (func (export "tcpkit_transition_arriving") (result i64)
    (if (i32.eqz (call $mine)) (then (return (i64.const 0))))
    (if (i32.eq (global.get $do) (i32.const 1)) (then (return (call $mark))))
    (if (i32.eq (global.get $do) (i32.const 2))
      (then
        (i32.store16 offset=1024 (i32.const 72) (i32.const 0))
        (return (i64.const 0x401))))               ;; mutated 1, field_flags 4
    i64.const 0)

  (func (export "tcpkit_transition_leaving") (result i64)
    (if (i32.eqz (call $mine)) (then (return (i64.const 0))))
    (if (i32.eq (global.get $do) (i32.const 3)) (then (return (call $mark))))
    i64.const 0))
