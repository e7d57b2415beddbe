#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The library's tests, and those of snapshots, on mainline kvm-amd: they run here first, on the
# process driver, while recorded_compiler.sh records every build; in QEMU (tools/qemu_lane.py),
# where compiling would take too long, it answers from the record.
#   run_library_mainline.py --cache FOLDER --mayfly PROGRAM --file FILE... --gtest PROGRAM...
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
FEW_CYCLES = "MAYFLY_SOAK_CYCLES=200"


def main():
    parser = argparse.ArgumentParser(description="The library's tests on mainline kvm-amd.")
    parser.add_argument("--cache", required=True, help="folder for the kernel package")
    parser.add_argument("--mayfly", required=True, help="the program; its compiler is next to it")
    parser.add_argument("--file", action="append", default=[],
                        help="what the tests read, at the same place there")
    parser.add_argument("--gtest", action="append", default=[], help="a GoogleTest program")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mayfly-record-") as folder:
        stand_in = shutil.copy(SOURCE / "tests/library/recorded_compiler.sh", folder)
        real = pathlib.Path(folder) / "real"
        real.symlink_to(pathlib.Path(options.mayfly).resolve().with_name("mayfly-compiler"))
        for program in options.gtest:
            made = subprocess.run(
                ["env", FEW_CYCLES, f"MAYFLY_COMPILER={stand_in}", program,
                 "--gtest_filter=*process*", "--gtest_brief=1"], check=False)
            if made.returncode != 0:
                return made.returncode
        real.unlink()
        lane = [sys.executable, SOURCE / "tools/qemu_lane.py", "--cache", options.cache,
                "--timeout", "850", "--icount", "--filter", "*kvm*",
                "--program", shutil.which("wat2wasm"), "--program", options.mayfly,
                "--file", f"{folder}:/record",
                "--env", f"MAYFLY_COMPILER=/record/{pathlib.Path(stand_in).name}",
                "--env", FEW_CYCLES]
        for file in options.file:
            lane += ["--file", f"{file}:{file}"]
        for program in options.gtest:
            lane += ["--gtest", program]
        return subprocess.run(lane, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
