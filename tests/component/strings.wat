;; Text from memory 1 to memory 0.
(module
  (import "mayfly:component" "copy_utf8" (func $copy (param i32 i32 i32)))
  (import "mayfly:component" "utf16_from_utf8" (func $widen (param i32 i32 i32) (result i32)))
  (memory $to 1)
  (memory $from 1)
  (data (memory $from) (i32.const 8) "gr\c3\bc\c3\9f dich, ich bin ein langer Text mit \e2\82\ac und \f0\9f\98\80 am Ende\ff\c3")
  (func (export "copy") (param $size i32) (call $copy (i32.const 8) (local.get $size) (i32.const 100)))
  (func (export "copied") (param $offset i32) (result i32)
    (i32.load8_u $to (i32.add (i32.const 100) (local.get $offset))))
  (func (export "widen") (param $size i32) (result i32)
    (call $widen (i32.const 8) (local.get $size) (i32.const 100)))
  (func (export "widened") (param $index i32) (result i32)
    (i32.load16_u $to (i32.add (i32.const 100) (i32.mul (local.get $index) (i32.const 2))))))
