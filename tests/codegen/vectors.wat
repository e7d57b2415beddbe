;; v128 operations are single instructions of SSE4.1, on memory without alignment.
;; shows: add shuffle

(module
  (memory (export "memory") 1)
  (func $add (export "add") (param $at i32)
    (v128.store (local.get $at)
      (i32x4.add (v128.load (local.get $at)) (v128.load offset=16 (local.get $at)))))
  (func $shuffle (export "shuffle") (param $a v128) (param $b v128) (result v128)
    (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $a) (local.get $b))))

;; | add:
;; |   movl %edi, %eax
;; |   movdqu 0x40000000(%rax), %xmm0
;; |   movdqu 0x40000010(%rax), %xmm1
;; |   paddd %xmm0, %xmm1
;; |   movdqu %xmm1, 0x40000000(%rax)
;; |   retq $0x8
;; | shuffle:
;; |   punpcklbw %xmm1, %xmm0
;; |   retq $0x8
