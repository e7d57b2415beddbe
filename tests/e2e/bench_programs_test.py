#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The programs of testdata/bench: each is compiled once, run on every driver, and must print what
# is expected of it.
#   bench_programs_test.py MAYFLY [PATTERN]
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77
COMPONENT = b"\0asm\x0d\0\1\0"
SOURCE = Path(__file__).resolve().parents[2]
TESTDATA = Path(os.environ.get("MAYFLY_TESTDATA", SOURCE / ".." / "shared" / "testdata"))
SECONDS_MAX = 600


def programs(pattern):
    """Core modules only; a component is no program for this version."""
    found = []
    for path in sorted((TESTDATA / "bench").rglob("*.wasm")):
        with path.open("rb") as file:
            if file.read(8) != COMPONENT and re.search(pattern, str(path)):
                found.append(path)
    return found


def expected(program, stream):
    for name in (program.stem, "default"):
        path = program.with_name(f"{name}.{stream}.expected")
        if path.exists():
            return path.read_bytes().splitlines()
    return None


def problem_of(program, driver, result):
    """What is wrong with a finished run, or None."""
    if result.returncode != 0:
        return f"ended with {result.returncode}: {result.stderr.decode(errors='replace')[:300]}"
    marks = [line for line in result.stderr.splitlines() if line.startswith(b"bench_ns ")]
    errors = [line for line in result.stderr.splitlines() if line not in marks]
    if len(marks) != 1:
        return f"printed {len(marks)} lines with bench_ns on {driver}"
    for stream, actual in (("stdout", result.stdout.splitlines()), ("stderr", errors)):
        wanted = expected(program, stream)
        if wanted is not None and wanted != actual:
            return f"{stream} is {actual[:3]}, expected {wanted[:3]} ({len(actual)} lines)"
    return None


def check(mayfly, program, drivers, folder):
    """Compiles and runs one program; the answer is a list of problems."""
    name = str(program.relative_to(TESTDATA / "bench"))
    image = Path(folder) / (name.replace("/", "-") + ".image")
    compiled = subprocess.run([mayfly, "compile", "--bench", str(program), "-o", str(image)],
                              capture_output=True, timeout=SECONDS_MAX, check=False)
    if compiled.returncode != 0:
        return [f"{name}: {compiled.stderr.decode(errors='replace').strip()}"]
    problems = []
    for driver in drivers:
        command = [mayfly, "run", "--driver", driver, "--trust-image", "--bench", "--dir", ".",
                   str(image)]
        try:
            result = subprocess.run(command, capture_output=True, timeout=SECONDS_MAX,
                                    cwd=program.parent, check=False)
            problem = problem_of(program, driver, result)
        except subprocess.TimeoutExpired:
            problem = f"took over {SECONDS_MAX} s"
        if problem:
            problems.append(f"{name} on {driver}: {problem}")
    image.unlink()
    return problems


def working_drivers(mayfly):
    drivers = []
    for driver in ("kvm", "process"):
        doctor = subprocess.run([mayfly, "doctor", "--driver", driver], capture_output=True,
                                check=False)
        if doctor.returncode == 0:
            drivers.append(driver)
        else:
            print(f"SKIPPED: the driver {driver} does not work here")
    return drivers


def main(mayfly, pattern=""):
    mayfly = os.path.abspath(mayfly)
    chosen = programs(pattern)
    drivers = working_drivers(mayfly)
    if not chosen or not drivers:
        print(f"SKIPPED: the benchmark programs: {len(chosen)} in {TESTDATA}; set MAYFLY_TESTDATA")
        return SKIPPED
    failed = 0
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for problems in pool.map(lambda p: check(mayfly, p, drivers, folder), chosen):
            failed += bool(problems)
            for problem in problems:
                print(problem, flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed on {', '.join(drivers)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
