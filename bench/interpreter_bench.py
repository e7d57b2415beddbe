#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The first and the second start of a CPython of 26 MB: compiling it, and taking it from the cache,
# next to Wasmtime where its Python package is. Both caches are new folders.
#   interpreter_bench.py [--rounds N] [--driver kvm|process]
import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
sys.path.append(str(SOURCE / "tests" / "programs"))

import fetch  # noqa: E402

MAYFLY = str(SOURCE / "build" / "release" / "mayfly")
SCRIPT = ["-c", "print(1 + 1)"]
# Prints its milliseconds from here to the end, without Python's own start and imports.
WASMTIME = """
import sys, time, wasmtime
start = time.monotonic()
config = wasmtime.Config()
config.cache = True
engine = wasmtime.Engine(config)
module = wasmtime.Module.from_file(engine, sys.argv[1])
store = wasmtime.Store(engine)
wasi = wasmtime.WasiConfig()
wasi.argv = sys.argv[1:]
wasi.inherit_stdout()
store.set_wasi(wasi)
linker = wasmtime.Linker(engine)
linker.define_wasi()
linker.instantiate(store, module).exports(store)["_start"](store)
print(1e3 * (time.monotonic() - start), file=sys.stderr)
"""


def run(command, environment):
    """One run: milliseconds from process start to exit, CPU seconds, peak MiB, stderr."""
    start = time.monotonic()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        output, errors = process.stdout.read(), process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    milliseconds = 1e3 * (time.monotonic() - start)
    if (process.returncode, output) != (0, "2\n"):
        sys.exit(f"{command[0]} ended with {process.returncode}: {errors[-500:]}")
    return milliseconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, errors


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--driver", default="kvm")
    options = parser.parse_args()
    module = str(fetch.python_module())
    ours = [MAYFLY, "run", "--driver", options.driver, module, *SCRIPT]
    theirs = [sys.executable, "-c", WASMTIME, module, *SCRIPT]
    has_peer = importlib.util.find_spec("wasmtime") is not None
    with tempfile.TemporaryDirectory() as cache:
        environment = dict(os.environ, XDG_CACHE_HOME=cache)
        print("| first start | s | CPU s | peak MiB |\n|---|---|---|---|")
        elapsed, cpu, peak, _ = run(ours, environment)
        print(f"| Mayfly | {elapsed / 1e3:.1f} | {cpu:.1f} | {peak:.0f} |")
        if has_peer:
            elapsed, peer_cpu, peak, _ = run(theirs, environment)
            print(f"| Wasmtime | {elapsed / 1e3:.1f} | {peer_cpu:.1f} | {peak:.0f} |")
            print(f"\nCPU time, Mayfly / Wasmtime: {cpu / peer_cpu:.1f} (at most 12)")
        pairs = []
        for _ in range(options.rounds):
            second = run(ours, environment)[0]
            peer = float(run(theirs, environment)[3]) if has_peer else float("nan")
            pairs.append((second, peer))
    print(f"\n| second start | ms |\n|---|---|\n| Mayfly, whole process | "
          f"{statistics.median(a for a, _ in pairs):.0f} |")
    if has_peer:
        print(f"| Wasmtime, from engine to end | {statistics.median(b for _, b in pairs):.0f} |")
        ratio = statistics.median(a / b for a, b in pairs)
        print(f"\nMayfly / Wasmtime: {ratio:.2f} (at most 1.3)")


if __name__ == "__main__":
    main()
