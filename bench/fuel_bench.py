#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What counting fuel costs: the programs of testdata/bench from an image that counts and from one
# that does not, in turn. The figure is the median of the ratios pair by pair. Without fuel there is
# nothing to measure: the code is the same (FuelMeter tests).
"""Usage: bench/fuel_bench.py [--rounds N] [--driver kvm|process] [-O LEVEL] [NAME ...]"""

import argparse
import math
import statistics
import subprocess
import sys

from code_speed_bench import BENCH, BUILD, MAYFLY, bench_ns

BAR_MEAN, BAR_ONE = 1.10, 1.30
# Below this a run is mostly what the machine around it does.
SHORTEST_NS = 300_000


def programs():
    for wasm in sorted(BENCH.glob("*/*.wasm")):
        if wasm.read_bytes()[4:8] == b"\1\0\0\0":
            yield wasm.stem if wasm.stem != "benchmark" else wasm.parent.name, wasm


def compile_image(wasm, image, *flags):
    image.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([MAYFLY, "compile", "--bench", *flags, wasm, "-o", image], check=True,
                   capture_output=True)


def measure(name, wasm, options):
    plain, counting = BUILD / f"{name}.plain.mayfly", BUILD / f"{name}.fuel.mayfly"
    compile_image(wasm, plain, "-O", options.level)
    compile_image(wasm, counting, "-O", options.level, "--fuel")
    command = [str(MAYFLY), "run", "--bench", "--driver", options.driver, "--dir", "."]
    if options.driver == "process":
        command.append("--trust-image")
    plain_ns, counting_ns = [], []
    for _ in range(options.rounds):
        plain_ns.append(bench_ns([*command, str(plain)], wasm.parent))
        counting_ns.append(bench_ns([*command, str(counting)], wasm.parent))
    if min(plain_ns) < SHORTEST_NS:
        return None
    ratio = statistics.median(b / a for a, b in zip(plain_ns, counting_ns))
    print(f"| {name} | {min(plain_ns) / 1e6:.2f} | {min(counting_ns) / 1e6:.2f} | {ratio:.2f} |",
          flush=True)
    return ratio


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--driver", default="kvm")
    parser.add_argument("-O", dest="level", default="2")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if not BENCH.exists():
        sys.exit(f"SKIPPED: no benchmarks under {BENCH}; set MAYFLY_TESTDATA")
    print("| program | without ms | with ms | with / without |\n|---|---|---|---|")
    ratios, short, failures = [], 0, 0
    for name, wasm in programs():
        if options.names and name not in options.names:
            continue
        try:
            ratio = measure(name, wasm, options)
        except (RuntimeError, subprocess.SubprocessError) as problem:
            print(f"{name}: {problem}", file=sys.stderr)
            failures += 1
            continue
        if ratio is None:
            short += 1
        else:
            ratios.append(ratio)
    if not ratios:
        sys.exit("nothing was measured")
    mean = math.exp(statistics.fmean(math.log(ratio) for ratio in ratios))
    print(f"\ngeometric mean over {len(ratios)} programs: {mean:.3f} (at most {BAR_MEAN}), highest "
          f"{max(ratios):.2f} (at most {BAR_ONE}); {short} are too short to measure")
    sys.exit(1 if failures or mean > BAR_MEAN or max(ratios) > BAR_ONE else 0)


if __name__ == "__main__":
    main()
