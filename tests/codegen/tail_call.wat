;; A tail call is a jump, also to a function with more arguments than registers.
;; features: --enable-tail-call
;; shows: wide

(module
  (func $target (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)
    (if (i64.eqz (local.get 0)) (then (return (local.get 7))))
    (return_call $wide (i64.sub (local.get 0) (i64.const 1))))
  (func $wide (export "wide") (param i64) (result i64)
    (return_call $target (local.get 0) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5)
                 (i64.const 6) (i64.const 7) (local.get 0))))

;; | wide:
;; |   subq $0x10, %rsp
;; |   movq 0x10(%rsp), %rax
;; |   movq %rdi, 0x10(%rsp)
;; |   movq %rax, (%rsp)
;; |   movq $0x7, 0x8(%rsp)
;; |   movl $0x2, %esi
;; |   movl $0x3, %edx
;; |   movl $0x4, %ecx
;; |   movl $0x5, %r8d
;; |   movl $0x6, %r9d
;; |   jmp <target>
