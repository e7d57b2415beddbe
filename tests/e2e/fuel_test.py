#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Fuel from outside (docs/fuel.md): what each kind of code uses, where a program stops, and that
# neither depends on how the code was made.
#   fuel_test.py MAYFLY DRIVER [unittest arguments]
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

MAYFLY = sys.argv[1]
DRIVER = sys.argv[2]
SKIPPED = 77
SOURCE = Path(__file__).resolve().parents[2]
TESTDATA = Path(os.environ.get("MAYFLY_TESTDATA", SOURCE / ".." / "shared" / "testdata"))
WAYS = [("-O", "0"), ("-O", "1"), ("-O", "2"), ("-O", "2", "--memory-class", "high"),
        ("-O", "2", "--cpu", "x86-64-v3")]

COUNT_DOWN = """(module (func (export "f") (param i32) (result i32)
  (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
  (local.get 0)))"""
# The inner loop is one block, and gives the outer one its sum.
NESTED = """(module (memory 1) (func (export "f") (param i32) (result i32) (local i32 i32 i64)
  (loop
    (local.set 1 (i32.const 3))
    (loop
      (i32.store8 (local.get 1) (local.get 0))
      (local.set 3 (i64.add (local.get 3) (i64.const 2)))
      (local.set 2 (i32.add (local.get 2) (i32.load8_u (local.get 1))))
      (br_if 0 (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 2))) (i32.const 10))))
    (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
  (i32.add (local.get 2) (i32.wrap_i64 (local.get 3)))))"""
RECURSE = """(module (func $g (export "f") (param i32) (result i32)
  (if (result i32) (local.get 0)
    (then (i32.add (i32.const 1) (call $g (i32.sub (local.get 0) (i32.const 1)))))
    (else (i32.const 0)))))"""
SMALL_CALLEE = """(module
  (func $inc (param i32) (result i32)
    (if (result i32) (i32.and (local.get 0) (i32.const 1))
      (then (i32.add (local.get 0) (i32.const 3))) (else (i32.const 7))))
  (func (export "f") (param i32) (result i32)
    (i32.add (call $inc (local.get 0)) (call $inc (i32.const 2)))))"""
MANY_RESULTS = """(module
  (func $three (param i64) (result i64 f64 i32)
    (i64.add (local.get 0) (i64.const 1)) (f64.const 2) (i32.const 3))
  (func $two (param i32) (result i64 i32) (i64.const 4) (local.get 0))
  (table funcref (elem $two))
  (type $pair (func (param i32) (result i64 i32)))
  (func (export "f") (param i32) (result i64) (local i32 f64 i64)
    (call $three (i64.const 5)) (local.set 1) (local.set 2) (local.set 3)
    (call_indirect (type $pair) (local.get 1) (i32.const 0))
    (i64.extend_i32_u) (i64.add) (i64.add (local.get 3))))"""
BULK = """(module (memory 2) (table 10 funcref) (func $e) (elem func $e $e $e $e $e $e $e $e $e $e)
  (func (export "copy") (param i32)
    (memory.copy (i32.const 0) (i32.const 8) (local.get 0)))
  (func (export "fill") (param i32)
    (memory.fill (i32.const 0) (i32.const 8) (local.get 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "table") (param i32)
    (table.init 0 (i32.const 0) (i32.const 0) (local.get 0))))"""
STORES_THEN_LOOPS = """(module (memory (export "m") 1)
  (func (export "f") (i32.store (i32.const 0) (i32.const 1)) (loop (br 0))))"""
STARTS = """(module (func $s (local i32) (local.set 0 (i32.const 10))
    (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (start $s) (func (export "f")))"""


def used(result):
    found = re.search(r"^fuel: (\d+) units used$", result.stderr, re.M)
    return int(found[1]) if found else None


