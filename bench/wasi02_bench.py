#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What WASI 0.2 costs a component: clocks and random numbers, files as streams next to the same by
# preview 1, TCP streams; wasi02_bench_program.c in Mayfly on each driver, and in Wasmtime (that of
# $WASMTIME or $PATH, else its Python package, which has no TCP), in turn. Then a component with a
# JavaScript engine (component_sandboxes.cc).
"""Usage: bench/wasi02_bench.py [--scale X] [--rounds N] [PART ...]"""

import argparse
import contextlib
import importlib.util
import math
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "programs")]

import component  # noqa: E402
import fetch  # noqa: E402
import wasi_bench  # noqa: E402
from wasi_bench import BUILD, DRIVERS, MAYFLY, SECONDS_MAX, working_drivers  # noqa: E402

SANDBOXES = ROOT / "build" / "release" / "component_sandboxes"
# Row: how often or how many bytes at scale 1, bytes at a time, what it may take.
CALLS = {"clock": (10_000_000, "at most 50 ns"), "random": (10_000_000, "at most 50 ns")}
FILES = {"write4k": (262_144, 4096), "read4k": (262_144, 4096), "read64k": (16_384, 65_536)}
STREAMS = {"send": 1 << 30, "receive": 1 << 30}
PIECE = bytes(65_536)

WASMTIME = """
import sys, wasmtime
from wasmtime import component
folder, wasm, *arguments = sys.argv[1:]
engine = wasmtime.Engine()
store = wasmtime.Store(engine)
wasi = wasmtime.WasiConfig()
wasi.argv = ["program", *arguments]
wasi.preopen_dir(folder, "/bench")
wasi.inherit_stdout()
store.set_wasi(wasi)
linker = component.Linker(engine)
linker.add_wasip2()
made = linker.instantiate(store, component.Component.from_file(engine, wasm))
interface = made.get_export_index(store, "wasi:cli/run@0.2.0")
made.get_func(store, made.get_export_index(store, "run", interface))(store)
"""

HELLO = """
import { componentize } from '@bytecodealliance/componentize-js';
import { writeFile } from 'node:fs/promises';
const { component } = await componentize(
  'export function hello(name) { return `Hello, ${name}!`; }', {
    witPath: 'world.wit', worldName: 'hello', disableFeatures: ['http', 'fetch-event'],
  });
await writeFile('hello.wasm', component);
"""
WORLD = "package bench:hello;\nworld hello { export hello: func(name: string) -> string; }\n"


def commands(wasm):
    """By subject: what to put before ROW COUNT."""
    found = {driver: [MAYFLY, "run", "--driver", driver, "--dir", "FOLDER::/bench", "--tcp",
                      "127.0.0.1:*", wasm] for driver in working_drivers()}
    peer = os.environ.get("WASMTIME") or shutil.which("wasmtime")
    if peer:
        found["wasmtime"] = [peer, "run", "-S", "inherit-network=y", "--dir", "FOLDER::/bench",
                             wasm]
    elif importlib.util.find_spec("wasmtime"):
        found["wasmtime"] = [sys.executable, "-c", WASMTIME, "FOLDER", wasm]
    return found


def run(command, *arguments, extra=()):
    """What it printed, and what Mayfly said."""
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        filled = [str(part).replace("FOLDER", folder) for part in command]
        filled[2:2] = extra
        done = subprocess.run([*filled, *map(str, arguments)], capture_output=True, text=True,
                              timeout=SECONDS_MAX)
    if done.returncode != 0:
        raise RuntimeError(f"{filled[0]} {arguments}: exit {done.returncode}: {done.stderr[-300:]}")
    return done.stdout, done.stderr


