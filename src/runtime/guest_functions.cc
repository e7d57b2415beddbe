// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of guest library functions, from the list that the library itself is built from.
#include "runtime/guest_functions.h"

#include <algorithm>
#include <array>

#include "linker/guest_functions.h"

namespace mayfly::runtime {
namespace {

constexpr std::string_view kBenchModule = "bench";

constexpr auto kGuestFunctions = std::to_array<GuestFunction>({
#define MAYFLY_WASI_FUNCTION(module, name, signature, symbol) {#module, #name, signature, #symbol},
#include "guest_abi/wasi_functions.inc"
#undef MAYFLY_WASI_FUNCTION
    {kBenchModule, "start", ":", "mayfly_bench_start"},
    {kBenchModule, "end", ":", "mayfly_bench_end"},
});

}  // namespace

const GuestFunction* find_guest_function(std::string_view module, std::string_view name) {
  const auto* const found =
      std::ranges::find_if(kGuestFunctions, [&](const GuestFunction& function) {
        return function.name == name && function.module == module;
      });
  return found == kGuestFunctions.end() ? nullptr : found;
}

const GuestFunction* find_guest_symbol(std::string_view symbol) {
  const auto* const found = std::ranges::find(kGuestFunctions, symbol, &GuestFunction::symbol);
  return found == kGuestFunctions.end() ? nullptr : found;
}

bool is_guest_module(std::string_view module) {
  return std::ranges::any_of(
      kGuestFunctions, [&](const GuestFunction& function) { return function.module == module; });
}

std::vector<std::string_view> guest_module_names() {
  std::vector<std::string_view> names;
  for (const GuestFunction& function : kGuestFunctions) {
    if (names.empty() || names.back() != function.module) names.push_back(function.module);
  }
  return names;
}

std::vector<std::string_view> guest_function_names(std::string_view module) {
  std::vector<std::string_view> names;
  for (const GuestFunction& function : kGuestFunctions) {
    if (function.module == module) names.push_back(function.name);
  }
  return names;
}

bool offers(const GuestLibrary& library, const GuestFunction& function) {
  return function.module == kBenchModule ? library.bench : library.wasi;
}

wasm::FuncType type_of(const GuestFunction& function) {
  return linker::type_of_signature(function.signature);
}

}  // namespace mayfly::runtime
