#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A component that counts in wasi:keyvalue, from the command line.
#   keyvalue_test.py MAYFLY DRIVER [unittest arguments]
import subprocess

from components import STRING, U8, U64, Interface, component, logging
from on_driver import RUN, FolderTest, main

STORE, ATOMICS = "wasi:keyvalue/store@0.2.0-draft", "wasi:keyvalue/atomics@0.2.0-draft"
BUCKET = (STORE, "bucket")


def keyvalue():
    store = Interface(STORE)
    error = store.variant("error", [("no-such-store", None), ("access-denied", None),
                                    ("other", STRING)])
    bucket = store.resource("bucket")
    self_ = store.borrow(bucket)
    value = store.option(store.list(U8))
    store.function("open", [("identifier", STRING)], store.result(store.own(bucket), error))
    store.function("[method]bucket.get", [("self", self_), ("key", STRING)],
                   store.result(value, error))
    atomics = Interface(ATOMICS, [BUCKET, (STORE, "error")])
    bucket, error = atomics.used
    atomics.function("increment", [("bucket", atomics.borrow(bucket)), ("key", STRING),
                                   ("delta", U64)], atomics.result(U64, error))
    return [store, atomics]


# Adds one to "n" of the bucket "count" and logs what it is then.
COUNT = f"""(module
  (import "libc" "memory" (memory 1))
  (import "wasi:logging/logging" "log" (func $log (param i32 i32 i32 i32 i32)))
  (import "{STORE}" "open" (func $open (param i32 i32 i32)))
  (import "{STORE}" "[method]bucket.get" (func $get (param i32 i32 i32 i32)))
  (import "{STORE}" "[resource-drop]bucket" (func $drop (param i32)))
  (import "{ATOMICS}" "increment" (func $increment (param i32 i32 i32 i64 i32)))
  (data (i32.const 0) "count")
  (func (export "run") (result i32)
    (call $open (i32.const 0) (i32.const 5) (i32.const 64))
    (if (i32.load8_u (i32.const 64)) (then (return (i32.const 1))))
    (call $increment (i32.load (i32.const 68)) (i32.const 3) (i32.const 1) (i64.const 1)
      (i32.const 96))
    (if (i32.load8_u (i32.const 96)) (then (return (i32.const 1))))
    (call $get (i32.load (i32.const 68)) (i32.const 3) (i32.const 1) (i32.const 128))
    (if (i32.load8_u (i32.const 128)) (then (return (i32.const 1))))
    (call $log (i32.const 2) (i32.const 0) (i32.const 5)
      (i32.load (i32.const 136)) (i32.load (i32.const 140)))
    (call $drop (i32.load (i32.const 68)))
    (i32.const 0)))"""


class KeyValue(FolderTest):
    def setUp(self):
        super().setUp()
        with open(self.path("count.wasm"), "wb") as file:
            file.write(component([logging(), *keyvalue()], COUNT, drops=[BUCKET]))

    def command(self, *flags):
        return [*RUN, *flags, self.path("count.wasm")]

    def count(self, *flags):
        return subprocess.run(self.command(*flags), env=self.environment, capture_output=True,
                              text=True, timeout=60, check=False)

    def assert_counts(self, result, count):
        self.assertEqual((result.returncode, result.stdout, result.stderr),
                         (0, "", f"[info] count: {count}\n"))

    def test_in_memory_each_program_has_its_own(self):
        for _ in range(2):
            self.assert_counts(self.count(), 1)

    def test_in_a_file_it_stays(self):
        for count in (1, 2, 3):
            self.assert_counts(self.count("--keyvalue", self.path("store")), count)

    def test_programs_share_a_file(self):
        self.count()  # compiled once
        flags = ["--keyvalue", self.path("store")]
        programs = [subprocess.Popen(self.command(*flags), env=self.environment,
                                     stderr=subprocess.PIPE, text=True) for _ in range(8)]
        for program in programs:
            said = program.communicate(timeout=60)[1]
            self.assertEqual(program.returncode, 0, said)
        self.assert_counts(self.count(*flags), 9)

    def test_what_is_no_store_is_one_line(self):
        with open(self.path("store"), "wb") as file:
            file.write(b"no database" * 1000)
        for name, text in (("store", "file is not a database"),
                           ("none/store", "No such file or directory")):
            result = self.count("--keyvalue", self.path(name))
            self.assertEqual((result.returncode, len(result.stderr.splitlines())), (1, 1),
                             result.stderr)
            self.assertIn(text, result.stderr)

    def test_a_store_has_a_limit(self):
        result = self.count("--keyvalue-max", "100")
        self.assertEqual((result.returncode, result.stderr), (1, ""))

    def test_is_traced(self):
        result = self.count("--trace", "ports")
        for line in (r'bucket-open\("count"\) = \d+', r'bucket-increment\(\d+, "n", 1\) = 1',
                     r'bucket-get\(\d+, "n", 1024 bytes\) = 1 found, 1 bytes'):
            self.assertRegex(result.stderr, rf"(?m)^{line} <[0-9]+ us>$")


if __name__ == "__main__":
    main()
