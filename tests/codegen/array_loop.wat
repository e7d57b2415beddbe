;; The sum of an array: one load, with its address in the operand, per round of the loop.
;; shows: sum

(module
  (memory (export "memory") 1)
  (func $sum (export "sum") (param $at i32) (param $end i32) (result i32)
    (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $next (i32.ne (local.get $at) (local.get $end))))
    (local.get $sum)))

;; | sum:
;; |   xorl %eax, %eax
;; |   nopw %cs:(%rax,%rax)
;; |   movl %edi, %ecx
;; |   addl 0x40000000(%rcx), %eax
;; |   addl $0x4, %edi
;; |   cmpl %esi, %edi
;; |   jne <sum+0x10>
;; |   retq $0x8
