#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Runs the WASI test programs in micro-VMs, of preview 1 or as components of 0.2: each with the
# arguments, environment and directory that its .json asks for, and a fresh copy of that directory,
# or with --in-memory the programs that ask for an empty one, on a directory in memory.
"""Every program must end with the exit code and the output that its specification names."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

from landlock import has_landlock  # noqa: E402

# What a specification that leaves it out means; None: not compared.
DEFAULTS = {"args": [], "env": {}, "root": None, "exit_code": 0, "stdout": None, "stderr": None}
TIMEOUT_SECONDS = 60
EXIT_SKIPPED = 77  # as ctest knows it
IN_MEMORY = "in memory"  # instead of a root


class Unsupported(Exception):
    """A specification asks for what this runner does not do."""


def from_operations(operations):
    """The plain form of a list of operations: one run, its output, its end."""
    specification = {}
    for operation in operations:
        kind = operation["type"]
        if kind == "run":
            fields = ("args", "env", "root")
        elif kind == "wait":
            fields = ("exit_code",)
        elif kind == "read":
            specification[operation.get("id", "stdout")] = operation.get("payload", "")
            continue
        else:
            raise Unsupported(f"operation {kind}")
        specification.update({name: operation[name] for name in fields if name in operation})
    return specification


def read_specification(program):
    path = program.with_suffix(".json")
    text = json.loads(path.read_text()) if path.exists() else {}
    unknown = set(text) - set(DEFAULTS) - {"operations", "proposals"}
    if unknown or text.get("proposals"):
        raise Unsupported(f"{sorted(unknown)} {text.get('proposals', [])}")
    if "operations" in text:
        text = from_operations(text["operations"])
    return DEFAULTS | text


def command_line(mayfly, driver, program, specification, root, flags):
    command = [mayfly, "run", "--no-cache", f"--driver={driver}", *flags]
    for name, value in specification["env"].items():
        command.append(f"--env={name}={value}")
    if root is not None:
        command.append("--tmpfs=/" if root == IN_MEMORY else f"--dir={root}::/")
    return command + [str(program), *specification["args"]]


def remove_leftovers(root):
    for path in sorted(root.rglob("*.cleanup"), reverse=True):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def is_expected(exit_code, expected, suite):
    """A component only says that it failed, not with which code."""
    if suite == "wasi-p2" and expected != 0:
        return exit_code == 1
    return exit_code == expected


def has_empty_root(program):
    """Files that keep a folder in Git are not for the program."""
    root = read_specification(program)["root"]
    return root is not None and all(path.name.startswith(".")
                                    for path in (program.parent / root).iterdir())


def run(mayfly, driver, program, suite, in_memory, flags):
    """What is wrong with the program's run: nothing, or one line a finding."""
    specification = read_specification(program)
    with tempfile.TemporaryDirectory() as scratch:
        root = IN_MEMORY if in_memory else None
        if specification["root"] is not None and not in_memory:
            root = pathlib.Path(scratch) / "root"
            shutil.copytree(program.parent / specification["root"], root, symlinks=True)
            remove_leftovers(root)
        command = command_line(mayfly, driver, program, specification, root, flags)
        try:
            result = subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS,
                                    stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return [f"no end after {TIMEOUT_SECONDS} s"]
    findings = []
    if not is_expected(result.returncode, specification["exit_code"], suite):
        findings.append(f"exit code {result.returncode}, not {specification['exit_code']}")
        findings += result.stderr.decode(errors="replace").splitlines()[-4:]
    for name, actual in (("stdout", result.stdout), ("stderr", result.stderr)):
        expected = specification[name]
        if expected is not None and actual != expected.encode():
            findings.append(f"{name} is {actual[:80]!r}, not {expected[:80]!r}")
    return findings


def test_data():
    chosen = os.environ.get("MAYFLY_TESTDATA")
    repository = pathlib.Path(__file__).resolve().parents[2]
    return pathlib.Path(chosen) if chosen else repository.parent / "shared" / "testdata"


def programs_of(tests, only):
    """The programs of a suite's languages, but for those that fail on every host (skip.txt)."""
    skip = tests / "skip.txt"
    skipped = set(skip.read_text().split()) if skip.exists() else set()
    return sorted(path for path in tests.glob("*/*.wasm")
                  if only in str(path)
                  and path.relative_to(tests).with_suffix("").as_posix() not in skipped)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mayfly", required=True, help="the program to test")
    parser.add_argument("--driver", required=True, choices=["kvm", "process"])
    parser.add_argument("--suite", choices=["wasi-p1", "wasi-p2"], default="wasi-p1")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--in-memory", action="store_true", help="only on an empty --tmpfs")
    parser.add_argument("--jail", action="store_true", help="with mayfly run --jail")
    parser.add_argument("--only", default="", help="programs whose path contains this")
    options = parser.parse_args()

    tests = test_data() / options.suite
    if not tests.is_dir():
        print(f"SKIPPED: no test data in {tests}; set MAYFLY_TESTDATA")
        sys.exit(EXIT_SKIPPED)
    if options.driver == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("SKIPPED: no /dev/kvm to run the test programs on")
        sys.exit(EXIT_SKIPPED)
    if options.jail and not has_landlock():
        print("SKIPPED: the kernel has no Landlock of version 3 for --jail")
        sys.exit(EXIT_SKIPPED)
    programs = programs_of(tests, options.only)
    if options.in_memory:
        programs = [program for program in programs if has_empty_root(program)]
    if not programs:
        sys.exit(f"{tests}: no programs '{options.only}'")
    failed_count = skipped_count = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = [(program, pool.submit(run, options.mayfly, options.driver, program,
                                      options.suite, options.in_memory,
                                      ["--jail"] if options.jail else []))
                for program in programs]
        for program, future in runs:
            name = program.relative_to(tests)
            try:
                findings = future.result()
            except Unsupported as reason:
                skipped_count += 1
                print(f"skipped: {name}: {reason}")
                continue
            if findings:
                failed_count += 1
                print(f"failed: {name}: " + "\n    ".join(findings))
    passed_count = len(programs) - failed_count - skipped_count
    print(f"{passed_count} passed, {failed_count} failed, {skipped_count} skipped")
    sys.exit(1 if failed_count or not passed_count else 0)


if __name__ == "__main__":
    main()
