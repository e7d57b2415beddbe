#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The compile cache from outside: whatever happens to it, programs run and print what they should.
#   cache_test.py MAYFLY DRIVER [unittest arguments]
import glob
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

import modules

MAYFLY = os.path.abspath(sys.argv[1])
DRIVER = sys.argv[2]

# Takes the compiler a good part of a second.
SLOW_BODY = modules.const(0) + bytes([modules.I32_LOAD, 2, 0]) * 4000
SLOW = modules.module([([], [modules.I32])], [(0, SLOW_BODY)] * 20, memory=1,
                      exports=[("f", modules.FUNC, 0)])


class Cache(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.environment = dict(os.environ, XDG_CACHE_HOME=os.path.join(self.folder, "cache"))
        self.images = os.path.join(self.folder, "cache", "mayfly", "images")

    def file(self, contents, name="test.wasm"):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(contents)
        return path

    def mayfly(self, *arguments, **environment):
        return subprocess.run([MAYFLY, *arguments], capture_output=True, text=True, timeout=120,
                              env=dict(self.environment, **environment), check=False)

    def run_hello(self, *flags, **environment):
        result = self.mayfly("run", "--driver", DRIVER, "--timings", *flags,
                             self.file(modules.HELLO), **environment)
        self.assertEqual((result.returncode, result.stdout), (0, "hello\n"), result.stderr)
        return result

    def entries(self):
        return sorted(os.listdir(self.images)) if os.path.isdir(self.images) else []

    def test_second_start_needs_no_compiler(self):
        self.assertIn("build", self.run_hello().stderr)
        compiler = os.path.join(os.path.dirname(MAYFLY), "mayfly-compiler")
        self.assertNotIn("build", self.run_hello(MAYFLY_COMPILER=compiler).stderr)
        self.assertEqual(len(self.entries()), 1)

    def test_flags_that_change_code_have_entries_of_their_own(self):
        self.run_hello()
        for flags in (["-O", "0"], ["--cpu", "native"], ["--memory-class", "high"]):
            self.assertIn("build", self.run_hello(*flags).stderr)
        self.assertEqual(len(self.entries()), 4)

    def test_another_compiler_is_another_key(self):
        self.run_hello()
        other = os.path.join(self.folder, "mayfly-compiler")
        with open(other, "w", encoding="ascii") as script:
            script.write(f"#!/bin/sh\nexec {os.path.dirname(MAYFLY)}/mayfly-compiler \"$@\"\n")
        os.chmod(other, 0o755)
        self.assertIn("build", self.run_hello(MAYFLY_COMPILER=other).stderr)

    def test_no_cache_neither_reads_nor_writes(self):
        self.run_hello("--no-cache")
        self.assertEqual(self.entries(), [])
        self.run_hello()
        self.assertIn("build", self.run_hello("--no-cache").stderr)

    def test_flipped_and_missing_bits_are_built_again(self):
        self.run_hello()
        path = os.path.join(self.images, self.entries()[0])
        with open(path, "rb") as file:
            whole = file.read()
        for at in (0, 100, len(whole) // 2, len(whole) - 100, len(whole) - 1):
            with open(path, "wb") as file:
                file.write(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1:])
            self.assertIn("build", self.run_hello("-v").stderr)
        with open(path, "wb") as file:
            file.write(whole[:len(whole) // 2])
        self.assertRegex(self.run_hello("-v").stderr, "compile cache: cache entry .*\n.*build")

    def test_an_unsafe_folder_is_not_used(self):
        os.makedirs(self.images)
        os.chmod(self.images, 0o777)
        result = self.run_hello("-v")
        self.assertIn("writable by others", result.stderr)
        self.assertEqual(self.entries(), [])

    def test_no_home_is_no_error(self):
        self.environment.pop("XDG_CACHE_HOME")
        self.run_hello(HOME="")

    def test_a_folder_that_cannot_be_made_is_no_error(self):
        self.run_hello(XDG_CACHE_HOME=self.file(b"a file", "in-the-way"))

    def test_many_first_starts_compile_once(self):
        path = self.file(SLOW)
        command = [MAYFLY, "run", "--driver", DRIVER, "--timings", "--invoke", "f", path]
        children = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                     env=self.environment, text=True) for _ in range(3)]
        outputs = [child.communicate(timeout=300) for child in children]
        self.assertEqual([out for out, _ in outputs], ["0\n"] * 3, outputs)
        self.assertEqual(sum("build" in error for _, error in outputs), 1, outputs)

    def test_a_kill_at_any_moment_leaves_nothing_wrong(self):
        path = self.file(SLOW)
        command = [MAYFLY, "run", "--driver", DRIVER, "--invoke", "f", path]
        for delay in (0, 0.01, 0.05, 0.2, 0.4):
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  env=self.environment) as child:
                time.sleep(delay)
                child.send_signal(signal.SIGKILL)
        result = self.mayfly(*command[1:])
        self.assertEqual((result.returncode, result.stdout), (0, "0\n"), result.stderr)
        self.assertEqual([name for name in self.entries() if name.startswith(".")], [])

    def compiler_of(self, child):
        """The process that compiles for it, once there is one; None when it ended before."""
        while child.poll() is None:
            for tasks in glob.glob(f"/proc/{child.pid}/task/*/children"):
                with open(tasks, encoding="ascii") as file:
                    for pid in file.read().split():
                        return int(pid)
        return None

    def test_a_compiler_that_is_killed_is_one_line_and_no_entry(self):
        command = [MAYFLY, "run", "--driver", DRIVER, "--invoke", "f", self.file(SLOW)]
        killed = 0
        for delay in (0, 0.03, 0.1, 0.3):
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, env=self.environment) as child:
                compiler = self.compiler_of(child)
                time.sleep(delay)
                if compiler is not None and child.poll() is None:
                    os.kill(compiler, signal.SIGKILL)
                out, errors = child.communicate(timeout=120)
            if child.returncode == 0:
                self.assertEqual(out, "0\n")
                self.mayfly("cache", "clear")
                continue
            killed += 1
            self.assertEqual((child.returncode, out, errors.count("\n")), (1, "", 1), errors)
            self.assertEqual(self.entries(), [])
        self.assertGreater(killed, 0)
        result = self.mayfly(*command[1:])
        self.assertEqual((result.returncode, result.stdout), (0, "0\n"), result.stderr)

    def test_a_full_disk_costs_the_entry_only(self):
        cache = os.path.join(self.folder, "cache")
        os.mkdir(cache, 0o700)
        script = ('mount -t tmpfs -o size=16k,mode=700 none "$1" && shift && "$@" && '
                  'find "$XDG_CACHE_HOME" -type f')
        command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh",
                   cache]
        if subprocess.run([*command, "true"], capture_output=True, env=self.environment,
                          check=False).returncode != 0:
            self.skipTest("no user namespaces to mount a small disk in")
        run = [MAYFLY, "run", "--driver", "process", "-v", self.file(modules.HELLO)]
        result = subprocess.run([*command, *run], capture_output=True, text=True, timeout=120,
                                env=self.environment, check=False)
        self.assertEqual((result.returncode, result.stdout), (0, "hello\n"), result.stderr)
        self.assertIn("No space left on device", result.stderr)

    def test_is_listed_and_emptied(self):
        self.assertEqual(self.mayfly("cache", "path").stdout, self.images + "\n")
        self.run_hello()
        self.assertEqual(stat.S_IMODE(os.stat(self.images).st_mode), 0o700)
        self.assertIn("1 images, ", self.mayfly("cache", "ls").stdout)
        listed = json.loads(self.mayfly("cache", "ls", "--json").stdout)
        self.assertEqual([entry["name"] for entry in listed], self.entries())
        self.assertIn("removed 1 images", self.mayfly("cache", "clear").stdout)
        self.assertEqual(self.entries(), [])

    def test_keeps_to_its_size(self):
        self.run_hello()
        bytes_of_one = os.stat(os.path.join(self.images, self.entries()[0])).st_size
        self.run_hello("--cache-max", str(bytes_of_one * 3 // 2), "-O", "0")
        self.assertEqual(len(self.entries()), 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
