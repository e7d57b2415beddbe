#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# mayfly snapshot, and starting from what it wrote, from outside.
#   snapshot_test.py MAYFLY DRIVER [unittest arguments]
import json
import os
import stat
import subprocess

from on_driver import DRIVER, MAYFLY, FolderTest, main

COUNTER = """(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1 100)
  (global $n (export "n") (mut i32) (i32.const 5))
  (data (i32.const 16) "ready\\0a")
  (func (export "init")
    (drop (memory.grow (i32.const 20)))
    (i32.store8 (i32.const 1300000) (i32.const 7))
    (global.set $n (i32.const 1000)))
  (func (export "wizer.initialize") (global.set $n (i32.const 2000)))
  (func (export "get") (result i32) (global.get $n))
  (func (export "byte") (result i32) (i32.load8_u (i32.const 1300000)))
  (func (export "arguments") (result i32)
    (drop (call $args (i32.const 32) (i32.const 36)))
    (i32.load (i32.const 32)))
  (func (export "leave") (call $exit (i32.const 0)))
  (func (export "trap") unreachable)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 6))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $exit (i32.div_u (global.get $n) (i32.const 100)))))"""


class Snapshot(FolderTest):
    def setUp(self):
        super().setUp()
        self.module = self.path("counter.wasm")
        with open(self.path("counter.wat"), "w", encoding="utf-8") as file:
            file.write(COUNTER)
        subprocess.run(["wat2wasm", self.path("counter.wat"), "-o", self.module], check=True)
        self.saved = self.path("out/state")
        os.mkdir(self.path("out"))

    def mayfly(self, *arguments):
        return subprocess.run([MAYFLY, *arguments], capture_output=True, text=True, timeout=120,
                              env=self.environment)

    def snapshot(self, *flags, file=None):
        return self.mayfly("snapshot", "--driver", DRIVER, *flags, file or self.module, "-o",
                           self.saved)

    def run_saved(self, *flags):
        return self.mayfly("run", "--driver", DRIVER, *flags, self.saved)

    def assert_answer(self, result, text):
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, text, ""))

    def assert_one_line(self, result, part):
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertIn(part, result.stderr)

    def change(self, offset, data):
        with open(self.saved, "r+b") as file:
            file.seek(offset)
            file.write(data)

    def test_starts_where_it_was_saved_and_compiles_nothing(self):
        self.assert_answer(self.snapshot("--invoke", "init"), "")
        os.unlink(self.module)
        self.environment["MAYFLY_COMPILER"] = "/nonexistent"
        self.assert_answer(self.run_saved("--invoke", "get"), "1000\n")
        self.assert_answer(self.run_saved("--invoke", "byte"), "7\n")
        self.assert_answer(self.run_saved("--verify", "--invoke", "get"), "1000\n")
        result = self.run_saved()
        self.assertEqual((result.returncode, result.stdout), (10, "ready\n"), result.stderr)

    def test_runs_nothing_unless_asked(self):
        self.assert_answer(self.snapshot(), "")
        self.assert_answer(self.run_saved("--invoke", "get"), "5\n")
        self.assert_answer(self.snapshot("--invoke", "wizer.initialize"), "")
        self.assert_answer(self.run_saved("--invoke", "get"), "2000\n")

    def test_goes_on_from_a_snapshot_to_the_next(self):
        self.assert_answer(self.snapshot("--invoke", "init"), "")
        self.assert_answer(self.snapshot("--invoke", "wizer.initialize", file=self.saved), "")
        self.assert_answer(self.run_saved("--invoke", "get"), "2000\n")
        self.assert_answer(self.run_saved("--invoke", "byte"), "7\n")

    def test_of_an_image(self):
        image = self.path("image")
        self.assert_answer(self.mayfly("compile", self.module, "-o", image), "")
        self.assert_answer(self.snapshot("--invoke", "init", file=image), "")
        self.assert_answer(self.run_saved("--invoke", "get"), "1000\n")

    def test_arguments_are_those_of_each_start(self):
        self.assert_answer(self.snapshot("--invoke", "arguments"), "1\n")
        result = self.mayfly("run", "--driver", DRIVER, "--invoke", "arguments", self.saved, "a",
                             "b")
        self.assert_answer(result, "3\n")

    def test_is_its_owners_alone_and_the_only_thing_written(self):
        self.assert_answer(self.snapshot(), "")
        self.assertEqual(stat.S_IMODE(os.stat(self.saved).st_mode), 0o600)
        self.assertEqual(os.listdir(self.path("out")), ["state"])

    def test_writes_nothing_when_the_call_does_not_return(self):
        result = self.snapshot("--invoke", "trap")
        self.assertEqual(result.returncode, 134, result.stderr)
        self.assert_one_line(self.snapshot("--invoke", "leave"), "it exited")
        self.assert_one_line(self.snapshot("--invoke", "nothing"), "no function nothing")
        self.assertEqual(os.listdir(self.path("out")), [])

    def test_says_why_it_cannot_be_written(self):
        self.saved = self.path("none/state")
        self.assert_one_line(self.snapshot(), "cannot write " + self.saved)
        self.saved = self.path("out")
        self.assert_one_line(self.snapshot(), "no regular file")

    def test_inspect_shows_what_it_holds(self):
        self.assert_answer(self.snapshot("--invoke", "init"), "")
        result = self.mayfly("inspect", "--json", "--verify", self.saved)
        self.assertEqual(result.returncode, 0, result.stderr)
        shown = json.loads(result.stdout)
        self.assertEqual(shown["format"], "snapshot")
        self.assertTrue(shown["verified"] and shown["marked"])
        self.assertEqual(shown["grown_regions"][0]["bytes"], 21 * 65536)
        self.assertIn("init", [item["name"] for item in shown["instances"][0]["exports"]])
        self.assertIn("format: snapshot", self.mayfly("inspect", self.saved).stdout)

    def test_refuses_what_is_damaged(self):
        self.assert_answer(self.snapshot("--invoke", "init"), "")
        with open(self.saved, "rb") as file:
            whole = file.read()
        self.change(100, b"damaged")
        self.assert_one_line(self.run_saved("--invoke", "get"), "header is damaged")
        self.change(0, whole)
        self.change(8, b"\x09")
        self.assert_one_line(self.run_saved("--invoke", "get"), "version 9")
        self.change(0, whole)
        self.change(len(whole) - 5, b"x")
        self.assert_one_line(self.run_saved("--verify", "--invoke", "get"), "pages")
        self.assert_one_line(self.mayfly("inspect", "--verify", self.saved), "pages")
        os.truncate(self.saved, len(whole) - 1)
        self.assert_one_line(self.run_saved("--invoke", "get"), "cut short")
        os.truncate(self.saved, 0)
        self.assert_one_line(self.run_saved(), "neither a WebAssembly module")

    def test_the_process_driver_wants_the_mark_of_this_installation(self):
        self.assert_answer(self.snapshot("--invoke", "init"), "")
        self.environment["XDG_DATA_HOME"] = self.path("elsewhere")
        result = self.run_saved("--invoke", "get")
        if DRIVER == "kvm":
            self.assert_answer(result, "1000\n")
        else:
            self.assert_one_line(result, "--trust-image")
            self.assert_answer(self.run_saved("--trust-image", "--invoke", "get"), "1000\n")

    def test_bench_takes_none(self):
        self.assert_answer(self.snapshot(), "")
        self.assert_one_line(self.mayfly("bench", "--driver", DRIVER, self.saved), "a snapshot")

    def test_usage(self):
        self.assertEqual(self.mayfly("snapshot", self.module).returncode, 2)
        self.assertEqual(self.mayfly("snapshot", "-o", self.saved).returncode, 2)
        self.assertIn("snapshot", self.mayfly("completion", "bash").stdout)


if __name__ == "__main__":
    main()
