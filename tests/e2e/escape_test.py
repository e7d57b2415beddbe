#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Ways out of a preopened directory, by a program of WASI preview 1 and by a component of 0.2, in a
# machine of their own: each ends in an error, and what lies beside the directory stays as it is.
#   escape_test.py MAYFLY DRIVER [unittest arguments]
import os
import subprocess
from pathlib import Path

import component
from on_driver import MAYFLY, RUN, FolderTest, main

# Does what its first argument says to the path in its second, and exits with the errno.
GUEST = """(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $path_open
    (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get"
    (func $stat (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_set_times"
    (func $times (param i32 i32 i32 i32 i64 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory"
    (func $mkdir (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_remove_directory"
    (func $rmdir (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file"
    (func $unlink (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_readlink"
    (func $readlink (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_symlink"
    (func $symlink (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_rename"
    (func $rename (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_link"
    (func $link (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "filetaken")
  (func $open (param $flags i32) (param $path i32) (param $bytes i32) (result i32)
    (call $path_open (i32.const 3) (i32.const 1) (local.get $path) (local.get $bytes)
                     (local.get $flags) (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 64)))
  (func $do (param $what i32) (param $p i32) (param $n i32) (result i32)
    (if (i32.eq (local.get $what) (i32.const 111))  ;; o
      (then (return (call $open (i32.const 0) (local.get $p) (local.get $n)))))
    (if (i32.eq (local.get $what) (i32.const 99))  ;; c
      (then (return (call $open (i32.const 1) (local.get $p) (local.get $n)))))
    (if (i32.eq (local.get $what) (i32.const 116))  ;; t
      (then (return (call $open (i32.const 8) (local.get $p) (local.get $n)))))
    (if (i32.eq (local.get $what) (i32.const 115))  ;; s
      (then (return (call $stat (i32.const 3) (i32.const 1) (local.get $p) (local.get $n)
                                (i32.const 128)))))
    (if (i32.eq (local.get $what) (i32.const 109))  ;; m
      (then (return (call $times (i32.const 3) (i32.const 1) (local.get $p) (local.get $n)
                                 (i64.const 0) (i64.const 0) (i32.const 5)))))
    (if (i32.eq (local.get $what) (i32.const 100))  ;; d
      (then (return (call $mkdir (i32.const 3) (local.get $p) (local.get $n)))))
    (if (i32.eq (local.get $what) (i32.const 114))  ;; r
      (then (return (call $rmdir (i32.const 3) (local.get $p) (local.get $n)))))
    (if (i32.eq (local.get $what) (i32.const 117))  ;; u
      (then (return (call $unlink (i32.const 3) (local.get $p) (local.get $n)))))
    (if (i32.eq (local.get $what) (i32.const 107))  ;; k
      (then (return (call $readlink (i32.const 3) (local.get $p) (local.get $n) (i32.const 256)
                                    (i32.const 512) (i32.const 64)))))
    (if (i32.eq (local.get $what) (i32.const 121))  ;; y
      (then (return (call $symlink (i32.const 0) (i32.const 4) (i32.const 3) (local.get $p)
                                   (local.get $n)))))
    (if (i32.eq (local.get $what) (i32.const 110))  ;; n
      (then (return (call $rename (i32.const 3) (local.get $p) (local.get $n) (i32.const 3)
                                  (i32.const 4) (i32.const 5)))))
    (if (i32.eq (local.get $what) (i32.const 78))  ;; N
      (then (return (call $rename (i32.const 3) (i32.const 0) (i32.const 4) (i32.const 3)
                                  (local.get $p) (local.get $n)))))
    (if (i32.eq (local.get $what) (i32.const 108))  ;; l
      (then (return (call $link (i32.const 3) (i32.const 0) (local.get $p) (local.get $n)
                                (i32.const 3) (i32.const 4) (i32.const 5)))))
    (if (i32.eq (local.get $what) (i32.const 76))  ;; L
      (then (return (call $link (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4)
                                (i32.const 3) (local.get $p) (local.get $n)))))
    (i32.const 99))
  (func (export "_start")
    (drop (call $sizes (i32.const 1024) (i32.const 1028)))
    (drop (call $args (i32.const 2048) (i32.const 4096)))
    (call $exit (call $do
      (i32.load8_u (i32.load (i32.const 2052)))
      (i32.load (i32.const 2056))
      ;; the last text, without its NUL
      (i32.sub (i32.sub (i32.add (i32.const 4096) (i32.load (i32.const 1028))) (i32.const 1))
               (i32.load (i32.const 2056)))))))"""

