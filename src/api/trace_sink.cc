// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one class of the library that users derive from. Compiled with type information, so that they
// may do so in code that is.
#include "mayfly/engine.h"

namespace mayfly {

TraceSink::~TraceSink() = default;

}  // namespace mayfly
