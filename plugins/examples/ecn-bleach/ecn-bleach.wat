;; ecn-bleach is a middlebox that knows no ECN: it clears the two bits of ECN in the
;; IP header of all segments (RFC 3168 §5), and the flags ECE, CWR and AE of SYNs by
;; which ends agree on ECN (§6.1.1, RFC 9768 §3.1), in both directions.
(module
  (memory (export "memory") 1 1)
  (global $record i32 (i32.const 1024))

  (func (export "tcpkit_abi") (result i32)
    i32.const 0x10000)                        ;; version 1.0
  (func (export "tcpkit_init") (param $size i32) (result i32)
    global.get $record)

  (func (export "tcpkit_segment_arriving") (export "tcpkit_segment_leaving") (result i64)
    (local $tos i32)
    (local $flags i32)
    (local $result i64)
    (local.set $tos (i32.load8_u offset=120 (global.get $record)))
    (local.set $flags (i32.load16_u offset=72 (global.get $record)))
    (if (i32.and (local.get $tos) (i32.const 3))
      (then
        (i32.store8 offset=120 (global.get $record) (i32.and (local.get $tos) (i32.const 0xfc)))
        (local.set $result (i64.const 0x10001))))                          ;; mutated 1, field_tos 0x100
    (if (i32.and (local.get $flags) (i32.const 2))                         ;; flag_syn
      (then
        (if (i32.and (local.get $flags) (i32.const 0x1c0))                 ;; flag_ece, flag_cwr, flag_ae
          (then
            (i32.store16 offset=72 (global.get $record) (i32.and (local.get $flags) (i32.const 0x3f)))
            (local.set $result (i64.or (local.get $result) (i64.const 0x401)))))))  ;; field_flags 4
    local.get $result))
