// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The imports that the guest library provides: WASI preview 1, and the marks of a benchmark.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "wasm/types.h"

namespace mayfly::runtime {

// Which imports a program may have from the guest library.
struct GuestLibrary {
  bool wasi = true;
  bool bench = false;  // bench.start and bench.end
};

struct GuestFunction {
  std::string_view module;
  std::string_view name;
  std::string_view signature;  // "iI:i": parameters, results; i is i32, I is i64
  std::string_view symbol;     // in the guest library
};

// The function of that name, whether `library` offers it or not; nullptr if there is none at all.
const GuestFunction* find_guest_function(std::string_view module, std::string_view name);
const GuestFunction* find_guest_symbol(std::string_view symbol);
bool is_guest_module(std::string_view module);
// Each once, in the order of the list.
std::vector<std::string_view> guest_module_names();
std::vector<std::string_view> guest_function_names(std::string_view module);
bool offers(const GuestLibrary& library, const GuestFunction& function);

wasm::FuncType type_of(const GuestFunction& function);

}  // namespace mayfly::runtime
