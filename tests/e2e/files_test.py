#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# One program natively and in a sandbox: what it sees of its files, and leaves in them, is the same.
#   files_test.py MAYFLY DRIVER [unittest arguments]
# MAYFLY_FILES_SCALE=N does N times as much: 256 sends 1 GiB through stdin.
import os
import pathlib
import subprocess
import tempfile
import unittest

from on_driver import MAYFLY, RUN, main

SOURCE = pathlib.Path(__file__).with_name("files_program.c")
SCALE = int(os.environ.get("MAYFLY_FILES_SCALE", "1"))


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.environment = dict(os.environ, XDG_DATA_HOME=cls.path("data"),
                               XDG_CACHE_HOME=cls.path("cache"))
        subprocess.run(["clang-19", "-O1", SOURCE, "-o", cls.path("native")], check=True)
        subprocess.run(["clang-19", "--target=wasm32-wasi", "--sysroot=/usr", "-O1", SOURCE, "-o",
                        cls.path("program.wasm")], check=True)
        subprocess.run([MAYFLY, "compile", cls.path("program.wasm"), "-o", cls.path("image")],
                       check=True, env=cls.environment)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    def contents(self, folder):
        found = {}
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as file:
                found[name] = file.read()
        return found

    def check_same(self, case, count, compare=True):
        with tempfile.TemporaryDirectory() as native, tempfile.TemporaryDirectory() as ours:
            commands = ([self.path("native"), case, native, str(count)],
                        [*RUN, "--dir", ours + "::/f",
                         self.path("image"), case, "/f", str(count)])
            memory = [*RUN, "--tmpfs", "/m:256MiB", self.path("image"),
                      case, "/m", str(count)]
            seen = [subprocess.run(command, env=self.environment, capture_output=True, text=True,
                                   timeout=280, check=False) for command in (*commands, memory)]
            self.assertEqual(seen[0].returncode, 0, seen[0].stderr)
            for ours_or_memory in seen[1:]:
                self.assertEqual((ours_or_memory.returncode, ours_or_memory.stdout),
                                 (0, seen[0].stdout), ours_or_memory.stderr)
            if compare:
                self.assertEqual(self.contents(ours), self.contents(native))

    def test_reads_writes_and_seeks_in_any_order(self):
        self.check_same("any-order", 2500 * SCALE)

    def test_a_file_past_4_gib_with_a_hole(self):
        self.check_same("sparse", 6, compare=False)

    def test_many_descriptors_and_a_poll_of_all(self):
        self.check_same("many", 300)

    def test_names_links_and_times(self):
        self.check_same("names", 100, compare=False)

    def test_binary_stdin_through_a_pipe(self):
        size = (4 << 20) * SCALE
        command = [*RUN, self.path("image"), "stdin", "/", "0"]
        with subprocess.Popen(command, env=self.environment, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as program:
            block = bytes(range(256)) * 4096
            for _ in range(size // len(block)):
                program.stdin.write(block)
            program.stdin.close()
            self.assertEqual(program.stdout.read(), b"%016x\n" % size)
            self.assertEqual(program.wait(timeout=60), 0)


if __name__ == "__main__":
    main()
