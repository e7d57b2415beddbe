// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The names under which people see an image's functions: Wasm names where the module has them.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/image_file.h"
#include "compiler/linked_file.h"
#include "compiler/plan_view.h"
#include "image/image_tables.h"

namespace mayfly::compiler {

struct FunctionNames {
  std::vector<image::FunctionRow> rows;    // sorted by start
  std::vector<image::InlinedRow> inlined;  // sorted by start
  std::vector<uint8_t> names;              // .mayfly.names
  std::vector<ImageSymbol> symbols;        // of functions and data, sorted by address
};

// `locations` as the file has them.
FunctionNames name_functions(const PlanView& plan, const LinkedFile& file,
                             const std::vector<CodeLocation>& locations);

}  // namespace mayfly::compiler
