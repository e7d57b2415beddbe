// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ConstantValue: what a constant expression is worth, where that is known before link time.
// The values of a module's globals are worked out once, for all partitions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "wasm/module.h"

namespace mayfly::compiler {

struct ConstantValue {
  enum class Kind : uint8_t {
    kUnknown,  // reads a global that is imported or whose own value is unknown
    kNumber,   // bits, as wide as the type
    kNull,
    kFuncref,  // the reference of function `function_index`
  };
  Kind kind = Kind::kUnknown;
  uint64_t low = 0;
  uint64_t high = 0;  // only v128
  uint32_t function_index = 0;
};

// `globals` are the known values of the globals that the expression may read, by index; all
// that are beyond its end are unknown. Mutable ones never occur in a constant expression.
ConstantValue evaluate(std::span<const uint8_t> bytes, const wasm::ConstExpr& expression,
                       std::span<const ConstantValue> globals);

// By global index. Mutable ones have their initial value.
std::vector<ConstantValue> evaluate_globals(const wasm::Module& module,
                                            std::span<const uint8_t> bytes);

}  // namespace mayfly::compiler
