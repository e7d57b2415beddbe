(module
  (memory (export "memory") 1)
  (func (export "work") (result i32) (i32.const 42))
  (func (export "forever") (result i32) (loop $again (br $again)) (i32.const 0))
  (func (export "hoard") (result i32)
    (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (memory.size))
  (func $crash (export "crash") (result i32) unreachable)
  (func $recurse (export "recurse") (result i32) (i32.add (call $recurse) (i32.const 1))))
