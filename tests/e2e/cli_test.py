#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The program `mayfly` from outside: what it prints, and how it exits.
#   cli_test.py MAYFLY DRIVER [unittest arguments]
import json
import os
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

import modules

MAYFLY = sys.argv[1]
DRIVER = sys.argv[2]
SKIPPED = 77


class Cli(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        # The installation's key and the cache of the tests, not of who runs them.
        self.data = os.path.join(self.folder, "data")
        self.environment = dict(os.environ, XDG_DATA_HOME=self.data,
                                XDG_CACHE_HOME=os.path.join(self.folder, "cache"))

    def file(self, contents, name="test.wasm"):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(contents)
        return path

    def mayfly(self, *arguments, **options):
        options.setdefault("env", self.environment)
        return subprocess.run([MAYFLY, *arguments], capture_output=True, text=True, timeout=120,
                              **options)

    def run_module(self, contents, *flags, arguments=(), **options):
        return self.mayfly("run", "--driver", DRIVER, *flags, self.file(contents), *arguments,
                           **options)

    def assert_one_line(self, result, code, part):
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertTrue(result.stderr.startswith("mayfly: "), result.stderr)
        self.assertIn(part, result.stderr)
        self.assertEqual(result.stdout, "")


class Run(Cli):
    def test_prints_the_results_of_an_invocation(self):
        result = self.run_module(modules.FORTY_TWO, "--invoke", "f")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "42\n", ""))

    def test_reads_arguments_by_type(self):
        result = self.run_module(modules.ADD, "--invoke", "add(1, 2.5)")
        self.assertEqual((result.returncode, result.stdout), (0, "3.5\n"))

    def test_refuses_arguments_that_do_not_fit(self):
        self.assert_one_line(self.run_module(modules.ADD, "--invoke", "add(1)"), 1,
                             "add takes 2 arguments, not 1: it is (f64, f64) -> (f64)")
        self.assert_one_line(self.run_module(modules.ADD, "--invoke", "add(1, x)"), 1,
                             "'x' is not a value of type f64")

    def test_names_the_exports_when_there_is_no_such_function(self):
        self.assert_one_line(self.run_module(modules.ADD), 1, "it exports add: choose one")
        self.assert_one_line(self.run_module(modules.ADD, "--invoke", "mul"), 1,
                             "no function mul to call; it exports add")

    def test_runs_a_wasi_command(self):
        result = self.run_module(modules.HELLO)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "hello\n", ""))

    def test_passes_the_exit_code_of_the_guest_on(self):
        self.assertEqual(self.run_module(modules.EXIT_3).returncode, 3)

    def test_links_a_preloaded_module_by_its_name(self):
        math = self.file(modules.ADD, "math.wasm")
        result = self.run_module(modules.CALLS_ADD, "--preload", f"math={math}", "--invoke",
                                 "sum(1, 2)")
        self.assertEqual((result.returncode, result.stdout), (0, "3\n"), result.stderr)

    def test_names_what_an_unknown_import_lacks(self):
        self.assert_one_line(self.run_module(modules.UNKNOWN_IMPORT, "--invoke", "f"), 1,
                             'unknown import: "env" "missing", function () -> ()')

    def test_says_what_an_unknown_import_was_meant_to_be(self):
        for module, name, advice in (
                ("wasi_snapshot_preview1", "fd_wirte", 'did you mean "fd_write"?'),
                ("wasi_snapshot_preview2", "fd_write", 'did you mean "wasi_snapshot_preview1"?'),
                ("wasi:cli/exit@0.2.0", "exit", "only components import"),
                ("wasi", "thread-spawn", "without -pthread"),
                ("env", "missing", "--preload")):
            program = modules.module([([], [])], [(0, b"")], imports=[(module, name, 0)],
                                     exports=[("_start", modules.FUNC, 1)])
            with self.subTest(name=name):
                self.assert_one_line(self.run_module(program), 1, advice)

    def test_provides_the_marks_of_a_benchmark_only_when_asked(self):
        self.assert_one_line(self.run_module(modules.BENCH), 1, "--bench provides it")
        result = self.run_module(modules.BENCH, "--bench")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stderr, r"^bench_ns [0-9]+\n$")

    def test_says_how_long_each_phase_took(self):
        result = self.run_module(modules.FORTY_TWO, "--invoke", "f", "--timings")
        self.assertRegex(result.stderr, r"^timings: .*build .*run .*total [0-9.]+ ms\n$")

    def test_limits_memory(self):
        result = self.run_module(modules.GROW, "--memory-max", "1MiB", "--invoke", "grow(15)")
        self.assertEqual(result.stdout, "1\n", result.stderr)
        result = self.run_module(modules.GROW, "--memory-max", "1MiB", "--invoke", "grow(16)")
        self.assertEqual(result.stdout, "-1\n", result.stderr)
        self.assert_one_line(
            self.run_module(modules.GROW, "--memory-max", "65535", "--invoke", "grow(0)"), 1,
            "past the limit of 65535")

    def test_ends_with_an_interrupt_and_its_output(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            command = [MAYFLY, "run", "--driver", DRIVER, self.file(modules.HELLO_THEN_LOOP)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  start_new_session=True) as child:
                self.assertEqual(child.stdout.read(6), b"hello\n")
                os.killpg(child.pid, number)  # as a terminal does
                self.assertEqual(child.wait(30), code, child.stderr.read())
                self.assertEqual(child.stderr.read(), b"")

    def test_ends_with_an_interrupt_while_it_waits(self):
        command = [MAYFLY, "run", "--driver", DRIVER, self.file(modules.READ_INPUT)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            time.sleep(2)
            child.send_signal(signal.SIGINT)
            self.assertEqual(child.wait(30), 130, child.stderr.read())

    def test_traces_ports(self):
        result = self.run_module(modules.HELLO, "--trace", "ports")
        self.assertEqual((result.returncode, result.stdout), (0, "hello\n"), result.stderr)
        self.assertRegex(result.stderr, r"(?m)^write\(1, 6 bytes\) = 6 <[0-9]+ us>$")
        self.assertEqual(self.run_module(modules.HELLO).stderr, "")

    def test_refuses_grants_that_it_does_not_understand(self):
        self.assert_one_line(self.run_module(modules.HELLO, "--tcplisten", "localhost:80"), 1,
                             "neither an IPv4 address nor an IPv6 one")

    def test_shows_progress_on_a_terminal(self):
        # A function that takes the compiler over a second.
        body = modules.const(0) + bytes([modules.I32_LOAD, 2, 0]) * 4000
        path = self.file(modules.module([([], [modules.I32])], [(0, body)] * 300, memory=1,
                                        exports=[("f", modules.FUNC, 0)]))
        terminal, other = os.openpty()
        with subprocess.Popen([MAYFLY, "compile", path, "-o", os.path.join(self.folder, "x")],
                              stdin=subprocess.DEVNULL, stderr=other) as child:
            os.close(other)
            shown = os.read(terminal, 1000)
            child.kill()
        os.close(terminal)
        self.assertRegex(shown, rb"compiling test\.wasm: \d+ s")


class Traps(Cli):
    def assert_trap(self, contents, call, message, function):
        result = self.run_module(contents, "--invoke", call)
        self.assertEqual(result.returncode, 134, result.stderr)
        lines = result.stderr.splitlines()
        self.assertTrue(lines[0].endswith(f"test.wasm: trap: {message}"), lines[0])
        self.assertRegex(lines[1], rf"^  at {function} \(test\.wasm\+0x[0-9a-f]+\)$")

    def test_name_the_reason_and_the_place(self):
        self.assert_trap(modules.DIVIDE, "divide(1, 0)", "integer divide by zero", "divide")
        self.assert_trap(modules.DIVIDE, "divide(-2147483648, -1)", "integer overflow", "divide")
        self.assert_trap(modules.LOAD, "load(65533)", "out of bounds memory access", "load")
        self.assert_trap(modules.RECURSE, "recurse", "call stack exhausted", "recurse")

    def test_offset_is_that_of_the_instruction(self):
        result = self.run_module(modules.LOAD, "--invoke", "load(-1)")
        offset = int(result.stderr.split("+0x")[1].split(")")[0], 16)
        self.assertEqual(modules.LOAD[offset], modules.I32_LOAD, result.stderr)


class Deadlines(Cli):
    def assert_deadline(self, contents, *flags, **options):
        started = time.monotonic()
        result = self.run_module(contents, "--timeout", "300ms", *flags, **options)
        self.assertEqual(result.returncode, 124, result.stderr)
        self.assertIn("deadline reached", result.stderr)
        self.assertLess(time.monotonic() - started, 20)

    def test_end_an_endless_loop(self):
        self.assert_deadline(modules.LOOP_FOR_EVER)

    def test_end_an_endless_start_function(self):
        self.assert_deadline(modules.LOOP_AT_START, "--invoke", "f")

    def test_end_a_read_of_input_that_does_not_come(self):
        readable, writable = os.pipe()
        self.addCleanup(os.close, writable)
        with os.fdopen(readable) as silent:
            self.assert_deadline(modules.READ_INPUT, stdin=silent)

    def test_do_not_count_compiling(self):
        result = self.run_module(modules.FORTY_TWO, "--timeout", "20s", "--invoke", "f")
        self.assertEqual(result.returncode, 0, result.stderr)


class BadInput(Cli):
    def test_is_one_line_and_exit_code_1(self):
        self.assert_one_line(self.run_module(modules.ADD[:-3]), 1, "at offset 0x")
        self.assert_one_line(self.run_module(b"#!/bin/sh\n"), 1, "neither a WebAssembly module")
        self.assert_one_line(self.run_module(b""), 1, "neither a WebAssembly module")
        self.assert_one_line(self.run_module(b"\0asm\x0d\0\1\0"), 1, "no function _start to run")
        self.assert_one_line(self.mayfly("run", "/nonexistent/a.wasm"), 1, "/nonexistent/a.wasm")

    def test_image_is_checked(self):
        self.assert_one_line(self.run_module(b"\x7fELF" + bytes(200)), 1, "test.wasm: ")

    def test_writes_nothing(self):
        output = os.path.join(self.folder, "out")
        self.assert_one_line(self.mayfly("compile", self.file(modules.ADD[:-3]), "-o", output), 1,
                             "at offset 0x")
        self.assertEqual(os.listdir(self.folder), ["test.wasm"])


    def test_names_the_file_without_control_characters(self):
        path = self.file(modules.ADD[:-3], "a\n\x1b[31m.wasm")
        self.assert_one_line(self.mayfly("run", path), 1, "a \\x1b[31m.wasm: ")
        path = self.file(modules.DIVIDE, "b\n\x1b[31m.wasm")
        result = self.mayfly("run", "--driver", DRIVER, "--invoke", "divide(1, 0)", path)
        self.assertNotIn("\x1b", result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 2, result.stderr)

    def test_is_named_when_it_is_a_folder(self):
        self.assert_one_line(self.mayfly("run", self.folder), 1, self.folder)
        self.assert_one_line(self.mayfly("inspect", self.folder), 1, self.folder)

    def test_is_not_read_to_its_end_when_it_is_no_module(self):
        for command in ("run", "inspect"):
            with open("/dev/zero", "rb") as endless:
                before = time.monotonic()
                self.assert_one_line(self.mayfly(command, "/dev/stdin", stdin=endless), 1,
                                     "neither a WebAssembly module")
                self.assertLess(time.monotonic() - before, 5)

    def test_inspect_says_of_a_component_what_it_is_or_where_it_is_wrong(self):
        empty = self.file(b"\0asm\x0d\0\1\0", "empty.wasm")
        self.assertIn("format: component", self.mayfly("inspect", empty).stdout)
        self.assertIn("world root {", self.mayfly("inspect", "--wit", empty).stdout)
        bad = self.file(b"\0asm\x0d\0\1\0\x63", "bad.wasm")
        self.assert_one_line(self.mayfly("inspect", bad), 1, "at offset 0x8")
        module = self.file(modules.ADD, "module.wasm")
        self.assert_one_line(self.mayfly("inspect", "--wit", module), 1, "not a component")

    def test_of_names_that_are_no_utf8_does_not_end_inspect(self):
        image = os.path.join(self.folder, "image")
        self.mayfly("compile", self.file(modules.ADD), "-o", image)
        with open(image, "rb") as file:
            contents = file.read()
        self.assertIn(b"\3\0\0\0add", contents)
        bad = self.file(contents.replace(b"\3\0\0\0add", b"\3\0\0\0\xffdd"), "bad.image")
        self.assertIn("\ufffddd", self.mayfly("inspect", "--json", bad).stdout)
        self.assertEqual(subprocess.run([MAYFLY, "inspect", bad], capture_output=True,
                                        check=True).stderr, b"")

    def test_says_which_limit_was_too_low(self):
        def few_files():
            resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
        result = self.mayfly("run", self.file(modules.HELLO), preexec_fn=few_files)
        self.assert_one_line(result, 1, "raise RLIMIT_NOFILE")

    def test_compiles_below_a_lower_limit_of_memory(self):
        def little_memory():
            resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
        output = os.path.join(self.folder, "out")
        result = self.mayfly("compile", self.file(modules.HELLO), "-o", output,
                             preexec_fn=little_memory)
        self.assertEqual((result.returncode, result.stderr), (0, ""))


class Output(Cli):
    def full(self, *arguments):
        with open("/dev/full", "wb") as full:
            return subprocess.run([MAYFLY, *arguments], stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=60)

    def test_that_does_not_fit_is_an_error(self):
        path = self.file(modules.FORTY_TWO)
        for arguments in (["--help"], ["--version"], ["inspect", path], ["inspect", "--json", path],
                          ["doctor"], ["completion", "bash"],
                          ["run", "--driver", DRIVER, "--invoke", "f", path]):
            with self.subTest(arguments=arguments):
                result = self.full(*arguments)
                self.assertEqual((result.returncode, result.stderr),
                                 (1, "mayfly: standard output: write: No space left on device\n"))

    def test_does_not_replace_what_is_no_file(self):
        fifo = os.path.join(self.folder, "fifo")
        os.mkfifo(fifo)
        link = os.path.join(self.folder, "link")
        os.symlink("fifo", link)
        module = self.file(modules.HELLO)
        for path in (fifo, link):
            reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
            result = self.mayfly("compile", module, "-o", path)
            start = os.read(reader, 4)
            os.close(reader)
            self.assertEqual((result.returncode, result.stderr, start), (0, "", b"\x7fELF"))
        self.assertTrue(stat.S_ISFIFO(os.lstat(fifo).st_mode))
        self.assertTrue(os.path.islink(link))
        self.assert_one_line(self.mayfly("compile", module, "-o", self.folder), 1,
                             f"cannot write {self.folder}: ")

    def test_may_have_the_longest_name(self):
        path = os.path.join(self.folder, "x" * 255)
        self.assertEqual(self.mayfly("compile", self.file(modules.HELLO), "-o", path).returncode, 0)
        self.assertTrue(os.path.getsize(path) > 1000)

    def test_is_not_there_when_the_folder_is_not(self):
        self.assert_one_line(
            self.mayfly("compile", self.file(modules.HELLO), "-o", "/nonexistent/x"), 1,
            "cannot write /nonexistent/x: ")


class Usage(Cli):
    def test_errors_are_one_line_and_exit_code_2(self):
        for arguments in ([], ["fly"], ["run"], ["run", "--nothing", "a.wasm"],
                          ["run", "--driver", "qemu", "a.wasm"],
                          ["run", "--timeout", "x", "a.wasm"],
                          ["run", "--memory-max", "-1", "a.wasm"], ["run", "-O", "3", "a.wasm"],
                          ["run", "--env", "A", "a.wasm"], ["run", "--env", "=A", "a.wasm"],
                          ["run", "--dir", "", "a.wasm"], ["run", "--dir", "::x", "a.wasm"],
                          ["run", "--dir", "x::", "a.wasm"],
                          ["run", "--preload", "a.wasm", "b.wasm"],
                          ["run", "--preload", "=a.wasm", "b.wasm"],
                          ["compile", "a.wasm"], ["inspect"], ["completion", "csh"]):
            with self.subTest(arguments=arguments):
                self.assert_one_line(self.mayfly(*arguments), 2, "--help")

    def test_help_teaches_by_examples(self):
        result = self.mayfly("--help")
        self.assertEqual(result.returncode, 0)
        self.assertIn("mayfly run hello.wasm", result.stdout)
        for command in ("run", "compile", "inspect", "doctor", "wast", "completion"):
            result = self.mayfly(command, "--help")
            self.assertEqual(result.returncode, 0)
            self.assertNotRegex(result.stdout, r" (\w+):\1\b", "a value's kind is named once")

    def test_version_is_a_line(self):
        self.assertRegex(self.mayfly("--version").stdout, r"^mayfly [0-9.]+\n$")

    def test_completion_is_a_script_that_the_shell_accepts(self):
        script = self.mayfly("completion", "bash").stdout
        self.assertIn("--memory-max", script)
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
        self.assertIn("compdef", self.mayfly("completion", "zsh").stdout)
        self.assertIn("complete -c mayfly", self.mayfly("completion", "fish").stdout)

    def test_flags_after_the_file_are_the_programs(self):
        result = self.run_module(modules.EXIT_3, arguments=["--invoke", "nothing", "--help"])
        self.assertEqual(result.returncode, 3, result.stderr)


class Images(Cli):
    def compiled(self, contents):
        image = os.path.join(self.folder, "test.image")
        result = self.mayfly("compile", self.file(contents), "-o", image)
        self.assertEqual(result.returncode, 0, result.stderr)
        return image

    def run_image(self, image, *flags):
        environment = dict(self.environment, MAYFLY_COMPILER="/nonexistent")
        return self.mayfly("run", "--driver", DRIVER, *flags, image, env=environment)

    def test_run_without_a_compiler(self):
        result = self.run_image(self.compiled(modules.HELLO))
        self.assertEqual((result.returncode, result.stdout), (0, "hello\n"), result.stderr)

    def test_are_the_same_bytes_each_time(self):
        with open(self.compiled(modules.HELLO), "rb") as file:
            first = file.read()
        with open(self.compiled(modules.HELLO), "rb") as file:
            self.assertEqual(first, file.read())

    def test_are_the_same_bytes_elsewhere_but_for_the_mark_of_origin(self):
        with open(self.compiled(modules.HELLO), "rb") as file:
            here = file.read()
        self.environment["XDG_DATA_HOME"] = os.path.join(self.folder, "elsewhere")
        with open(self.compiled(modules.HELLO), "rb") as file:
            there = file.read()
        self.assertEqual(here[:-32], there[:-32])
        self.assertNotEqual(here[-32:], there[-32:])

    # The process driver runs what this installation made; the kvm driver anything.
    def assert_foreign(self, image, reason):
        self.assertIn(reason, self.mayfly("inspect", image).stdout)
        result = self.run_image(image)
        if DRIVER == "process":
            self.assert_one_line(result, 1, reason)
            self.assertIn("--trust-image", result.stderr)
            result = self.run_image(image, "--trust-image")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "hello\n", ""))

    def test_say_where_they_come_from(self):
        image = self.compiled(modules.HELLO)
        self.assertIn("origin: this installation", self.mayfly("inspect", image).stdout)

    def test_of_another_installation_are_native_code(self):
        image = self.compiled(modules.HELLO)
        self.environment["XDG_DATA_HOME"] = os.path.join(self.folder, "elsewhere")
        self.assert_foreign(image, "another installation's, as this one has made none")
        self.compiled(modules.FORTY_TWO)
        os.rename(image, image + ".42")
        self.environment["XDG_DATA_HOME"] = self.data
        image = self.compiled(modules.HELLO)
        self.environment["XDG_DATA_HOME"] = os.path.join(self.folder, "elsewhere")
        self.assert_foreign(image, "another installation's, or the file was changed")

    def test_that_were_changed_or_cut_are_native_code(self):
        image = self.compiled(modules.HELLO)
        with open(image, "rb") as file:
            whole = file.read()
        self.assert_foreign(self.file(whole[:-48], "cut"), "no mark of origin")
        self.assert_foreign(self.file(whole[:-1], "short"), "no mark of origin")
        self.assert_foreign(self.file(whole + b"\0", "long"), "no mark of origin")
        changed = bytearray(whole)
        changed[-1] ^= 1
        self.assert_foreign(self.file(changed, "changed"), "or the file was changed")
        changed = bytearray(whole)
        changed[9] ^= 1  # a byte of the ELF header that nobody reads
        self.assert_foreign(self.file(changed, "changed"), "or the file was changed")

    def test_are_no_images_when_the_key_may_be_known(self):
        image = self.compiled(modules.HELLO)
        key = os.path.join(self.data, "mayfly", "installation.key")
        os.chmod(key, 0o640)
        self.assert_foreign(image, "has mode 640, which lets others read")
        output = os.path.join(self.folder, "out")
        self.assert_one_line(self.mayfly("compile", self.file(modules.ADD), "-o", output), 1,
                             "has mode 640, which lets others read")
        self.assertFalse(os.path.exists(output))
        os.rename(key, key + ".moved")
        os.symlink(key + ".moved", key)
        self.assert_foreign(image, "is a symbolic link")

    def test_have_no_mark_where_no_key_can_be_made(self):
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("HOME", "XDG_DATA_HOME")}
        image = os.path.join(self.folder, "out")
        result = self.mayfly("compile", self.file(modules.HELLO), "-o", image, env=environment)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stderr, r"^mayfly: warning: .*neither XDG_DATA_HOME nor HOME.*\n$")
        self.assert_foreign(image, "no mark of origin")

    def test_peak_below_12_mib(self):
        image = self.compiled(modules.HELLO_THEN_LOOP)
        # Not from wait4(): its figure includes what the child had before exec, which is Python's.
        with subprocess.Popen([MAYFLY, "run", "--driver", DRIVER, image],
                              stdout=subprocess.PIPE, env=self.environment) as child:
            self.assertEqual(child.stdout.read(6), b"hello\n")
            with open(f"/proc/{child.pid}/status", encoding="ascii") as status:
                peak = next(line for line in status if line.startswith("VmHWM:"))
            child.kill()
        self.assertLess(int(peak.split()[1]), 12 * 1024, peak)

    def test_inspect_shows_what_is_inside(self):
        image = self.compiled(modules.HELLO)
        description = json.loads(self.mayfly("inspect", "--json", image).stdout)
        self.assertEqual(description["format"], "image")
        self.assertEqual(description["imports"][0]["name"], "fd_write")
        self.assertEqual(description["could_ask_for"][0]["imports"], ["fd_write"])
        self.assertIn("fd_write", self.mayfly("inspect", image).stdout)