class Fuel(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def wasm(self, text):
        source = self.folder / "test.wat"
        source.write_text(text, encoding="utf-8")
        out = self.folder / "test.wasm"
        subprocess.run(["wat2wasm", "--enable-tail-call", source, "-o", out], check=True)
        return str(out)

    def run_wasm(self, file, call, fuel, *flags, arguments=()):
        invoke = ["--invoke", call] if call else []
        return subprocess.run(
            [MAYFLY, "run", "--driver", DRIVER, "--timings", "--fuel", str(fuel), *flags, *invoke,
             file, *arguments], capture_output=True, text=True, timeout=120, check=False)

    def assert_uses(self, text, call, expected, output):
        """The call uses so much on every way, needs all of it, and stops without one unit."""
        file = self.wasm(text)
        for way in WAYS:
            with self.subTest(way=way):
                result = self.run_wasm(file, call, expected, *way)
                self.assertEqual((result.returncode, result.stdout), (0, output), result.stderr)
                self.assertEqual(used(result), expected)
                result = self.run_wasm(file, call, expected - 1, *way)
                self.assertEqual((result.returncode, result.stdout), (125, ""), result.stderr)

    def test_a_loop_uses_what_its_instructions_cost(self):
        self.assert_uses(COUNT_DOWN, "f(100)", 200, "0\n")

    def test_loops_in_loops_use_what_their_rounds_cost(self):
        # Three times four rounds of 7, and of the outer loop of 2; one addition and one wrap.
        # The result: 4 * (3 + 2 + 1) and 12 * 2.
        self.assert_uses(NESTED, "f(3)", 12 * 7 + 3 * 2 + 2, "48\n")
        file = self.wasm(NESTED)
        for fuel in range(0, 92, 5):
            stops = {self.run_wasm(file, "f(3)", fuel, *way).stderr.splitlines()[0]
                     for way in WAYS[::2]}
            self.assertEqual(len(stops), 1, stops)

    def test_a_recursion_uses_what_its_calls_cost(self):
        # Each of ten calls: if, sub, call, add; the last one: if.
        self.assert_uses(RECURSE, "f(10)", 41, "10\n")

    def test_a_copied_callee_is_charged_as_if_it_were_called(self):
        # Two calls, one addition; and, if in both, an addition in one.
        self.assert_uses(SMALL_CALLEE, "f(5)", 8, "15\n")

    def test_results_arrive_beside_the_fuel(self):
        # call, call_indirect, two additions, an extension; one addition in $three.
        self.assert_uses(MANY_RESULTS, "f(0)", 6, "13\n")

    def test_bulk_operations_are_charged_by_size(self):
        self.assert_uses(BULK, "copy(1600)", 101, "")
        self.assert_uses(BULK, "fill(1615)", 101, "")
        self.assert_uses(BULK, "grow(2)", 1 + 2 * 4096, "2\n")
        self.assert_uses(BULK, "table(10)", 11, "")

    def test_growing_that_fails_is_one_instruction(self):
        self.assert_uses(BULK, "grow(65536)", 1, "-1\n")

    def test_a_start_function_is_charged(self):
        self.assert_uses(STARTS, "f", 20, "")

    def test_the_message_says_how_much_was_used_and_where(self):
        result = self.run_wasm(self.wasm(COUNT_DOWN), "f(100)", 50)
        self.assertEqual(result.returncode, 125)
        self.assertRegex(result.stderr, r"^mayfly: .*test.wasm: out of fuel after 52 units\n"
                                        r"  at .*\(test.wasm\+0x[0-9a-f]+\)\n")

    def test_an_endless_loop_ends(self):
        for way in WAYS:
            result = self.run_wasm(self.wasm(STORES_THEN_LOOPS), "f", 1_000_000, *way)
            self.assertEqual(result.returncode, 125, result.stderr)
            self.assertIn("after 1000001 units", result.stderr)

    def test_no_fuel_stops_at_the_first_loop(self):
        self.assertEqual(self.run_wasm(self.wasm(STORES_THEN_LOOPS), "f", 0).returncode, 125)

    def test_an_image_that_counts_nothing_is_refused(self):
        image = str(self.folder / "x.mayfly")
        file = self.wasm(COUNT_DOWN)
        flags = ["--trust-image"]
        subprocess.run([MAYFLY, "compile", file, "-o", image], check=True)
        result = self.run_wasm(image, "f(1)", 10, *flags)
        self.assertEqual(result.returncode, 1)
        self.assertIn("the image counts no fuel", result.stderr)
        subprocess.run([MAYFLY, "compile", "--fuel", file, "-o", image], check=True)
        self.assertEqual(used(self.run_wasm(image, "f(1)", 10, *flags)), 2)

    def test_programs_use_the_same_on_every_way(self):
        bench = TESTDATA / "bench"
        if not bench.exists():
            self.skipTest(f"no test data in {TESTDATA}; set MAYFLY_TESTDATA")
        for name in ("quicksort", "richards", "bz2"):
            counts = set()
            for way in WAYS:
                result = self.run_wasm(str(bench / name / "benchmark.wasm"), "", 10**15, *way,
                                       "--bench", "--dir", f"{bench / name}::.")
                self.assertEqual(result.returncode, 0, result.stderr)
                counts.add(used(result))
            self.assertEqual(len(counts), 1, (name, counts))
            self.assertGreater(counts.pop(), 1_000_000)


if __name__ == "__main__":
    doctor = subprocess.run([MAYFLY, "doctor", "--driver", DRIVER], capture_output=True, text=True,
                            check=False)
    if doctor.returncode != 0:
        print(f"SKIPPED: fuel on {DRIVER}: {doctor.stderr.strip()}")
        sys.exit(SKIPPED)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
