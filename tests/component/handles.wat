;; A state memory with one table, and what a generated module does with it.
(module
  (import "mayfly:component" "handle_new" (func $new (param i32 i32 i32) (result i32)))
  (import "mayfly:component" "handle_drop" (func $drop (param i32 i32 i32) (result i64)))
  (import "mayfly:component" "trap" (func $trap (param i32)))
  (memory 1)
  ;; component_state_bytes(1)
  (data (i32.const 0) "\00\02\00\00")
  (func (export "new") (param $rep i32) (result i32)
    (call $new (i32.const 0) (i32.const 1) (local.get $rep)))
  (func (export "drop") (param $index i32) (result i64)
    (call $drop (i32.const 0) (i32.const 1) (local.get $index)))
  (func (export "many") (param $count i32) (result i32)
    (loop $more
      (drop (call $new (i32.const 0) (i32.const 1) (local.get $count)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br_if $more (local.get $count)))
    (memory.size))
  (func (export "trap") (param $reason i32) (call $trap (local.get $reason))))
