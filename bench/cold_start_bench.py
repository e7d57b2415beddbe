#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# `mayfly run` of a hello image, process start to exit, next to a native hello in turn; its parts
# as --timings tells them; and its peak memory.
"""Usage: bench/cold_start_bench.py [--rounds N] [--driver kvm|process]"""

import argparse
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


def milliseconds(command):
    """From start to exit."""
    start = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return (time.monotonic() - start) * 1e3


def peak_mib(command):
    """GNU time starts the command from a small process: a child inherits its parent's peak."""
    report = ["/usr/bin/time", "-f", "%M", *command]
    done = subprocess.run(report, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return int(done.stderr.split()[-1]) / 1024


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
    milliseconds(ours)
    pairs = [(milliseconds([str(native)]), milliseconds(ours)) for _ in range(options.rounds)]
    native_ms = statistics.median(a for a, _ in pairs)
    ours_ms = statistics.median(b for _, b in pairs)
    ratio = statistics.median(b / a for a, b in pairs)
    peak = max(peak_mib(ours) for _ in range(5))
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
