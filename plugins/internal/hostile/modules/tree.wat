;; tree makes 2^40 calls without a loop.  THREATS P02
(module
  (memory (export "memory") 1 1)
  (func (export "tcpkit_abi") (result i32) i32.const 0x10000)
  (func (export "tcpkit_init") (param i32) (result i32) i32.const 1024)
  (func $tree (param $depth i32)
    (if (local.get $depth)
      (then
        (call $tree (i32.sub (local.get $depth) (i32.const 1)))
        (call $tree (i32.sub (local.get $depth) (i32.const 1))))))
  (func (export "tcpkit_segment_arriving") (result i64) (call $tree (i32.const 40)) i64.const 0))
