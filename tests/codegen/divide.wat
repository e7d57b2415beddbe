;; A division checks its divisor, a signed one for overflow as well; the remainder by -1, which
;; faults on the processor, is one by 1. The checks that fail end in one instruction each that says
;; which trap it is.
;; shows: div_s div_u rem_s

(module
  (func $div_s (export "div_s") (param i32 i32) (result i32)
    (i32.div_s (local.get 0) (local.get 1)))
  (func $div_u (export "div_u") (param i64 i64) (result i64)
    (i64.div_u (local.get 0) (local.get 1)))
  (func $rem_s (export "rem_s") (param i32 i32) (result i32)
    (i32.rem_s (local.get 0) (local.get 1))))

;; | div_s:
;; |   testl %esi, %esi
;; |   je <div_s+0x1a>
;; |   leal -0x80000000(%rdi), %eax
;; |   movl %esi, %ecx
;; |   notl %ecx
;; |   orl %eax, %ecx
;; |   je <div_s+0x1f>
;; |   movl %edi, %eax
;; |   cltd
;; |   idivl %esi
;; |   retq $0x8
;; |   ud1l 0x8(%eax), %eax
;; |   ud1l 0x7(%eax), %eax
;; | div_u:
;; |   testq %rsi, %rsi
;; |   je <div_u+0x25>
;; |   movq %rdi, %rax
;; |   orq %rsi, %rax
;; |   shrq $0x20, %rax
;; |   je <div_u+0x1c>
;; |   movq %rdi, %rax
;; |   xorl %edx, %edx
;; |   divq %rsi
;; |   retq $0x8
;; |   movl %edi, %eax
;; |   xorl %edx, %edx
;; |   divl %esi
;; |   retq $0x8
;; |   ud1l 0x8(%eax), %eax
;; | rem_s:
;; |   testl %esi, %esi
;; |   je <rem_s+0x19>
;; |   cmpl $-0x1, %esi
;; |   movl $0x1, %ecx
;; |   cmovnel %esi, %ecx
;; |   movl %edi, %eax
;; |   cltd
;; |   idivl %ecx
;; |   movl %edx, %eax
;; |   retq $0x8
;; |   ud1l 0x8(%eax), %eax
