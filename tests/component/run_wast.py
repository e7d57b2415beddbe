#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The Component Model's scripts through `mayfly wast`, each held to what wast.tsv says of it: so
# many assertions pass, none fail, so many commands are skipped that would run a component.
#   run_wast.py MAYFLY [FLAGS...]
# A script that does better than its line fails the run too: then the line is to be changed.
import os
import re
import subprocess
import sys
from pathlib import Path

SKIPPED = 77
HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
TESTDATA = Path(os.environ.get("MAYFLY_TESTDATA", SOURCE / ".." / "shared" / "testdata"))
LINE = re.compile(r"/([\w-]+/[\w-]+)/[\w-]+\.json: (\d+) passed, (\d+) failed, (\d+) skipped")


def expected():
    lines = (HERE / "wast.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {name: (int(passed), int(known[0]) if known else 0, int(skipped))
            for name, passed, skipped, *known in rows}


def main(mayfly, *flags):
    folder = TESTDATA / "component" / "test"
    wanted = expected()
    if not folder.exists():
        print(f"SKIPPED: {len(wanted)} component scripts: no test data in {TESTDATA}; "
              "set MAYFLY_TESTDATA")
        return SKIPPED
    scripts = sorted(folder.glob("*/*/*.json"))
    run = subprocess.run([mayfly, "wast", "-v", *flags, *scripts], stdout=subprocess.PIPE,
                         text=True, check=False)
    print(run.stdout, end="")
    found = {name: tuple(map(int, counts)) for name, *counts in LINE.findall(run.stdout)}
    wrong = [name for name in sorted(wanted | found) if wanted.get(name) != found.get(name)]
    for name in wrong:
        print(f"FAILED: {name}: passed, failed, skipped are {found.get(name)}, "
              f"wast.tsv says {wanted.get(name)}")
    return 1 if wrong or not found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