@contextlib.contextmanager
def server(row, count):
    """A process of its own that takes or gives so many bytes over its first connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        child = os.fork()
        if child == 0:
            connection, _ = listener.accept()
            buffer, left = bytearray(1 << 18), count
            while row == "send" and connection.recv_into(buffer):
                pass
            while row == "receive" and left:
                left -= connection.send(PIECE[:left])
            os._exit(0)
        try:
            yield listener.getsockname()[1]
        except BaseException:
            os.kill(child, signal.SIGKILL)
            raise
        finally:
            os.waitpid(child, 0)


def nanoseconds(command, row, count, extra=()):
    """Of all, and what Mayfly said."""
    if row not in STREAMS:
        printed, said = run(command, row, count, extra=extra)
    else:
        with server(row, count) as port:
            printed, said = run(command, row, count, port, extra=extra)
    return int(re.search(r"nanoseconds (\d+)", printed)[1]), said


def requests_each(command, row, count, unit):
    """Ways out to the host for each time, or each MiB."""
    counts = []
    for times in (1, 2):
        said = nanoseconds(command, row, times * count, ("--trace", "ports"))[1]
        lines = [line for line in said.splitlines() if "(" in line and not line.endswith("behind")]
        # Reading rows make their file first.
        preparing = sum(line.startswith("write(") for line in lines) if "read" in row else 0
        counts.append(len(lines) - preparing)
    return (counts[1] - counts[0]) / count * unit


def measured(subjects, row, count, rounds):
    """By subject, of one time or byte, in nanoseconds, round by round."""
    times = {subject: [] for subject in subjects}
    for _ in range(rounds):
        for subject, command in subjects.items():
            if subject.startswith("p1 "):
                times[subject].append(wasi_bench.nanoseconds(command, row, count))
            else:
                times[subject].append(peer_or_ours(subject, command, row, count))
    return times


def peer_or_ours(subject, command, row, count):
    """Not a number where the peer cannot do it."""
    try:
        return nanoseconds(command, row, count)[0] / count
    except RuntimeError as error:
        if subject != "wasmtime":
            raise
        print(f"wasmtime {row}: {str(error).strip()[-100:]}", file=sys.stderr)
        return math.nan


def ratio(times, one, other):
    """The median of the ratios round by round, where both are there."""
    pairs = zip(times.get(one, ()), times.get(other, ()))
    ratios = [a / b for a, b in pairs if not math.isnan(a / b)]
    return f"{statistics.median(ratios):.2f}" if ratios else "-"


def table(head, rows):
    print("\n| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def calls(subjects, options):
    for row, (often, bar) in CALLS.items():
        count = max(1000, int(often * options.scale))
        times = measured(subjects, row, count, options.rounds)
        yield [row, str(count), *(f"{statistics.median(times[one]):.1f}" for one in subjects), bar,
               f"{requests_each(subjects[options.first], row, 2000, 1):.3f}"]


def files(subjects, options):
    every = dict(subjects)
    _, wasm = wasi_bench.build()
    for driver in working_drivers():
        every["p1 " + driver] = wasi_bench.commands(None, wasm)[driver]
    for row, (often, size) in FILES.items():
        count = max(1000, int(often * options.scale))
        times = measured(every, row, count, options.rounds)
        cells = [f"{size * 1e3 / statistics.median(times[one]):.0f}" for one in every]
        yield [row, str(count), *cells,
               *(ratio(times, "p1 " + driver, driver) for driver in DRIVERS),
               *(ratio(times, "wasmtime", driver) for driver in DRIVERS),
               f"{requests_each(subjects[options.first], row, 2000, 1):.3f}"]


def streams(subjects, options):
    for row, often in STREAMS.items():
        count = max(1 << 20, int(often * options.scale))
        times = measured(subjects, row, count, options.rounds)
        cells = [f"{1e3 / statistics.median(times[one]):.0f}" for one in subjects]
        yield [row, str(count >> 20), *cells,
               *(ratio(times, "wasmtime", driver) for driver in DRIVERS),
               f"{requests_each(subjects[options.first], row, 16 << 20, 1 << 20):.1f}"]


def make_hello():
    """The JavaScript component."""
    modules = fetch.node_modules(ROOT / "examples" / "javascript")

    def make(folder):
        (folder / "build.mjs").write_text(HELLO, encoding="utf-8")
        (folder / "world.wit").write_text(WORLD, encoding="utf-8")
        os.symlink(modules, folder / "node_modules")
        fetch.run("componentize-js", ["node", "build.mjs"], cwd=folder)
    return fetch.made_once(fetch.key_of("hello", [pathlib.Path(__file__)]), make) / "hello.wasm"


def sandboxes():
    try:
        hello = make_hello()
    except fetch.Unavailable as reason:
        sys.exit(f"wasi02_bench: no component with a JavaScript engine: {reason}")
    for driver in working_drivers():
        print(f"\n| hello in JavaScript, {driver} | floor | Mayfly | over the floor | at most | "
              "exits |\n|---|---|---|---|---|---|", flush=True)
        subprocess.run([SANDBOXES, driver, hello], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of each row's count")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("parts", nargs="*", metavar="PART",
                        help="calls, files, streams, sandboxes; all without one")
    options = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    wasm = component.build(ROOT / "bench" / "wasi02_bench_program.c",
                           ROOT / "tests" / "e2e" / "wasi2.wit", BUILD)
    subjects = commands(wasm)
    options.first = next(iter(subjects))
    parts = options.parts or ["calls", "files", "streams", "sandboxes"]
    if "calls" in parts:
        table(["row", "times", *(f"{one}, ns" for one in subjects), "bar", "requests each"],
              calls(subjects, options))
    if "files" in parts:
        table(["row", "times", *(f"{one}, MB/s" for one in subjects),
               *(f"p1 {driver}, MB/s" for driver in working_drivers()),
               *(f"{driver} / p1" for driver in DRIVERS),
               *(f"{driver} / wasmtime" for driver in DRIVERS), "requests each"],
              files(subjects, options))
    if "streams" in parts:
        table(["row", "MiB", *(f"{one}, MB/s" for one in subjects),
               *(f"{driver} / wasmtime, at least 0.8" for driver in DRIVERS), "requests a MiB"],
              streams(subjects, options))
    if "sandboxes" in parts:
        sandboxes()


if __name__ == "__main__":
    sys.exit(main())
