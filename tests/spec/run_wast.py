#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# One lane of the core spec suite: every script of the given levels through `mayfly wast`.
#   run_wast.py MAYFLY LEVEL[,LEVEL...] FLAGS...    (flags of mayfly wast)
# Without test data or without the driver the lane is skipped, and says how much that is.
import os
import re
import subprocess
import sys
from pathlib import Path

SKIPPED = 77
SOURCE = Path(__file__).resolve().parents[2]
TESTDATA = Path(os.environ.get("MAYFLY_TESTDATA", SOURCE / ".." / "shared" / "testdata"))


def scripts_of(levels):
    lines = (TESTDATA / "spec" / "LEVELS.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split("\t") for line in lines if line]
    chosen = [name for name, level in rows if level in levels and name.startswith("core/")]
    return [TESTDATA / "spec" / name / (Path(name).name + ".json") for name in chosen]


def driver_works(mayfly, flags):
    driver = flags[flags.index("--driver") + 1] if "--driver" in flags else "auto"
    doctor = subprocess.run([mayfly, "doctor", "--driver", driver], capture_output=True, text=True,
                            check=False)
    if doctor.returncode != 0:
        print(doctor.stderr.strip())
    return doctor.returncode == 0


def main(mayfly, levels, *flags):
    if not (TESTDATA / "spec" / "LEVELS.tsv").exists():
        print(f"SKIPPED: the spec scripts of {levels}: no test data in {TESTDATA}; "
              "set MAYFLY_TESTDATA")
        return SKIPPED
    scripts = scripts_of(levels.split(","))
    if not driver_works(mayfly, flags):
        print(f"SKIPPED: {len(scripts)} spec scripts: the driver does not work here")
        return SKIPPED
    run = subprocess.run([mayfly, "wast", *flags, *scripts], stdout=subprocess.PIPE, text=True,
                         check=False)
    print(run.stdout, end="")
    counts = re.search(r"(\d+) passed, 0 failed, \d+ skipped\n\Z", run.stdout)
    if run.returncode != 0 or counts is None or int(counts[1]) == 0:
        print(f"FAILED: mayfly wast ended with {run.returncode}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
