#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Components that import what nobody provides, and what inspect says of those that import much.
#   missing_test.py MAYFLY DRIVER [unittest arguments]
import json
import subprocess

from components import STRING, Interface, component, logging
from on_driver import DRIVER, MAYFLY, FolderTest, main

NAMES = ("wasi:config/nothing@0.2.0", "wasi:cli/stdout@0.3.0", "example:host/log")
IMPORTS = "".join(f'(import "{name}" "say" (func $f{i} (param i32 i32)))'
                  for i, name in enumerate(NAMES))
CALLS_ONE = f"""(module (import "libc" "memory" (memory 1))
  (import "wasi:logging/logging" "log" (func $log (param i32 i32 i32 i32 i32)))
  {IMPORTS}
  (func (export "run") (result i32)
    (call $log (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (call $f2 (i32.const 0) (i32.const 0))
    (i32.const 0)))"""


def unknown(name):
    interface = Interface(name)
    interface.function("say", [("text", STRING)])
    return interface


class Missing(FolderTest):
    def setUp(self):
        super().setUp()
        with open(self.path("test.wasm"), "wb") as file:
            file.write(component([logging(), *map(unknown, NAMES)], CALLS_ONE))

    def mayfly(self, command, *flags):
        return subprocess.run([MAYFLY, command, *flags, self.path("test.wasm")],
                              env=self.environment, capture_output=True, text=True, timeout=60,
                              check=False)

    def test_imports_are_lines_with_what_would_provide_them(self):
        result = self.mayfly("run", "--driver", DRIVER)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertEqual(result.stderr.splitlines(), [
            "mayfly: missing: example:host/log say: an embedder's function, which no flag grants",
            "mayfly: missing: wasi:cli/stdout@0.3.0 say: provided is version 0.2",
            "mayfly: missing: wasi:config/nothing@0.2.0 say: an embedder's function, which no flag "
            "grants",
            f"mayfly: {self.path('test.wasm')}: nothing provides 3 of its imports; --trap-missing "
            "runs it without them"])

    def test_imports_trap_when_asked_to(self):
        result = self.mayfly("run", "--driver", DRIVER, "--trap-missing")
        self.assertEqual(result.returncode, 134, result.stderr)
        lines = result.stderr.splitlines()
        self.assertEqual(lines[0], "[trace] ")
        self.assertIn("an import was called that nothing provides", lines[1])

    def test_inspect_says_what_a_component_could_ask_for(self):
        asked = json.loads(self.mayfly("inspect", "--json").stdout)["could_ask_for"]
        self.assertEqual([item["capability"] for item in asked],
                         ["messages on stderr", "functions of an embedder"])
        self.assertEqual(asked[0]["granted_by"], "always, from --log-level on")
        self.assertEqual(asked[1]["imports"], sorted(NAMES))

    def test_inspect_says_it_of_an_image_too(self):
        image = self.path("image")
        compiled = subprocess.run([MAYFLY, "compile", "--trap-missing", self.path("test.wasm"),
                                   "-o", image], env=self.environment, check=False)
        self.assertEqual(compiled.returncode, 0)
        said = subprocess.run([MAYFLY, "inspect", "--json", image], env=self.environment,
                              capture_output=True, check=True).stdout
        self.assertEqual(json.loads(said)["could_ask_for"],
                         [{"capability": "messages on stderr", "imports": ["wasi:logging/logging"],
                           "granted_by": "always, from --log-level on"}])


if __name__ == "__main__":
    main()
