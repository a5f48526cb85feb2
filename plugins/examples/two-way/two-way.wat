;; two-way asks what the third segment of the handshake is for: a server that has got
;; a SYN takes the connection for established. With it an old SYN that comes late makes
;; a connection whose client knows nothing of it (RFC 9293 §3.5, figure 9).
(module
  (memory (export "memory") 1 1)

  (func (export "tcpkit_abi") (result i32)
    i32.const 0x10000)                        ;; version 1.0
  (func (export "tcpkit_init") (param $size i32) (result i32)
    i32.const 1024)

  (func (export "tcpkit_transition") (result i64)
    i64.const 0x40b))                         ;; go_to 11, state_established 4
