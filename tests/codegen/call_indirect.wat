;; An indirect call compares the index with the table's size, which is constant here, and one type
;; id. A null entry has no check: the load of its type faults.
;; shows: call

(module
  (type $unary (func (param i32) (result i32)))
  (table 4 funcref)
  (elem (i32.const 1) $twice $call)
  (func $twice (param $x i32) (result i32)
    (i32.mul (local.get $x) (i32.const 2)))
  (func $call (export "call") (param $x i32) (result i32)
    (call_indirect (type $unary) (local.get $x) (local.get $x))))

;; | call:
;; |   cmpl $0x4, %edi
;; |   jae <call+0x24>
;; |   movl %edi, %eax
;; |   movq <i0.table.0>(,%rax,8), %rax
;; |   movl 0x8(%rax), %ecx
;; |   movl $0x1, %edx
;; |   cmpl %edx, %ecx
;; |   jne <call+0x29>
;; |   pushq %rax
;; |   movq (%rax), %rax
;; |   callq *%rax
;; |   retq $0x8
;; |   ud1l 0x4(%eax), %eax
;; |   ud1l 0x6(%eax), %eax
