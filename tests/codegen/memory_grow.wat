;; memory.grow is a call of the guest library with the memory's record; memory.size loads one word.
;; shows: grow size

(module
  (memory (export "memory") 1 4)
  (func $grow (export "grow") (param $pages i32) (result i32)
    (memory.grow (local.get $pages)))
  (func $size (export "size") (result i32)
    (memory.size)))

;; | grow:
;; |   pushq %rax
;; |   movl %edi, %esi
;; |   movl $<i0.mem.0.info>, %edi
;; |   callq <mayfly_memory_grow>
;; |   popq %rcx
;; |   retq $0x8
;; | size:
;; |   movq <i0.mem.0.info+0x8>(%rip), %rax
;; |   shrq $0x10, %rax
;; |   retq $0x8
