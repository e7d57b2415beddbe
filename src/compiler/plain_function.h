// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which functions are copied into their callers: small ones that cannot end but by returning. No
// backtrace can show one, so none of them is missed when it has no frame of its own.
#pragma once

#include <cstdint>

#include "wasm/instruction.h"

namespace mayfly::compiler {

inline constexpr uint64_t kInlinedBytesMax = 96;

// Neither traps, nor calls, nor loops, nor uses linear memory, a table or a vector.
bool is_plain(wasm::Opcode opcode);

}  // namespace mayfly::compiler
