;; batches looks at all records that it is told of, some at once, measures and logs.
(module
  (import "tcpkit" "log" (func $log (param i32 i32 i32)))
  (import "tcpkit" "metric" (func $metric (param i32 i64)))
  (memory (export "memory") 1 1)

  (func (export "tcpkit_abi") (result i32) i32.const 0x10000)
  (func (export "tcpkit_init") (param i32) (result i32) i32.const 1024)

  (func (export "tcpkit_batch") (param $n i32) (result i64)
    (local $i i32) (local $all i64)
    (local.set $n (i32.mul (local.get $n) (i32.const 192)))
    (loop $more
      (local.set $all (i64.xor (local.get $all) (i64.load offset=1024 (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 8)))
      (br_if $more (i32.lt_u (local.get $i) (local.get $n))))
    (call $metric (i32.const 0) (local.get $all))
    (call $log (i32.const 0) (i32.const 1024) (i32.const 64))
    i64.const 0))
