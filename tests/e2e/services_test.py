#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Components that use wasi:logging and wasi:config, from the command line.
#   services_test.py MAYFLY DRIVER [unittest arguments]
import subprocess

from components import LEVELS, STRING, Interface, component, logging
from on_driver import RUN, FolderTest, main


def config(name):
    interface = Interface(name)
    error = interface.variant("error", [("upstream", STRING), ("io", STRING)])
    text = interface.option(STRING)
    interface.function("get", [("key", STRING)], interface.result(text, error))
    pairs = interface.list(interface.tuple([STRING, STRING]))
    interface.function("get-all", [], interface.result(pairs, error))
    return interface


# Logs the value of "greeting" with each level, or fails where there is none.
GREET = """(module
  (import "libc" "memory" (memory 1))
  (import "LOGGING" "log" (func $log (param i32 i32 i32 i32 i32)))
  (import "CONFIG" "get" (func $get (param i32 i32 i32)))
  (data (i32.const 0) "greeting")
  (func (export "run") (result i32) (local $level i32)
    (call $get (i32.const 0) (i32.const 8) (i32.const 64))
    (if (i32.or (i32.load8_u (i32.const 64)) (i32.eqz (i32.load8_u (i32.const 68))))
      (then (return (i32.const 1))))
    (loop $levels
      (call $log (local.get $level) (i32.const 0) (i32.const 8)
        (i32.load (i32.const 72)) (i32.load (i32.const 76)))
      (local.set $level (i32.add (local.get $level) (i32.const 1)))
      (br_if $levels (i32.lt_u (local.get $level) (i32.const 6))))
    (i32.const 0)))"""


class Services(FolderTest):
    def write(self, contents, name="test.wasm"):
        with open(self.path(name), "wb") as file:
            file.write(contents)
        return self.path(name)

    def run_file(self, path, *flags):
        return subprocess.run([*RUN, *flags, path],
                              env=self.environment, capture_output=True, text=True, timeout=60,
                              check=False)

    def greet(self, config_name="wasi:config/store@0.2.0-rc.1", version=""):
        text = GREET.replace("LOGGING", "wasi:logging/logging" + version)
        return self.write(component([logging(version), config(config_name)],
                                    text.replace("CONFIG", config_name)))

    def lines(self, result):
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)
        return result.stderr.splitlines()

    def test_messages_are_lines_on_stderr_from_a_level_on(self):
        path = self.greet()
        every = [f"[{level}] greeting: hello" for level in LEVELS]
        self.assertEqual(self.lines(self.run_file(path, "--config", "greeting=hello")), every)
        for first, level in enumerate(LEVELS):
            result = self.run_file(path, "--config", "greeting=hello", "--log-level", level)
            self.assertEqual(self.lines(result), every[first:])
        result = self.run_file(path, "--config", "greeting=hello", "--log-level", "off")
        self.assertEqual(self.lines(result), [])

    def test_a_message_is_one_line_whatever_is_in_it(self):
        result = self.run_file(self.greet(), "--config", "greeting=a\nmayfly: b\x1b[31m",
                               "--log-level", "critical")
        self.assertEqual(self.lines(result),
                         ["[critical] greeting: a\\x0amayfly: b\\x1b[31m"])

    def test_versions_that_others_import_are_known(self):
        path = self.greet("wasi:config/runtime@0.2.0-draft", "@0.1.0-draft")
        result = self.run_file(path, "--config", "greeting=x", "--log-level", "critical")
        self.assertEqual(self.lines(result), ["[critical] greeting: x"])

    def test_values_come_from_files_and_then_from_flags(self):
        path = self.greet()
        first = self.write(b'{"greeting": "first", "other": 1}', "first.json")
        second = self.write(b'{"greeting": "second"}', "second.json")
        flags = ["--log-level", "critical", "--config-file", first, "--config-file", second]
        self.assertEqual(self.lines(self.run_file(path, *flags)), ["[critical] greeting: second"])
        result = self.run_file(path, *flags, "--config", "greeting=flag")
        self.assertEqual(self.lines(result), ["[critical] greeting: flag"])

    def test_a_value_that_was_not_given_is_none(self):
        result = self.run_file(self.greet(), "--config", "Greeting=hello")
        self.assertEqual((result.returncode, result.stderr), (1, ""))

    def test_bad_values_and_levels_are_one_line(self):
        path = self.greet()
        bad = self.write(b"[1]", "bad.json")
        for flags, status, text in ((["--config", "x"], 2, "'x' is not KEY=VALUE"),
                                    (["--log-level", "loud"], 2, "'loud' is not a level"),
                                    (["--config-file", bad], 1, "not a JSON object"),
                                    (["--config-file", self.path("none")], 1, "No such file")):
            result = self.run_file(path, *flags)
            self.assertEqual(result.returncode, status, result.stderr)
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
            self.assertIn(text, result.stderr)

    def test_are_traced(self):
        result = self.run_file(self.greet(), "--config", "greeting=hello", "--log-level", "off",
                               "--trace", "ports")
        self.assertRegex(result.stderr, r'(?m)^config-get\("greeting", 1024 bytes\) = '
                                        r"1 found, 5 bytes <[0-9]+ us>$")
        self.assertRegex(result.stderr,
                         r'(?m)^log\(2, "greeting", "hello"\) = -1 EACCES <[0-9]+ us>$')


if __name__ == "__main__":
    main()