class Inspect(Cli):
    def test_shows_a_module_as_text_and_json(self):
        path = self.file(modules.HELLO)
        description = json.loads(self.mayfly("inspect", path, "--json").stdout)
        self.assertEqual(description["format"], "module")
        self.assertEqual(description["exports"][0],
                         {"name": "_start", "kind": "func", "type": "() -> ()"})
        self.assertIn("name=fd_write", self.mayfly("inspect", path).stdout)

    def test_says_what_could_be_asked_for_and_which_flag_grants_it(self):
        path = self.file(modules.HELLO)
        asked = json.loads(self.mayfly("inspect", path, "--json").stdout)["could_ask_for"]
        self.assertEqual([(entry["capability"], entry["imports"]) for entry in asked],
                         [("standard streams and open files", ["fd_write"])])
        unknown = self.mayfly("inspect", self.file(modules.UNKNOWN_IMPORT)).stdout
        self.assertRegex(unknown, "capability=functions of an embedder granted_by=--preload")

    def test_takes_the_driver_of_the_environment(self):
        result = self.mayfly("doctor", env=dict(self.environment, MAYFLY_DRIVER=DRIVER))
        self.assertIn(f"driver: {DRIVER}: $MAYFLY_DRIVER asks for it\n", result.stdout)
        result = self.mayfly("doctor", env=dict(self.environment, MAYFLY_DRIVER="xen"))
        self.assert_one_line(result, 1, '"xen", but has to be auto, kvm or process')

    def test_doctor_tells_the_driver(self):
        report = json.loads(self.mayfly("doctor", "--driver", DRIVER, "--json").stdout)
        self.assertEqual(report["driver"], DRIVER)
        self.assertTrue(report["facts"])


if __name__ == "__main__":
    if subprocess.run([MAYFLY, "doctor", "--driver", DRIVER], capture_output=True).returncode != 0:
        print(f"SKIPPED: {DRIVER} does not work here: all tests of the command line with it")
        sys.exit(SKIPPED)
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
