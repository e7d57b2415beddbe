;; What WebAssembly can see after a trap is written before it: both writes stay in front of the
;; load, although the second one to each place follows it.
;; shows: f

(module
  (memory (export "memory") 1)
  (global $g (export "g") (mut i32) (i32.const 0))
  (func $f (export "f") (param $at i32)
    (global.set $g (i32.const 1))
    (i32.store (i32.const 0) (i32.const 1))
    (drop (i32.load (local.get $at)))
    (global.set $g (i32.const 2))
    (i32.store (i32.const 0) (i32.const 2))))

;; | f:
;; |   movl $0x1, <i0.global.0>(%rip)
;; |   movl $0x1, 0x40000000(%rip)
;; |   movl %edi, %eax
;; |   movl 0x40000000(%rax), %eax
;; |   movl $0x2, <i0.global.0>(%rip)
;; |   movl $0x2, 0x40000000(%rip)
;; |   retq $0x8
