#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Adds up what several ctest runs wrote with --output-junit: names what failed and what was
# skipped, then one line `N passed, N failed, N skipped`. Fails if a test failed or none ran.
import sys
import xml.etree.ElementTree as ElementTree


def skipped_itself(case):
    """A test that said so; one whose program is missing did not."""
    reason = case.find("skipped")
    return reason is not None and reason.get("message", "").startswith("SKIP_")


def read(paths):
    """The names of the tests that passed, failed and were skipped."""
    passed, failed, skipped = [], [], []
    for path in paths:
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            status, name = case.get("status"), case.get("name")
            if status == "disabled" or (status == "notrun" and skipped_itself(case)):
                skipped.append(name)
            elif status == "run" and case.find("failure") is None:
                passed.append(name)
            else:
                failed.append(name)
    return passed, failed, skipped


def main(paths):
    passed, failed, skipped = read(paths)
    for name in skipped:
        print(f"skipped: {name}")
    for name in failed:
        print(f"failed: {name}")
    print(f"{len(passed)} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
