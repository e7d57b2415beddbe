// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where mayfly-compiler is, for a program that does not say so.
#pragma once

#include <string>

namespace mayfly::api {

// The first that is there: next to the running program; PREFIX/bin of the PREFIX/lib or
// PREFIX/lib/ARCH that libmayfly.so is in; in an absolute folder of $PATH. Empty: none is.
std::string find_compiler();

}  // namespace mayfly::api
