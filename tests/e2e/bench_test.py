#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# `mayfly bench`: which rows it has, and how it ends where there is nothing to measure.
#   bench_test.py MAYFLY DRIVER [unittest arguments]
import json
import os
import pty
import subprocess
import sys
import tempfile
import unittest

import modules

MAYFLY = sys.argv[1]
DRIVER = sys.argv[2]
SKIPPED = 77
FLOORS = ["start", "start_from_snapshot", "first_call"]


class Bench(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.environment = dict(os.environ, XDG_DATA_HOME=self.folder, XDG_CACHE_HOME=self.folder)

    def bench(self, contents, *arguments, after=(), **options):
        path = os.path.join(self.folder, "test.wasm")
        with open(path, "wb") as file:
            file.write(contents)
        return subprocess.run([MAYFLY, "bench", "--driver", DRIVER, "--time", "20ms", *arguments,
                               path, *after], capture_output=True, text=True, timeout=120,
                              env=self.environment, **options)

    def report(self, *arguments, **options):
        result = self.bench(*arguments, "--json", **options)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return json.loads(result.stdout)

    def assert_refused(self, result, status, text):
        self.assertEqual((result.returncode, result.stdout), (status, ""))
        self.assertTrue(result.stderr.startswith("mayfly: "), result.stderr)
        self.assertIn(text, result.stderr)

    def test_measures_a_function(self):
        report = self.report(modules.ADD, "--invoke", "add(1, 2.5)")
        self.assertEqual((report["driver"], report["function"]), (DRIVER, "add(1, 2.5)"))
        rows = {row["name"]: row for row in report["rows"]}
        self.assertEqual(list(rows), FLOORS + ["call", "reset", "snapshot", "restore"])
        for row in rows.values():
            self.assertGreaterEqual(row["samples"], 5)
            self.assertGreater(row["median_us"], 0)
            self.assertGreaterEqual(row["p99_us"], row["median_us"])
            has_floor = row["name"] in FLOORS + ["call"]
            self.assertEqual(row["floor_us"] is not None, has_floor, row)
            self.assertEqual(row["ratio_to_floor"] is not None, has_floor, row)
        # A sandbox does all that the smallest VM does.
        self.assertGreater(rows["start"]["median_us"], rows["call"]["median_us"])

    def test_prints_a_table_and_nothing_else(self):
        result = self.bench(modules.FORTY_TWO, "--invoke", "f")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for text in ("f of ", DRIVER, "median", "floor", "a reset after a call", "idle sandbox"):
            self.assertIn(text, result.stdout)

    def test_of_a_command_is_without_its_output(self):
        result = self.bench(modules.HELLO)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("hello", result.stdout)

    def test_of_a_program_that_exits_resets_after_each_call(self):
        exits = modules.EXIT_3.replace(modules.const(3) + b"\x10\0", modules.const(0) + b"\x10\0")
        names = [row["name"] for row in self.report(exits)["rows"]]
        self.assertEqual(names, FLOORS + ["reset", "snapshot"])

    def test_takes_the_programs_arguments(self):
        result = self.bench(modules.HELLO, "--", after=["one", "--two"])
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_says_what_cannot_be_called(self):
        self.assert_refused(self.bench(modules.ADD, "--invoke", "sub"), 1,
                            "no function sub to call; it exports add")
        self.assert_refused(self.bench(modules.ADD), 1, "no function _start to run")
        self.assert_refused(self.bench(modules.ADD, "--invoke", "add"), 1,
                            "add takes 2 arguments, not 0")
        self.assert_refused(self.bench(modules.UNKNOWN_IMPORT, "--invoke", "f"), 1,
                            '"env" "missing"')
        self.assert_refused(self.bench(b"text"), 1, "neither a WebAssembly module")

    def test_does_not_measure_what_goes_wrong(self):
        result = self.bench(modules.DIVIDE, "--invoke", "divide(1, 0)")
        self.assert_refused(result, 134, "integer divide by zero; what is measured has to return")
        self.assertIn("  at divide", result.stderr)
        self.assert_refused(self.bench(modules.EXIT_3), 1, "exit code 3")
        result = self.bench(modules.LOOP_FOR_EVER, "--timeout", "50ms")
        self.assert_refused(result, 124, "deadline")
        result = self.bench(modules.LOOP_AT_START, "--timeout", "50ms", "--invoke", "f")
        self.assert_refused(result, 124, "deadline")

    def test_refuses_flags_that_say_nothing(self):
        for flags in (["--time", "0s"], ["--time", "soon"], ["--timeout", "0ms"], ["--unknown"]):
            self.assert_refused(self.bench(modules.ADD, *flags), 2, "mayfly bench --help")

    def test_help_teaches_by_an_example(self):
        result = subprocess.run([MAYFLY, "bench", "--help"], capture_output=True, text=True)
        self.assertEqual(result.returncode, 0)
        self.assertIn("Example: mayfly bench --invoke 'add(1, 2)' math.wasm", result.stdout)

    def test_shows_progress_on_a_terminal_and_erases_it(self):
        path = os.path.join(self.folder, "test.wasm")
        with open(path, "wb") as file:
            file.write(modules.FORTY_TWO)
        terminal, theirs = pty.openpty()
        process = subprocess.Popen([MAYFLY, "bench", "--driver", DRIVER, "--time", "200ms",
                                    "--invoke", "f", path], stdout=subprocess.DEVNULL,
                                   stderr=theirs, env=self.environment)
        os.close(theirs)
        shown = b""
        try:
            while block := os.read(terminal, 4096):
                shown += block
        except OSError:  # Linux's way to say that nobody has the other end any more
            pass
        os.close(terminal)
        self.assertEqual(process.wait(), 0)
        self.assertIn(b"measuring a new sandbox, its start, one call: ", shown)
        self.assertTrue(shown.endswith(b"\r\x1b[K"), shown[-40:])


if __name__ == "__main__":
    if subprocess.run([MAYFLY, "doctor", "--driver", DRIVER], capture_output=True).returncode != 0:
        print(f"SKIPPED: {DRIVER} does not work here: all tests of mayfly bench with it")
        sys.exit(SKIPPED)
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
