#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What a call, a restore and a start cost in instructions: instruction_counts on mainline kvm-amd in
# QEMU with -icount, where a nanosecond of the guest's clock is one instruction of library, kernel,
# KVM and guest together. bench/instructions.txt keeps what is allowed.
"""Usage: bench/icount_bench.py [--check | --record]"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
ALLOWED = ROOT / "bench" / "instructions.txt"
GROWTH_MAX = 1.03
CACHE = ROOT / "build" / "lane-cache"
SKIPPED = 77

TOUCH = """(module (memory {wasm_pages}) (func (export "f") (local i32)
  (loop (i32.store8 (local.get 0) (i32.const 1))
    (br_if 0 (i32.ne (local.tee 0 (i32.add (local.get 0) (i32.const 4096)))
                     (i32.const {end}))))))"""
PROGRAMS = {
    "add": '(module (func (export "f") (param i32 i32) (result i32)'
           " (i32.add (local.get 0) (local.get 1))))",
    "pages16": TOUCH.format(wasm_pages=1, end=65536),
    "pages256": TOUCH.format(wasm_pages=16, end=16 * 65536),
}
# name: (what, the row it is a multiple of, at most that many times it, at most that many thousands)
ROWS = {
    "call": ("call of add(i32, i32)", "raw-exit", 1.2, None),
    "call-restore": ("call and restore", None, None, 10),
    "call-restore-16": ("call that writes 16 pages, and restore", None, None, 25),
    "call-restore-256": ("call that writes 256 pages, and restore", None, None, 200),
    "pooled": ("sandbox from a pool, a call, and giving it back", None, None, 15),
    "start-kept": ("another program in a kept machine, to its first result", None, None, None),
    "start": ("new sandbox from a snapshot to its first result", "raw-start", 1.3, None),
}


def images(folder):
    for name, text in PROGRAMS.items():
        wat = folder / f"{name}.wat"
        wasm = folder / f"{name}.wasm"
        image = folder / f"{name}.mayfly"
        wat.write_text(text)
        subprocess.run(["wat2wasm", wat, "-o", wasm], check=True)
        mayfly = ROOT / "build" / "release" / "mayfly"
        subprocess.run([mayfly, "compile", "--cpu", "baseline", wasm, "-o", image], check=True)
        yield image


def count():
    with tempfile.TemporaryDirectory(prefix="mayfly-icount-") as folder:
        lane = [sys.executable, str(ROOT / "tools" / "qemu_lane.py"), "--icount", "--verbose"]
        lane += ["--cache", str(CACHE), "--timeout", "600"]
        for image in images(pathlib.Path(folder)):
            lane += ["--file", f"{image}:/images/{image.name}"]
        program = ROOT / "build" / "release" / "instruction_counts"
        lane += ["--file", str(program), "--command", "instruction_counts /images"]
        done = subprocess.run(lane, capture_output=True, text=True)
    counts = {name: int(n) for name, n in re.findall(r"instructions: (\S+) (\d+)", done.stdout)}
    missing = sorted((set(ROWS) | {"raw-exit", "raw-start"}) - set(counts))
    if missing:
        sys.exit(f"no figure of {', '.join(missing)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return counts


def print_table(counts):
    print("| what | instructions | floor | ratio | at most |\n|---|---|---|---|---|")
    for name, (what, floor, times, thousands) in ROWS.items():
        ratio = f"{counts[floor]} | {counts[name] / counts[floor]:.2f}" if floor else " | "
        bar = times if floor else f"{thousands},000" if thousands else ""
        print(f"| {what} | {counts[name]} | {ratio} | {bar} |")


def kernel():
    return next((CACHE / "kernel" / "boot").glob("vmlinuz-*")).name.removeprefix("vmlinuz-")


def recorded():
    pairs = (line.split() for line in ALLOWED.read_text().splitlines() if line[:1] not in ("", "#"))
    return dict(pairs)


def check(counts):
    """Ends the program: 1 with a line for each figure over 3% past what is recorded."""
    allowed = recorded()
    if allowed.pop("kernel") != kernel():
        print(f"SKIPPED: the figures in {ALLOWED.name} are of another kernel than {kernel()}")
        sys.exit(SKIPPED)
    problems = [f"{name} takes {counts[name]} instructions; {allowed[name]} are recorded"
                for name in ROWS if counts[name] > int(allowed[name]) * GROWTH_MAX]
    sys.exit("\n".join(problems) or 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="fail when a figure grew by over 3%%")
    mode.add_argument("--record", action="store_true", help="write the figures down as allowed")
    options = parser.parse_args()
    counts = count()
    print_table(counts)
    if options.record:
        lines = ["# Instructions on mainline kvm-amd in QEMU: bench/icount_bench.py --record"]
        lines += [f"kernel {kernel()}"] + [f"{name} {counts[name]}" for name in ROWS]
        ALLOWED.write_text("\n".join(lines) + "\n")
    if options.check:
        check(counts)


if __name__ == "__main__":
    main()
