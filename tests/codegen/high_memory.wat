;; A memory of the high class costs a 64-bit constant in a register for each offset that is used,
;; and nothing at an access.
;; options: --memory-class high
;; shows: copy

(module
  (memory (export "memory") 1)
  (func $copy (export "copy") (param $from i32) (param $to i32)
    (i64.store (local.get $to) (i64.load (local.get $from)))
    (i64.store offset=8 (local.get $to) (i64.load offset=8 (local.get $from)))))

;; | copy:
;; |   movl %edi, %eax
;; |   movabsq $0x1000000000, %rcx
;; |   movq (%rax,%rcx), %rdx
;; |   movl %esi, %esi
;; |   movq %rdx, (%rsi,%rcx)
;; |   movabsq $0x1000000008, %rcx
;; |   movq (%rax,%rcx), %rax
;; |   movq %rax, (%rsi,%rcx)
;; |   retq $0x8
