;; What fuel costs in a loop: one subtraction, and one branch on its carry.
;; shows: clear
;; options: --fuel

(module
  (memory (export "memory") 1)
  (func $clear (export "clear") (param $at i32) (param $step i32)
    (loop $next
      (i32.store8 (local.get $at) (i32.const 0))
      (local.set $at (i32.add (local.get $at) (local.get $step)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 8193))))))

;; | clear:
;; |   testq %rdi, %rdi
;; |   js <clear+0x37>
;; |   nopw %cs:(%rax,%rax)
;; |   movl %esi, %eax
;; |   movb $0x0, 0x40000000(%rax)
;; |   addl %edx, %esi
;; |   subq $0x4, %rdi
;; |   jb <clear+0x2f>
;; |   cmpl $0x2001, %esi
;; |   jb <clear+0x10>
;; |   movq %rdi, %rax
;; |   retq $0x8
;; |   cmpl $0x2001, %esi
;; |   jae <clear+0x29>
;; |   movq %rdi, 0x210038
;; |   ud1l 0x11(%eax), %eax
