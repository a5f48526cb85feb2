;; drop-nth drops each n-th segment with data that leaves, first and repeated ones
;; alike, whatever connection it is of. What the peer lacks is sent again, so that
;; a transfer ends whole.
;;
;; The count is in the host's store, under key 0, where copies of a stack and a
;; newer drop-nth find it.
(module
  (import "tcpkit" "get" (func $get (param $key i64) (result i64)))
  (import "tcpkit" "set" (func $set (param $key i64) (param $value i64) (result i32)))

  (memory (export "memory") 1 1)
  (global $record i32 (i32.const 1024))
  (global $n (mut i64) (i64.const 0))

  (func (export "tcpkit_abi") (result i32)
    i32.const 0x10000)                        ;; version 1.0
  (func (export "tcpkit_init") (param $size i32) (result i32)
    global.get $record)

  (func (export "tcpkit_config") (result i64)
    (global.set $n (i64.load offset=128 (global.get $record)))     ;; args: n
    i64.const 0)                              ;; pass

  (func (export "tcpkit_segment_leaving") (result i64)
    (local $count i64)
    (if (i64.le_s (global.get $n) (i64.const 0))
      (then (return (i64.const 0))))
    (local.set $count (i64.add (call $get (i64.const 0)) (i64.const 1)))
    (if (i64.lt_s (local.get $count) (global.get $n))
      (then
        (drop (call $set (i64.const 0) (local.get $count)))
        (return (i64.const 0))))
    (drop (call $set (i64.const 0) (i64.const 0)))
    i64.const 2))                             ;; drop
