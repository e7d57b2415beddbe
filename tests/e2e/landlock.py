# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What tests of `mayfly run --jail` need of the kernel.
import ctypes


def has_landlock():
    """Whether this kernel has what `mayfly run --jail` needs."""
    create_ruleset, version_flag, version_min = 444, 1, 3
    return ctypes.CDLL(None).syscall(create_ruleset, None, 0, version_flag) >= version_min
