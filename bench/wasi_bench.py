#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What files, directories, clocks, random bytes and streams cost a program: wasi_bench_program.c
# natively, in Mayfly on each driver, and in Wasmtime where its Python package is, in turn.
"""Usage: bench/wasi_bench.py [--scale X] [--rounds N] [ROW ...]"""

import argparse
import importlib.util
import math
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "bench" / "wasi_bench_program.c"
BUILD = ROOT / "build" / "bench"
MAYFLY = ROOT / "build" / "release" / "mayfly"
DRIVERS = ("kvm", "process")

# Row: how often at scale 1.
ROWS = {
    "write4k": 262144,
    "read4k": 262144,
    "write64k": 16384,
    "read64k": 16384,
    "open": 100000,
    "readdir": 100000,
    "clock": 10000000,
    "random": 1000000,
    "lines": 200000,
}
TRACED = 2000  # of a row, for the number of its requests
SECONDS_MAX = 900
PEER_SECONDS_MAX = 120  # Wasmtime lists a directory anew for each part of it


WASMTIME = """
import sys, wasmtime
folder, wasm, *arguments = sys.argv[1:]
engine = wasmtime.Engine()
store = wasmtime.Store(engine)
wasi = wasmtime.WasiConfig()
wasi.argv = ["program", *arguments]
wasi.preopen_dir(folder, "/bench")
wasi.inherit_stdout()
wasi.inherit_stderr()
store.set_wasi(wasi)
linker = wasmtime.Linker(engine)
linker.define_wasi()
instance = linker.instantiate(store, wasmtime.Module.from_file(engine, wasm))
try:
    instance.exports(store)["_start"](store)
except wasmtime.ExitTrap as end:
    sys.exit(end.code)
"""


def build():
    BUILD.mkdir(parents=True, exist_ok=True)
    native, wasm = BUILD / "wasi_bench", BUILD / "wasi_bench.wasm"
    subprocess.run(["clang-19", "-O2", SOURCE, "-o", native], check=True)
    subprocess.run(["clang-19", "--target=wasm32-wasi", "--sysroot=/usr", "-O2", SOURCE, "-o",
                    wasm], check=True)
    return native, wasm


def working_drivers():
    return [driver for driver in DRIVERS if subprocess.run(
        [MAYFLY, "doctor", "--driver", driver], capture_output=True).returncode == 0]


def commands(native, wasm):
    """By subject: what to put before ROW COUNT."""
    found = {"native": [native]}
    for driver in working_drivers():
        found[driver] = [MAYFLY, "run", "--driver", driver, "--dir", "FOLDER::/bench", wasm]
    if importlib.util.find_spec("wasmtime"):
        found["wasmtime"] = [sys.executable, "-c", WASMTIME, "FOLDER", wasm]
    return found


def run(command, row, count, extra=(), seconds_max=SECONDS_MAX):
    """What it says on stderr. stdout is a pipe that somebody reads."""
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        filled = [str(part).replace("FOLDER", folder) for part in command]
        filled[2:2] = extra
        place = folder if len(command) == 1 else "/bench"
        done = subprocess.run([*filled, row, str(count), place], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=seconds_max)
    if done.returncode != 0:
        raise RuntimeError(f"{filled[0]} {row}: exit {done.returncode}: {done.stderr[-300:]}")
    return done.stderr


def nanoseconds(command, row, count, seconds_max=SECONDS_MAX):
    said = run(command, row, count, seconds_max=seconds_max)
    return int(re.search(r"nanoseconds (\d+)", said)[1]) / count


def peer_nanoseconds(command, row, count):
    """Infinite where it takes too long."""
    try:
        return nanoseconds(command, row, count, PEER_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return math.inf


def requests_each(command, row):
    """Ways out to the host for each time, those of making the files left out."""
    counts = []
    for count in (TRACED, 2 * TRACED):
        lines = run(command, row, count, ("--trace", "ports")).splitlines()
        made = [line for line in lines if "(" in line and not line.endswith("behind")]
        preparing = 0
        if row in ("open", "readdir"):
            preparing = sum(line.startswith(("open(", "close(")) and "creat" in line
                            for line in made) * 2
        if row.startswith("read") and row != "readdir":
            preparing = sum(line.startswith("write(") for line in made)
        counts.append(len(made) - preparing)
    return (counts[1] - counts[0]) / TRACED


def measure(row, subjects, options):
    count = max(1000, int(ROWS[row] * options.scale))
    times = {subject: [] for subject in subjects}
    for _ in range(options.rounds):
        for subject, command in subjects.items():
            if subject != "wasmtime":
                times[subject].append(nanoseconds(command, row, count))
            elif math.inf in times[subject]:  # not tried again
                times[subject].append(math.inf)
            else:
                times[subject].append(peer_nanoseconds(command, row, count))
    cells = [row, str(count)]
    for subject in subjects:
        median = statistics.median(times[subject])
        is_known = math.isfinite(median)
        cells.append(f"{median:.0f}" if is_known else f"over {PEER_SECONDS_MAX * 1e9 / count:.0f}")
    if "wasmtime" in subjects:
        for driver in DRIVERS:
            pairs = zip(times.get(driver, []), times["wasmtime"])
            cells.append(f"{statistics.median([ours / peer for ours, peer in pairs]):.2f}")
    ours = next((driver for driver in DRIVERS if driver in subjects), None)
    cells.append(f"{requests_each(subjects[ours], row):.3f}" if ours else "-")
    return cells


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of each row's count")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []])
    options = parser.parse_args()
    native, wasm = build()
    subjects = commands(native, wasm)
    head = ["row", "times", *(f"{subject} ns" for subject in subjects)]
    if "wasmtime" in subjects:
        head += [f"{driver} / wasmtime" for driver in DRIVERS]
    head.append("requests each")
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in options.rows or ROWS:
        print("| " + " | ".join(measure(row, subjects, options)) + " |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
