#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# `mayfly bindgen`: what it writes compiles without a warning, whatever names and types a world has,
# and what it cannot write is one line.
#   bindgen_test.py MAYFLY SOURCE_FOLDER [unittest arguments]
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

MAYFLY = sys.argv[1]
SOURCE = pathlib.Path(sys.argv[2])
REFERENCE = pathlib.Path(os.environ.get("MAYFLY_REFERENCE", SOURCE / ".." / "shared" / "reference"))
WARNINGS = ["-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]

# Names that C++ reserves, one interface twice and in two versions, types before what they need,
# resources that are imported and exported, inline interfaces, and every kind of type.
ZOO = """package class:new@1.0.0;

interface int {
  use types.{%resource as thing, point};
  record switch { default: u8, %this: string, for: option<point>, host: list<host> }
  record host { a: tuple<u8, s64, char>, b: result<_, string>, c: result<u8>, d: result }
  flags operator { and, or, not, eof }
  enum %enum { %union, template, stdin }
  variant %variant { none, %bool(bool), same(string), other(string), both(point) }
  type alias = list<switch>;
  type fixed = list<u8, 4>;
  %return: func(%case: switch, while: operator, %do: %enum) -> %variant;
  %export: func(caller: alias, host: fixed, linker: borrow<thing>) -> result<thing, %variant>;
  give: func(t: thing, all: list<thing>) -> option<thing>;
}
interface types {
  record point { x: f32, y: f64 }
  resource %resource {
    constructor(x: point);
    delete: func(%resource: borrow<%resource>) -> point;
    new: static func() -> %resource;
    try: func() -> result<%resource, string>;
  }
  record holder { it: %resource, name: string }
  hold: func(h: holder) -> holder;
}
world namespace {
  import int;
  import types;
  import other:dep/api@1.0.0;
  import other:dep/api@2.0.0;
  import inside: interface { f: func(); record r { x: u8 } g: func(r: r); }
  import log: func(message: string);
  record mine { name: string }
  import take-mine: func(m: mine);
  export int;
  export types;
  export mine-own: interface { run: func(argv: list<string>) -> u32; }
  export main: func(m: mine) -> mine;
}
package other:dep@1.0.0 { interface api { type t = u8; f: func(x: t); } }
package other:dep@2.0.0 { interface api { type t = string; f: func(x: t); } }
"""


class Bindgen(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def mayfly(self, *arguments):
        return subprocess.run([MAYFLY, "bindgen", *map(str, arguments)], capture_output=True,
                              text=True, timeout=60, check=False)

    def file(self, text, name="test.wit"):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def made(self, *arguments):
        result = self.mayfly(*arguments, "-o", self.folder / "gen")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return pathlib.Path(result.stdout.strip())

    def compiles(self, header, body):
        source = self.file(f'#include "{header.name}"\n{body}\n', "use.cc")
        for compiler in ("clang++-19", "g++"):
            if shutil.which(compiler) is None:
                continue
            result = subprocess.run([compiler, *WARNINGS, "-fsyntax-only", f"-I{SOURCE}/include",
                                     f"-I{header.parent}", source], capture_output=True, text=True,
                                    timeout=300, check=False)
            self.assertEqual(result.returncode, 0, f"{compiler}: {result.stderr[:4000]}")

    def assert_refused(self, result, part):
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertIn(part, result.stderr)

    def test_compiles_whatever_names_there_are(self):
        header = self.made(self.file(ZOO))
        self.assertEqual(header.name, "namespace_.h")
        self.compiles(header, """
mayfly::Result<namespace_::Exports> find(mayfly::Linker& linker, const namespace_::Imports& all,
                                         const mayfly::Sandbox& sandbox) {
  namespace_::define(linker, all);
  return namespace_::Exports::create(sandbox);
}""")

    def test_compiles_the_worlds_of_others(self):
        wit = REFERENCE / "wit" / "hyperlight-witguest.wit"
        if not wit.exists():
            self.skipTest(f"no {wit}; set MAYFLY_REFERENCE")
        self.compiles(self.made(wit, "--world", "test"), """
mayfly::Result<test::Exports> find(mayfly::Linker& linker, const test::Imports& all,
                                   const mayfly::Sandbox& sandbox) {
  test::define(linker, all);
  return test::Exports::create(sandbox);
}""")

    def test_names_the_worlds_there_are(self):
        file = self.file("package a:b;\nworld x { import f: func(); }\nworld y {}\n")
        self.assert_refused(self.mayfly(file, "-o", self.folder), "choose one of its worlds with "
                            "--world: x, y")
        self.assert_refused(self.mayfly(file, "--world", "z", "-o", self.folder), "no world z")
        self.assertEqual(self.made(file, "--world", "a:b/x").name, "x.h")
        self.assert_refused(self.mayfly(self.file("package a:b;", "none.wit"), "-o", self.folder),
                            "it has no world")

    def test_says_where_a_file_is_wrong(self):
        self.assert_refused(self.mayfly(self.file("package a:b;\nworld w { import f; \n"), "-o",
                                        self.folder), "test.wit:3:1: ")
        asynchronous = self.file("package a:b;\nworld w { import f: async func(); }")
        self.assert_refused(self.mayfly(asynchronous, "-o", self.folder), "no async functions")
        self.assert_refused(self.mayfly(self.folder / "missing.wit", "-o", self.folder), "missing")
        self.assert_refused(self.mayfly(self.file("\0asm", "x.wasm"), "-o", self.folder), "x.wasm")

    def test_says_which_folder_cannot_be_written(self):
        file = self.file("package a:b;\nworld w { import f: func(); }")
        self.assert_refused(self.mayfly(file, "-o", file), "test.wit")

    def test_help_teaches(self):
        text = self.mayfly("--help").stdout
        for part in ("--world", "Host", "Guest", "Exports::create", "Example:"):
            self.assertIn(part, text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
