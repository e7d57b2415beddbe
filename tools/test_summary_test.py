#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The summary counts what ctest says, and never takes a test that could not start for a skip.
import contextlib
import io
import tempfile
import unittest

import test_summary

CASES = {
    "passes": '<testcase name="a" status="run"/>',
    "fails": '<testcase name="b" status="fail"><failure message=""/></testcase>',
    "skips": '<testcase name="c" status="notrun">'
             '<skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/></testcase>',
    "missing": '<testcase name="d" status="notrun">'
               '<skipped message="Unable to find executable"/></testcase>',
}


def summary(*names):
    """The exit status and the last line for a run with these cases."""
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write("<testsuite>" + "".join(CASES[name] for name in names) + "</testsuite>")
        file.flush()
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            status = test_summary.main([file.name])
    return status, printed.getvalue().splitlines()[-1]


class Summary(unittest.TestCase):
    def test_counts_each_kind(self):
        self.assertEqual(summary("passes", "fails", "skips"), (1, "1 passed, 1 failed, 1 skipped"))

    def test_succeeds_when_nothing_failed(self):
        self.assertEqual(summary("passes", "skips"), (0, "1 passed, 0 failed, 1 skipped"))

    def test_fails_when_a_program_is_missing(self):
        self.assertEqual(summary("passes", "missing"), (1, "1 passed, 1 failed, 0 skipped"))

    def test_fails_when_nothing_ran(self):
        self.assertEqual(summary("skips"), (1, "0 passed, 0 failed, 1 skipped"))


if __name__ == "__main__":
    unittest.main()