EPERM, ENOENT, ENOTCAPABLE = 63, 44, 76

TO_OPEN = ["..", "../outside/secret", "/etc/passwd", "dir/../../outside/secret", "absolute/secret",
           "relative/secret", "dir/to_secret", "to_root/etc/passwd", "to_parent/outside/secret",
           "by_way_of_dir/secret", "magic/etc/passwd", "//etc/passwd"]
TO_CREATE = ["../outside/new", "/tmp/mayfly-escape-new", "absolute/new", "to_parent/outside/new"]
TO_TAKE = ["../outside/secret", "absolute/secret", "relative/secret", "to_parent/outside/secret"]
CASES = ([("o", path) for path in TO_OPEN] + [("s", path) for path in TO_OPEN] +
         [(what, path) for what in "cdyNL" for path in TO_CREATE] +
         [(what, path) for what in "turknlm" for path in TO_TAKE])
READ_ONLY_CASES = [("c", "new"), ("t", "file"), ("d", "new"), ("u", "file"), ("r", "dir"),
                   ("n", "file"), ("N", "new"), ("l", "file"), ("y", "new"), ("m", "file")]


class Folders(FolderTest):
    """A directory to give, and what lies beside it."""

    def setUp(self):
        super().setUp()
        self.root = os.path.join(self.folder, "root")
        self.outside = os.path.join(self.folder, "outside")
        os.makedirs(os.path.join(self.root, "dir"))
        os.mkdir(self.outside)
        self.write(os.path.join(self.outside, "secret"), "secret")
        self.write(os.path.join(self.root, "file"), "content")
        for target, name in ((self.outside, "absolute"), ("../outside", "relative"),
                             ("../../outside/secret", "dir/to_secret"), ("/", "to_root"),
                             ("..", "to_parent"), ("dir/../../outside", "by_way_of_dir"),
                             ("/proc/self/root", "magic")):
            os.symlink(target, os.path.join(self.root, name))
        self.image = os.path.join(self.folder, "guest.mayfly")
        subprocess.run([MAYFLY, "compile", self.build(), "-o", self.image], check=True,
                       env=self.environment)

    def write(self, path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def run_guest(self, what, path, grant):
        return subprocess.run([*RUN, "--dir", self.root + grant,
                               self.image, what, path], env=self.environment, timeout=120,
                              check=False, stdout=subprocess.PIPE, text=True)

    def assert_unharmed(self):
        self.assertEqual(os.listdir(self.outside), ["secret"])
        with open(os.path.join(self.outside, "secret"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "secret")
        self.assertGreater(os.stat(os.path.join(self.outside, "secret")).st_mtime, 0)
        self.assertFalse(os.path.lexists("/tmp/mayfly-escape-new"))

    def assert_nothing_new(self):
        self.assertEqual(sorted(os.listdir(self.root)), sorted(
            ["file", "dir", "absolute", "relative", "to_root", "to_parent", "by_way_of_dir",
             "magic"]))


class Escape(Folders):
    def build(self):
        text = os.path.join(self.folder, "guest.wat")
        self.write(text, GUEST)
        module = os.path.join(self.folder, "guest.wasm")
        subprocess.run(["wat2wasm", text, "-o", module], check=True)
        return module

    def errno_of(self, what, path, grant="::/"):
        return self.run_guest(what, path, grant).returncode

    def test_the_guest_works(self):
        self.assertEqual(self.errno_of("o", "file"), 0)
        self.assertEqual(self.errno_of("d", "new"), 0)
        self.assertEqual(self.errno_of("l", "file"), 0)
        self.assertEqual(self.errno_of("o", "nothing"), ENOENT)

    def test_no_way_leads_out(self):
        self.assertGreaterEqual(len(CASES), 40)
        for what, path in CASES:
            with self.subTest(what=what, path=path):
                self.assertEqual(self.errno_of(what, path), EPERM)
        self.assert_unharmed()

    def test_says_what_would_allow_a_denied_path_only_when_asked(self):
        def said(*flags, path="../outside/secret", grant="::/"):
            return subprocess.run([*RUN, *flags, "--dir",
                                   self.root + grant, self.image, "o", path], text=True,
                                  env=self.environment, timeout=120, check=False,
                                  stderr=subprocess.PIPE).stderr
        self.assertEqual(said(), "")
        self.assertEqual(said("-v", path="file"), "")
        for path in ("../outside/secret", "absolute/secret"):
            self.assertEqual(said("-v", path=path),
                             f'mayfly: denied: "{path}" leads out of {self.root}; --dir '
                             f"{self.outside} would allow it under that name\n")

    def test_sees_paths_that_libc_refuses(self):
        source, program = self.path("open.c"), self.path("open.wasm")
        self.write(source, '''#include <errno.h>
            #include <fcntl.h>
            int main(void) { return open("/etc/passwd", O_RDONLY) < 0 ? errno : 0; }''')
        subprocess.run(["clang-19", "--target=wasm32-wasi", "--sysroot=/usr", source, "-o",
                        program], check=True)
        for flags, expected in (([], ""), (["-v"], 'mayfly: denied: "/etc/passwd" is in no '
                                           "directory of the program's; --dir HOST::/etc would "
                                           "allow it\n")):
            result = subprocess.run([*RUN, "--no-cache", *flags,
                                     "--dir", self.root + "::/data", program], text=True,
                                    env=self.environment, timeout=120, check=False,
                                    stderr=subprocess.PIPE)
            self.assertEqual((result.returncode, result.stderr), (ENOTCAPABLE, expected))

    def test_nothing_changes_below_a_read_only_directory(self):
        for what, path in READ_ONLY_CASES:
            with self.subTest(what=what, path=path):
                self.assertEqual(self.errno_of(what, path, "::/:ro"), 69)  # EROFS
        self.assert_nothing_new()


class ComponentEscape(Folders):
    """The same of WASI 0.2: codes are those of wasi:filesystem/types.error-code."""
    NO_ENTRY, NOT_PERMITTED, READ_ONLY = 20, 31, 33

    def build(self):
        here = Path(__file__).resolve().parent
        return component.build(here / "escape_program.c", here / "wasi2.wit", Path(self.folder))

    def code_of(self, what, path, grant="::/"):
        """None: it was done."""
        result = self.run_guest(what, path, grant)
        if result.returncode == 0:
            return None
        self.assertRegex(result.stdout, "^error [0-9]+\n$")
        return int(result.stdout.split()[1])

    def test_the_guest_works(self):
        for what, path in (("o", "file"), ("s", "dir"), ("d", "new"), ("l", "file"), ("m", "file"),
                           ("y", "link"), ("k", "link"), ("c", "made"), ("r", "new")):
            self.assertIsNone(self.code_of(what, path), what)
        self.assertEqual(self.code_of("o", "nothing"), self.NO_ENTRY)

    def test_no_way_leads_out(self):
        for what, path in CASES:
            with self.subTest(what=what, path=path):
                self.assertEqual(self.code_of(what, path), self.NOT_PERMITTED)
        self.assert_unharmed()

    def test_nothing_changes_below_a_read_only_directory(self):
        for what, path in READ_ONLY_CASES:
            with self.subTest(what=what, path=path):
                self.assertEqual(self.code_of(what, path, "::/:ro"), self.READ_ONLY)
        self.assert_nothing_new()


if __name__ == "__main__":
    main()
