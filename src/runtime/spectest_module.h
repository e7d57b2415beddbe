// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The module `spectest` that test scripts import, as WebAssembly: functions that do nothing,
// globals of 666, a table of 10 to 20, a memory of 1 to 2 pages.
#pragma once

#include <cstdint>
#include <vector>

#include "wasm/limits.h"

namespace mayfly::runtime {

// With threads it also has shared_memory.
std::vector<uint8_t> spectest_module(const wasm::Features& features);

}  // namespace mayfly::runtime
