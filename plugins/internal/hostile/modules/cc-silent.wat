;; cc-silent is a congestion controller that has nothing to say of a loss.
(module
  (memory (export "memory") 1 1)
  (func (export "tcpkit_abi") (result i32) i32.const 0x10000)
  (func (export "tcpkit_init") (param i32) (result i32) i32.const 1024)
  (func (export "tcpkit_cc_ack") (export "tcpkit_cc_loss") (export "tcpkit_cc_rto") (result i64) i64.const 0))
