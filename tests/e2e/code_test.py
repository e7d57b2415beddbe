#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What optimized code may not change: results, effects before a trap, and backtraces, each against
# -O0 or against Python's own numbers.
#   code_test.py MAYFLY DRIVER [unittest arguments]
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

MAYFLY = sys.argv[1]
DRIVER = sys.argv[2]
SKIPPED = 77
MASK = (1 << 64) - 1

# The words of a * b as producers write them; %s are the places where forms differ.
MULTIPLY = """(func $multiply (param $a i64) (param $b i64) (result i64 i64)
  (local $p i64) (local $t i64) (local $u i64)
  (local.set $p (i64.mul (i64.and (local.get $a) (i64.const %(mask)s))
                         (i64.and (local.get $b) (i64.const 4294967295))))
  (local.set $t (i64.add %(first)s (i64.shr_u (local.get $p) (i64.const 32))))
  (local.set $u (i64.add (i64.and (local.get $t) (i64.const 4294967295)) %(second)s))
  %(high)s
  (i64.or (i64.shl (local.get $u) (i64.const %(shift)s))
          (i64.and (local.get $p) (i64.const 4294967295))))"""
CROSS = ("(i64.mul (i64.shr_u (local.get $a) (i64.const 32)) "
         "(i64.and (local.get $b) (i64.const 4294967295)))",
         "(i64.mul (i64.and (local.get $a) (i64.const 4294967295)) "
         "(i64.shr_u (local.get $b) (i64.const 32)))")
TOP = ("(i64.mul (i64.shr_u (local.get $a) (i64.const 32)) "
       "(i64.shr_u (local.get $b) (i64.const 32)))")
CARRY = "(i64.shr_u (local.get $%s) (i64.const 32))"
HIGH = f"(i64.add (i64.add {TOP} {CARRY % 't'}) {CARRY % 'u'})"
# A sum over many operands: x = x * k + 1 (mod 2^64), each multiplied with its neighbour.
DRIVE = """(module %s
  (func (export "f") (param $n i32) (result i64) (local $x i64) (local $y i64) (local $sum i64)
    (local $high i64)
    (local.set $x (i64.const -1))
    (loop
      (local.set $y (i64.add (i64.mul (local.get $x) (i64.const 6364136223846793005))
                             (i64.const 1)))
      (call $multiply (local.get $x) (local.get $y))
      (local.set $sum (i64.xor (i64.mul (local.get $sum) (i64.const 31))))
      (local.set $high)
      (local.set $sum (i64.add (local.get $sum) (local.get $high)))
      (local.set $x (local.get $y))
      (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))"""


def expected_sum(count):
    x, total = MASK, 0
    for _ in range(count):
        y = (x * 6364136223846793005 + 1) & MASK
        product = x * y
        total = ((total * 31) & MASK) ^ (product & MASK)
        total = (total + (product >> 64)) & MASK
        x = y
    return total - (1 << 64) if total >> 63 else total


