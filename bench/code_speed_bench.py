#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# How fast compiled code runs next to native code: the C and C++ programs of testdata/bench, by
# clang-19 -O2 -msse4.1 (no wider vectors, as Wasm has none) and by Mayfly, in turn, in one run.
# The figure is the median of the ratios pair by pair; the geometric mean is the table's last line.
"""Usage: bench/code_speed_bench.py [--rounds N] [--driver kvm|process] [--wasmtime] [NAME ...]"""

import argparse
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TESTDATA = pathlib.Path(os.environ.get("MAYFLY_TESTDATA", ROOT / "../shared/testdata")).resolve()
BENCH = TESTDATA / "bench"
BUILD = ROOT / "build" / "bench"
MAYFLY = ROOT / "build" / "release" / "mayfly"
NATIVE_FLAGS = ["-O2", "-msse4.1", "-w"]


def programs():
    """Every program with a native twin: (name, wasm file, C or C++ source)."""
    for source in sorted((BENCH / "shootout" / "src").glob("*.c")):
        yield source.stem, BENCH / "shootout" / f"shootout-{source.stem}.wasm", source
    for name, source in (
        ("bz2", "benchmark.c"),
        ("richards", "richards.c"),
        ("quicksort", "quicksort.c"),
        ("gcc-loops", "gcc-loops.cpp"),
        ("hashset", "HashSet.cpp"),
    ):
        yield name, BENCH / name / "benchmark.wasm", BENCH / name / source


def build_native(name, source):
    out = BUILD / "native" / name
    if out.exists() and out.stat().st_mtime > source.stat().st_mtime:
        return out
    out.parent.mkdir(parents=True, exist_ok=True)
    cxx = source.suffix == ".cpp"
    compiler = "clang++-19" if cxx else "clang-19"
    include = ["-I", str(BENCH / "shootout" / "src"), "-I", str(source.parent)]
    timer = out.with_suffix(".timer.o")
    language = ["-x", "c++"] if cxx else []
    subprocess.run(
        [compiler, *NATIVE_FLAGS, *language, "-c", BENCH / "native" / "bench_timer.c", "-o", timer],
        check=True,
    )
    extra = ["-include", "cstring", "-include", "limits"] if name == "hashset" else []
    command = [compiler, *NATIVE_FLAGS, *include, *extra, source, timer, "-o", out, "-lm"]
    subprocess.run(command, check=True)
    return out


def bench_ns(command, folder):
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        timeout=300
    )
    marks = re.findall(r"bench_ns (\d+)", done.stderr)
    if done.returncode != 0 or not marks:
        raise RuntimeError(f"{command[0]}: exit {done.returncode}: {done.stderr.strip()[-300:]}")
    return sum(int(mark) for mark in marks)


def compile_image(wasm, image):
    """Seconds and peak MiB of `mayfly compile`, its compiler process included."""
    image.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    command = [str(MAYFLY), "compile", "--bench", str(wasm), "-o", str(image)]
    pid = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        raise RuntimeError(f"mayfly compile {wasm} failed with status {status}")
    return time.monotonic() - start, usage.ru_maxrss / 1024


def wasmtime_runner(wasm, folder):
    """Runs the program in Wasmtime's library, compiled ahead; nanoseconds a call, or None."""
    import wasmtime  # pip install wasmtime

    engine = wasmtime.Engine()
    module = wasmtime.Module.from_file(engine, str(wasm))

    def run():
        store = wasmtime.Store(engine)
        wasi = wasmtime.WasiConfig()
        wasi.preopen_dir(str(folder), ".")
        wasi.stdout_file = "/dev/null"
        store.set_wasi(wasi)
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        marks = []
        mark = wasmtime.Func(store, wasmtime.FuncType([], []),
                             lambda: marks.append(time.monotonic_ns()))
        linker.define(store, "bench", "start", mark)
        linker.define(store, "bench", "end", mark)
        try:
            linker.instantiate(store, module).exports(store)["_start"](store)
        except wasmtime.ExitTrap as end:
            if end.code != 0:
                raise
        return marks[1] - marks[0]

    return run


def measure(name, wasm, source, options):
    native = build_native(name, source)
    image = BUILD / f"{name}.mayfly"
    seconds, peak = compile_image(wasm, image)
    ours = [str(MAYFLY), "run", "--bench", "--driver", options.driver, "--dir", ".", str(image)]
    peer = wasmtime_runner(wasm, wasm.parent) if options.wasmtime else None
    native_ns, ours_ns, peer_ns = [], [], []
    for _ in range(options.rounds):
        native_ns.append(bench_ns([str(native)], wasm.parent))
        ours_ns.append(bench_ns(ours, wasm.parent))
        if peer:
            peer_ns.append(peer())
    ratio = statistics.median(a / b for a, b in zip(ours_ns, native_ns))
    row = [name, f"{min(native_ns) / 1e6:.2f}", f"{min(ours_ns) / 1e6:.2f}", f"{ratio:.2f}"]
    if peer:
        row.append(f"{statistics.median(a / b for a, b in zip(peer_ns, native_ns)):.2f}")
    row += [f"{seconds:.2f}", f"{peak:.0f}"]
    return ratio, row


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--driver", default="kvm")
    parser.add_argument("--wasmtime", action="store_true", help="beside Wasmtime's Python package")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if not BENCH.exists():
        sys.exit(f"SKIPPED: no benchmarks under {BENCH}; set MAYFLY_TESTDATA")
    peer_column = ["wasmtime / native"] if options.wasmtime else []
    header = ["program", "native ms", "Mayfly ms", "Mayfly / native", *peer_column, "compile s",
              "peak MiB"]
    print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    ratios, failures = [], 0
    for name, wasm, source in programs():
        if options.names and name not in options.names:
            continue
        try:
            ratio, row = measure(name, wasm, source, options)
        except (RuntimeError, subprocess.SubprocessError) as problem:
            print(f"{name}: {problem}", file=sys.stderr)
            failures += 1
            continue
        ratios.append(ratio)
        print("| " + " | ".join(row) + " |", flush=True)
    if ratios:
        mean = math.exp(statistics.fmean(math.log(ratio) for ratio in ratios))
        print(f"\ngeometric mean of Mayfly / native over {len(ratios)} programs: {mean:.3f}")
    sys.exit(1 if failures or not ratios else 0)


if __name__ == "__main__":
    main()
