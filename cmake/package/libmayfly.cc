// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A shared library has at least one source of its own; all the rest is in the archives it is
// linked from.
