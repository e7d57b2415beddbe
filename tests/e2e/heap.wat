;; The memory of a program, and where lifted values go: 1 MiB from 1 MiB on, until the next reset.
(module
  (memory (export "memory") 32 32)
  (global $next (mut i32) (i32.const 0x100000))
  (func (export "reset") (global.set $next (i32.const 0x100000)))
  (func (export "realloc") (param $old i32) (param $old_bytes i32) (param $align i32)
      (param $bytes i32) (result i32)
    (local $place i32)
    (local.set $place
      (i32.and (i32.sub (i32.add (global.get $next) (local.get $align)) (i32.const 1))
               (i32.sub (i32.const 0) (local.get $align))))
    (global.set $next (i32.add (local.get $place) (local.get $bytes)))
    (if (i32.gt_u (global.get $next) (i32.const 0x200000)) (then unreachable))
    (memory.copy (local.get $place) (local.get $old) (local.get $old_bytes))
    (local.get $place)))
