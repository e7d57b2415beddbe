// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The state module: what the component instances of an image have besides core instances. Its one
// instance is the first step of the plan; adapter_module.h says what is where in it.
#pragma once

#include <cstdint>
#include <string_view>

#include "linker/module_writer.h"

namespace mayfly::linker {

// The name of its instance.
inline constexpr std::string_view kStateName = "component state";
// Its export that the host reads and writes.
inline constexpr std::string_view kTransferExport = "transfer";
// Its first word says where its free part begins: outside of calls, here.
inline constexpr uint32_t kTransferFirst = 16;

// For instances numbered from 0 (the host) to `instances`.
GeneratedModule state_module(uint32_t instances);

}  // namespace mayfly::linker
