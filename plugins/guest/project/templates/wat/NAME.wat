;; {{.Name}} marks the segments that leave, and tells when a connection is established.
(module
  (import "tcpkit" "log" (func $log (param $level i32) (param $text i32) (param $size i32)))
  (import "tcpkit" "metric" (func $metric (param $id i32) (param $value i64)))

  (memory (export "memory") 1 1)
  (data (i32.const 16) "a connection is established")
  (global $record i32 (i32.const 1024))       ;; where the host writes a record
  (global $tos (mut i32) (i32.const 0))

  (func (export "tcpkit_abi") (result i32)
    i32.const 0x10000)                        ;; version 1.0
  (func (export "tcpkit_init") (param $size i32) (result i32)
    global.get $record)

  ;; The user's options, in the order of the manifest: {{.Name}}.wasm,tos=40
  (func (export "tcpkit_config") (result i64)
    (global.set $tos (i32.load8_u offset=128 (global.get $record)))      ;; args
    i64.const 0)                              ;; pass

  ;; A segment leaves. Its two bits of ECN are not ours.
  (func (export "tcpkit_segment_leaving") (result i64)
    (call $metric (i32.const 0) (i64.load32_u offset=80 (global.get $record)))  ;; payload_size
    (i32.store8 offset=120 (global.get $record)                          ;; tos
      (i32.or
        (i32.and (global.get $tos) (i32.const 0xfc))
        (i32.and (i32.load8_u offset=120 (global.get $record)) (i32.const 3))))
    i64.const 0x10001)                        ;; mutated 1, field_tos 0x100

  ;; A connection has changed its state.
  (func (export "tcpkit_transition") (result i64)
    (if (i32.eq (i32.load8_u offset=25 (global.get $record)) (i32.const 4))  ;; to, state_established
      (then (call $log (i32.const 1) (i32.const 16) (i32.const 27))))
    i64.const 0))

{{.Prelude -}}
