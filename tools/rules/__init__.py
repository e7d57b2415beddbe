# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The rules that tools/tidy.py checks, one module for each kind of thing that has rules.
# A rule is a generator: it takes a Tree and yields Problems.
