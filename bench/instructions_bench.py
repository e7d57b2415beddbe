#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What a warm call costs in instructions: warm_call on mainline kvm-amd in QEMU with -icount, where
# a nanosecond of the guest's clock is one instruction of host library, kernel, KVM and guest.
"""Usage: bench/instructions_bench.py"""

import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    lane = [sys.executable, str(ROOT / "tools" / "qemu_lane.py"), "--icount", "--verbose"]
    lane += ["--cache", str(ROOT / "build" / "lane-cache"), "--timeout", "600"]
    lane += ["--file", str(ROOT / "build" / "release" / "warm_call"), "--command", "warm_call"]
    done = subprocess.run(lane, capture_output=True, text=True)
    pattern = r"warm-call: raw (\d+), call (\d+), Mayfly's own (-?\d+), ratio ([\d.]+)"
    found = re.search(pattern, done.stdout)
    if not found:
        sys.exit(f"no figure from the machine:\n{done.stdout[-2000:]}{done.stderr}")
    print("| what | raw exit and registers | through Vm | Mayfly's own | ratio |")
    print("|---|---|---|---|---|")
    print("| instructions of a warm call, kvm-amd, out | " + " | ".join(found.groups()) + " |")


if __name__ == "__main__":
    main()
