# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What tests of the command line on one driver share: MAYFLY and DRIVER as arguments, a folder of
# each test's own, and a loud skip where the driver does not work.
import os
import subprocess
import sys
import tempfile
import unittest

from landlock import has_landlock

MAYFLY = sys.argv[1]
# "kvm", "process", or either with "+jail".
DRIVER, _, JAIL = sys.argv[2].partition("+")
RUN = [MAYFLY, "run", "--driver", DRIVER, *(["--jail"] if JAIL else [])]
SKIPPED = 77


class FolderTest(unittest.TestCase):
    """Has an empty folder, and an environment in which Mayfly keeps what it keeps there."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.environment = dict(os.environ, XDG_DATA_HOME=self.path("data"),
                                XDG_CACHE_HOME=self.path("cache"))

    def path(self, name):
        return os.path.join(self.folder, name)


def main():
    if JAIL and not has_landlock():
        print("SKIPPED: the kernel has no Landlock of version 3 for --jail")
        sys.exit(SKIPPED)
    doctor = subprocess.run([MAYFLY, "doctor", "--driver", DRIVER], capture_output=True,
                            check=False)
    if doctor.returncode != 0:
        print("SKIPPED:", doctor.stderr.decode())
        sys.exit(SKIPPED)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
