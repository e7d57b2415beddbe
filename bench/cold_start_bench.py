#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# `mayfly run` of a hello image, process start to exit, next to a native hello in turn; its parts
# as --timings tells them; and its peak memory.
"""Usage: bench/cold_start_bench.py [--rounds N] [--driver kvm|process]"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
MAYFLY = ROOT / "build" / "release" / "mayfly"
SOURCE = ROOT / "examples" / "hello" / "hello.c"
PEAK_MIB_MAX = 12


def run_once(command):
    """Milliseconds from start to exit, and peak MiB."""
    with open(os.devnull, "wb") as sink:
        actions = [(os.POSIX_SPAWN_DUP2, sink.fileno(), 1)]
        start = time.monotonic()
        pid = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
        _, status, usage = os.wait4(pid, 0)
        end = time.monotonic()
    if status != 0:
        sys.exit(f"{' '.join(command)}: status {status}")
    return (end - start) * 1e3, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--driver", default="kvm")
    options = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    native, wasm, image = BUILD / "hello", BUILD / "hello.wasm", BUILD / "hello.mayfly"
    subprocess.run(["clang-19", "-O2", SOURCE, "-o", native], check=True)
    subprocess.run(
        ["clang-19", "--target=wasm32-wasi", "-O2", SOURCE, "-o", wasm],
        check=True,
    )
    subprocess.run([MAYFLY, "compile", wasm, "-o", image], check=True)
    ours = [str(MAYFLY), "run", "--driver", options.driver, str(image)]
    run_once(ours)
    pairs = [(run_once([str(native)]), run_once(ours)) for _ in range(options.rounds)]
    native_ms = statistics.median(a[0] for a, _ in pairs)
    ours_ms = statistics.median(b[0] for _, b in pairs)
    ratio = statistics.median(b[0] / a[0] for a, b in pairs)
    peak = max(b[1] for _, b in pairs)
    print("| what | native process, ms | Mayfly, ms | ratio | peak MiB | at most |")
    print("|---|---|---|---|---|---|")
    print(
        f"| hello from an image, {options.driver}, process start to exit "
        f"| {native_ms:.2f} | {ours_ms:.2f} | {ratio:.2f} | {peak:.1f} | {PEAK_MIB_MAX} MiB |"
    )
    timings = subprocess.run(ours[:2] + ["--timings"] + ours[2:], capture_output=True, text=True)
    print(timings.stderr.strip())
    sys.exit(0 if peak < PEAK_MIB_MAX else 1)


if __name__ == "__main__":
    main()