class Code(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def wasm(self, text):
        source = self.folder / "test.wat"
        source.write_text(text, encoding="utf-8")
        out = self.folder / "test.wasm"
        subprocess.run(["wat2wasm", "--debug-names", source, "-o", out], check=True)
        return str(out)

    def run_wasm(self, file, call, level):
        return subprocess.run([MAYFLY, "run", "--driver", DRIVER, "-O", level, "--invoke", call,
                               file], capture_output=True, text=True, timeout=120, check=False)


class WideMultiplication(Code):
    def module(self, **changes):
        form = {"mask": "4294967295", "first": CROSS[0], "second": CROSS[1], "high": HIGH,
                "shift": "32", **changes}
        return self.wasm(DRIVE % (MULTIPLY % form))

    def assert_product(self, file):
        for level in "012":
            result = self.run_wasm(file, "f(5000)", level)
            self.assertEqual(result.stdout, f"{expected_sum(5000)}\n", result.stderr)

    def test_is_the_product(self):
        self.assert_product(self.module())

    def test_is_the_product_with_the_cross_products_exchanged(self):
        self.assert_product(self.module(first=CROSS[1], second=CROSS[0]))

    def test_is_the_product_in_any_order_of_the_sum(self):
        self.assert_product(
            self.module(high=f"(i64.add {CARRY % 'u'} (i64.add {CARRY % 't'} {TOP}))"))
        self.assert_product(
            self.module(high=f"(i64.add (i64.add {CARRY % 'u'} {CARRY % 't'}) {TOP})"))

    def test_keeps_other_terms_of_the_sum(self):
        more = f"(i64.sub (i64.add (i64.const 77) {HIGH}) (i64.const 77))"
        self.assert_product(self.module(high=more))

    def test_leaves_forms_that_only_look_alike(self):
        for changes in ({"mask": "4294967294"}, {"shift": "31"}, {"first": CROSS[1]},
                        {"second": TOP}, {"high": f"(i64.add {TOP} {CARRY % 'u'})"},
                        {"high": HIGH.replace("i64.const 32", "i64.const 33")}):
            file = self.module(**changes)
            results = {self.run_wasm(file, "f(5000)", level).stdout for level in "012"}
            self.assertEqual(len(results), 1, (changes, results))
            self.assertNotEqual(results.pop(), f"{expected_sum(5000)}\n", changes)


COPIED = """(module (memory (export "m") 1) (global $g (mut i32) (i32.const 0))
  (func $divide (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func $load (param i32) (result i32) (i32.load offset=8 (local.get 0)))
  (func $store (param i32 i32) (global.set $g (i32.add (global.get $g) (i32.const 1)))
    (i32.store (local.get 0) (local.get 1)))
  (func $never (unreachable))
  (func $middle (param i32) (result i32)
    (i32.add (call $divide (i32.const 100) (local.get 0)) (call $load (i32.const 0))))
  (func $call_divide (export "divide") (param i32) (result i32)
    (i32.mul (call $middle (local.get 0)) (call $middle (i32.const 3))))
  (func $call_load (export "load") (param i32) (result i32)
    (i32.add (call $load (i32.const 16)) (call $load (local.get 0))))
  (func $call_dead (export "dead") (param i32) (drop (call $load (local.get 0))))
  (func $call_never (export "never") (call $never))
  (func $call_store (export "store") (param i32) (call $store (i32.const 0) (i32.const 7))
    (call $store (local.get 0) (i32.const 8)) (call $store (i32.const 0) (i32.const 9))))"""


class CopiedFunctions(Code):
    def assert_same_trap(self, call, frames):
        file = self.wasm(COPIED)
        ends = {}
        for level in "012":
            result = self.run_wasm(file, call, level)
            self.assertEqual(result.returncode, 134, result.stderr)
            ends[level] = result.stderr
        self.assertEqual(len(set(ends.values())), 1, ends)
        self.assertEqual(re.findall(r"^  at (\S+)", ends["2"], re.M), frames)

    def test_a_backtrace_shows_the_copied_function_and_its_caller(self):
        self.assert_same_trap("divide(0)", ["divide", "middle", "call_divide"])

    def test_the_second_of_two_copies_is_told_from_the_first(self):
        self.assert_same_trap("load(65536)", ["load", "call_load"])

    def test_a_copied_load_whose_value_is_not_used_traps(self):
        self.assert_same_trap("dead(65529)", ["load", "call_dead"])

    def test_unreachable_in_a_copy(self):
        self.assert_same_trap("never", ["never", "call_never"])

    def test_a_copied_store_that_traps(self):
        self.assert_same_trap("store(-1)", ["store", "call_store"])


# The blocks end before the function does, and so does what is selected as one.
FAR = """(module (memory 16385)
  (func (export "f") (param i32) (result i32)
    (i32.store offset=0x40000024 (local.get 0) (i32.const 7))
    (if (local.get 0) (then unreachable))
    (memory.copy (i32.const 0x40000030) (i32.const 0x40000024) (i32.const 4))
    (if (local.get 0) (then unreachable))
    (memory.fill (i32.const 0x3fffffff) (i32.const 1) (i32.const 2))
    (if (local.get 0) (then unreachable))
    (i32.add (i32.load offset=0x20000010 (i32.const 0x20000020))
             (i32.load8_u offset=0x3fffffff (i32.const 1))))
  (func (export "past") (param i32)
    (i32.store offset=0x7fffffff (local.get 0) (i32.const 7))
    (if (local.get 0) (then unreachable))))"""


class FarAddresses(Code):
    def test_constants_that_reach_past_the_first_gib(self):
        file = self.wasm(FAR)
        for level in "012":
            result = self.run_wasm(file, "f(0)", level)
            self.assertEqual((result.stdout, result.stderr), ("8\n", ""), level)

    def test_a_constant_past_the_end_traps(self):
        file = self.wasm(FAR)
        for level in "012":
            self.assertEqual(self.run_wasm(file, "past(0)", level).returncode, 134, level)


if __name__ == "__main__":
    doctor = subprocess.run([MAYFLY, "doctor", "--driver", DRIVER], capture_output=True, text=True,
                            check=False)
    if doctor.returncode != 0:
        print(f"SKIPPED: code on {DRIVER}: {doctor.stderr.strip()}")
        sys.exit(SKIPPED)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
