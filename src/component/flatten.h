// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a component function's type to the type of the core function that implements or calls it
// (CanonicalABI.md #flattening).
#pragma once

#include "component/abi_layout.h"
#include "component/canon.h"
#include "component/type_arena.h"
#include "wasm/types.h"

namespace mayfly::component {

enum class FlattenContext : uint8_t { kLift, kLower };

// What a call needs of its options besides what the core type says.
struct FlatFunction {
  wasm::FuncType core;
  bool params_in_memory = false;
  bool results_in_memory = false;
};

// definitions.py: flatten_functype
FlatFunction flatten_functype(const TypeArena& types, TypeId func, const CanonOptions& options,
                              FlattenContext context);
// The same for the parameters and the result by themselves.
FlatFunction flatten_functype(const TypeArena& types, std::span<const ValType> params,
                              ValType result, const CanonOptions& options, FlattenContext context);

wasm::ValType core_type(Flat flat);
wasm::ValType core_type(PtrWidth width);

}  // namespace mayfly::component
