// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which functions are copied into their callers: small ones that neither call nor loop. A copy has
// no frame; its instructions carry their own place and that of the call (optimize.cc), so that a
// backtrace shows both functions.
#pragma once

#include <cstdint>

#include "wasm/instruction.h"

namespace mayfly::compiler {

inline constexpr uint64_t kInlinedBytesMax = 128;
// What the copies in one function may weigh, in bytes of their bodies: so much and twice its own.
inline constexpr uint64_t kCopiedBytesMin = 1024;

// Neither calls, nor loops, nor takes time that depends on a number.
bool is_leaf(wasm::Opcode opcode);

}  // namespace mayfly::compiler
