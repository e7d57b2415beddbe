#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What a program wrote to a file is on the host however its call ends, and soon when it does not.
#   write_behind_test.py MAYFLY DRIVER [unittest arguments]
import os
import signal
import subprocess
import time

from on_driver import DRIVER, MAYFLY, FolderTest, main

# Writes "x" 20 times, of which the host is asked for the first few only, and then ends.
WRITER = """(module
  (import "wasi_snapshot_preview1" "path_open" (func $open
    (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "f")
  (func $run (local $i i32)
    (i32.store (i32.const 0) (i32.const 65))
    (i32.store (i32.const 4) (i32.const 1))
    (i32.store8 (i32.const 65) (i32.const 120))
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 9)
                    (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 8))
      (then (call $exit (i32.const 1))))
    (loop $again
      (if (call $write (i32.load (i32.const 8)) (i32.const 0) (i32.const 1) (i32.const 12))
        (then (call $exit (i32.const 2))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 20)))))
  (func (export "return") (call $run))
  (func (export "trap") (call $run) unreachable)
  (func (export "exit") (call $run) (call $exit (i32.const 0)))
  (func (export "loop") (call $run) (loop $for_ever (br $for_ever))))"""


class WriteBehind(FolderTest):
    def setUp(self):
        super().setUp()
        self.root = os.path.join(self.folder, "root")
        os.mkdir(self.root)
        text = os.path.join(self.folder, "writer.wat")
        with open(text, "w", encoding="utf-8") as file:
            file.write(WRITER)
        self.module = os.path.join(self.folder, "writer.wasm")
        subprocess.run(["wat2wasm", text, "-o", self.module], check=True)

    def command(self, export, *flags):
        return [MAYFLY, "run", "--driver", DRIVER, "--dir", self.root + "::/", *flags, "--invoke",
                export, self.module]

    def written(self):
        try:
            with open(os.path.join(self.root, "f"), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def check_end(self, export, code, *flags):
        result = subprocess.run(self.command(export, *flags), env=self.environment, timeout=120,
                                capture_output=True, check=False)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(self.written(), "x" * 20)

    def test_return(self):
        self.check_end("return", 0)

    def test_exit(self):
        self.check_end("exit", 0)

    def test_trap(self):
        self.check_end("trap", 134)

    def test_deadline(self):
        self.check_end("loop", 124, "--timeout", "300ms")

    def test_a_program_that_runs_on_and_a_signal(self):
        subprocess.run(self.command("return"), env=self.environment, timeout=120, check=True)
        os.unlink(os.path.join(self.root, "f"))
        with subprocess.Popen(self.command("loop"), env=self.environment) as program:
            until = time.monotonic() + 20
            while self.written() != "x" * 20 and time.monotonic() < until:
                time.sleep(0.005)
            self.assertEqual(self.written(), "x" * 20)
            self.assertIsNone(program.poll())
            program.send_signal(signal.SIGINT)
            self.assertEqual(program.wait(timeout=60), 130)

    def test_trace_shows_each_write(self):
        result = subprocess.run(self.command("return", "--trace", "ports"), env=self.environment,
                                timeout=120, capture_output=True, text=True, check=True)
        writes = [line for line in result.stderr.splitlines() if line.startswith("write(")]
        self.assertEqual(len(writes), 20, result.stderr)
        self.assertEqual(sum("behind" in line for line in writes), 16, result.stderr)


if __name__ == "__main__":
    main()
