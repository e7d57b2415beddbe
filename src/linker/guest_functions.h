// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The guest library's functions that adapters call (guest_abi/component_functions.inc).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "wasm/types.h"

namespace mayfly::linker {

// Of the tables of guest library functions: parameters, a colon, results; i is i32, I i64, f f32,
// F f64.
wasm::FuncType type_of_signature(std::string_view signature);

struct ComponentFunction {
  std::string symbol;
  wasm::FuncType type;  // without the memories that come first
};

// Precondition: there is one of that name.
ComponentFunction component_function(std::string_view name);

// A function of WASI 0.2 that the guest library has (guest_abi/wasi2_functions.inc): `interface`
// with its version ("wasi:cli/exit@0.2.3"), `name` as in WIT, or "[resource-drop]R".
// nullopt: it has none.
std::optional<ComponentFunction> wasi2_function(std::string_view interface, std::string_view name);

// Whether it has any of the interface.
bool is_wasi2_interface(std::string_view interface);
// Of a C symbol of that table: the interface, without a version. Empty: it is none.
std::string_view wasi2_interface_of(std::string_view symbol);

// The marks of a benchmark: "bench", "start" and "end".
std::optional<ComponentFunction> bench_function(std::string_view interface, std::string_view name);

}  // namespace mayfly::linker
