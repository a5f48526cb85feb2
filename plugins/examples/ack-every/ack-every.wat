;; ack-every decides when data is acknowledged: at once after n segments, and later,
;; by the delayed ACK's timer, after fewer. With more than 2 it is what RFC 9293
;; §3.8.6.3 SHLD-18 advises against; RFC 5690 tells what it is good for.
(module
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

  (func (export "tcpkit_ack") (result i64)
    (i64.store offset=144 (global.get $record)                     ;; args: 1 now, 2 later
      (select (i64.const 1) (i64.const 2)
        (i64.ge_s (i64.load offset=128 (global.get $record)) (global.get $n))))  ;; args: segments
    i64.const 0x400001))                      ;; mutated 1, field_args 0x4000
