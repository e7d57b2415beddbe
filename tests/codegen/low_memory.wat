;; The first memory has an address that fits an instruction: no register holds a base, and no
;; instruction compares a bound.
;; shows: load store8

(module
  (memory (export "memory") 1)
  (func $load (export "load") (param $at i32) (result i32)
    (i32.load offset=16 (local.get $at)))
  (func $store8 (export "store8") (param $at i32) (param $value i64)
    (i64.store8 (local.get $at) (local.get $value))))

;; | load:
;; |   movl %edi, %eax
;; |   movl 0x40000010(%rax), %eax
;; |   retq $0x8
;; | store8:
;; |   movl %edi, %eax
;; |   movb %sil, 0x40000000(%rax)
;; |   retq $0x8
