// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ModuleShape: what all partitions of a module have to agree on before any code is made, found
// by one pass over the bodies: unsupported features, tables that grow, how functions are divided.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "compiler/compile_module.h"
#include "compiler/constant_value.h"
#include "wasm/module.h"

namespace mayfly::compiler {

// Functions [first, last) by index, compiled into one object.
struct Partition {
  uint32_t first = 0;
  uint32_t last = 0;
  image::OptLevel opt_level = image::OptLevel::kO2;
  bool holds_data = false;  // the one that has data, `instantiate` and the thunks
};

struct ModuleShape {
  const wasm::Module& module;
  std::span<const uint8_t> bytes;
  const CompileOptions& options;
  std::vector<bool> table_is_far;
  std::vector<ConstantValue> globals;  // by index
  std::vector<Partition> partitions;
  // Of each function that is not imported: whether it is copied into its callers, whether it calls.
  std::vector<bool> inlined;
  std::vector<bool> calls = {};

  bool has_calls(uint32_t function) const { return calls[function - module.imported_functions]; }
  bool is_inlined(uint32_t function) const {
    return function >= module.imported_functions && inlined[function - module.imported_functions];
  }
  bool is_imported_table(uint32_t index) const { return index < module.imported_tables; }
  bool is_imported_memory(uint32_t index) const { return index < module.imported_memories; }
  // Whether the table has one size for ever, which is its declared minimum.
  bool table_has_fixed_size(uint32_t index) const {
    return !is_imported_table(index) && !table_is_far[index];
  }
};

// Errors: kUnsupported names the first instruction that is not compiled.
// The references inside the result are the arguments.
Result<ModuleShape> make_shape(const wasm::Module& module, std::span<const uint8_t> bytes,
                               const CompileOptions& options);

}  // namespace mayfly::compiler
