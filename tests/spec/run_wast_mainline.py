#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A sample of the core spec suite on mainline kvm-amd: the images are made here, and run in QEMU
# (tools/qemu_lane.py), where compiling would take too long.
#   run_wast_mainline.py MAYFLY CACHE
import re
import subprocess
import sys
import tempfile

from run_wast import SKIPPED, SOURCE, TESTDATA

# Traps of each kind, growth, tables, linking, exhausted stacks, start functions, vectors.
SAMPLE = ["call_indirect", "conversions", "fac", "i32", "linking", "memory_grow", "memory_trap",
          "select", "simd_lane", "skip-stack-guard-page", "start", "table_grow", "traps"]


def main(mayfly, cache):
    folders = [TESTDATA / "spec" / "core" / name for name in SAMPLE]
    if not all(folder.exists() for folder in folders):
        print(f"SKIPPED: {len(SAMPLE)} spec scripts on mainline KVM: no test data in {TESTDATA}; "
              "set MAYFLY_TESTDATA")
        return SKIPPED
    with tempfile.TemporaryDirectory() as images:
        scripts = [folder / f"{folder.name}.json" for folder in folders]
        made = subprocess.run([mayfly, "wast", "--save-images", images, *scripts],
                              stdout=subprocess.PIPE, text=True, check=False)
        print(made.stdout, end="", flush=True)
        if made.returncode != 0:
            return 1
        lane = [SOURCE / "tools" / "qemu_lane.py", "--cache", cache, "--verbose",
                "--file", f"{mayfly}:/programs/mayfly", "--file", f"{images}:/images"]
        for folder in folders:
            lane += ["--file", f"{folder}:/spec/{folder.name}"]
        names = " ".join(f"/spec/{name}/{name}.json" for name in SAMPLE)
        lane += ["--command", f"mayfly wast --driver kvm --jobs 1 --use-images /images {names}"]
        run = subprocess.run([sys.executable, *lane], stdout=subprocess.PIPE, text=True,
                             check=False)
    print(run.stdout, end="")
    # The console may put control sequences in front of the line.
    wanted = made.stdout.splitlines()[-1]
    ran = re.search(r"\D" + re.escape(wanted), run.stdout)
    return 0 if run.returncode == 0 and ran is not None else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
