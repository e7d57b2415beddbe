(module
  (global $seen (mut i32) (i32.const 0))
  (func (export "handle") (param i32) (result i32)
    (global.set $seen (i32.add (global.get $seen) (i32.const 1)))
    (if (i32.eqz (local.get 0)) (then unreachable))
    (global.get $seen)))
