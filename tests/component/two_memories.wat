;; What the guest library grows is one of these two.
(module
  (import "guest" "grow" (func $grow (param i64) (result i64)))
  (memory $0 1)
  (memory $1 3)
  (func (export "grow") (param i64) (result i64) (call $grow (local.get 0)))
  (func (export "size_0") (result i32) (memory.size $0))
  (func (export "size_1") (result i32) (memory.size $1)))
