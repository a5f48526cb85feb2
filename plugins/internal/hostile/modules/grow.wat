;; grow asks for memory until it gets no more, and drops the segment if that was
;; more than 256 pages; else it passes. It writes to all that it got.  THREATS P03, P08
(module
  (memory (export "memory") 1)
  (func (export "tcpkit_abi") (result i32) i32.const 0x10000)
  (func (export "tcpkit_init") (param i32) (result i32) i32.const 1024)
  (func (export "tcpkit_segment_arriving") (result i64)
    (loop $more
      (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (i32.store8 (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 1)) (i32.const 1))
    ;; what the host wrote before memory moved is still there, and what is written now counts
    (i32.store8 (i32.const 1144) (i32.const 184))       ;; TOS of the segment
    (select (i64.const 2) (i64.const 0x10001) (i32.gt_u (memory.size) (i32.const 256)))))
