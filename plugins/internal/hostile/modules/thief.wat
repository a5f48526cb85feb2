;; thief drops a segment if it can read anything that it was not granted: an octet
;; of the buffer that is not zero behind record, arguments and addresses.  THREATS P18, S32
(module
  (memory (export "memory") 2 2)
  (func (export "tcpkit_abi") (result i32) i32.const 0x10000)
  (func (export "tcpkit_init") (param i32) (result i32) i32.const 1024)
  (func (export "tcpkit_segment_leaving") (result i64)
    (local $i i32)
    (local.set $i (i32.const 224))
    (loop $more
      (if (i32.load8_u offset=1024 (local.get $i)) (then (return (i64.const 2))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $i) (i32.const 2200))))
    i64.const 0))
