// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table, from the list that the library itself is built from.
#include "linker/guest_functions.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace mayfly::linker {
namespace {

struct Signature {
  std::string_view name;
  std::string_view types;  // "iI:i": parameters, results; i is i32, I is i64
  std::string_view symbol;
};

constexpr auto kFunctions = std::to_array<Signature>({
#define MAYFLY_COMPONENT_FUNCTION(name, signature, memories, symbol) {#name, signature, #symbol},
#include "guest_abi/component_functions.inc"
#undef MAYFLY_COMPONENT_FUNCTION
});

struct Wasi2Function {
  std::string_view interface;
  std::string_view name;
  std::string_view types;
  std::string_view symbol;
};

constexpr auto kWasi2Functions = std::to_array<Wasi2Function>({
#define MAYFLY_WASI2_FUNCTION(interface, name, signature, symbol) \
  {interface, name, signature, #symbol},
#include "guest_abi/wasi2_functions.inc"
#undef MAYFLY_WASI2_FUNCTION
});

wasm::ValType value_type(char letter) {
  switch (letter) {
    case 'I':
      return wasm::kI64;
    case 'f':
      return wasm::ValType::of(wasm::ValKind::kF32);
    case 'F':
      return wasm::ValType::of(wasm::ValKind::kF64);
    default:
      CHECK(letter == 'i', letter);
      return wasm::kI32;
  }
}

// All versions of 0.2 are one: what is new in one is not imported by programs of an older one.
bool is_0_2(std::string_view version) { return version == "0.2" || version.starts_with("0.2."); }

// wasi:logging has no 0.2, and is imported without a version, too.
bool is_of_0_2(std::string_view plain, std::string_view version) {
  if (!plain.starts_with("wasi:logging/")) return is_0_2(version);
  return version.empty() || version.starts_with("0.1.") || is_0_2(version);
}

// Without its version; nullopt for one that is not of 0.2.
std::optional<std::string_view> plain_name(std::string_view interface) {
  const size_t at = interface.find('@');
  const std::string_view plain = interface.substr(0, at);
  const std::string_view version =
      at == std::string_view::npos ? std::string_view() : interface.substr(at + 1);
  return is_of_0_2(plain, version) ? std::optional(plain) : std::nullopt;
}

}  // namespace

wasm::FuncType type_of_signature(std::string_view signature) {
  const size_t colon = signature.find(':');
  CHECK(colon != std::string_view::npos, signature);
  wasm::FuncType type;
  for (const char letter : signature.substr(0, colon)) type.params.push_back(value_type(letter));
  for (const char letter : signature.substr(colon + 1)) type.results.push_back(value_type(letter));
  return type;
}

ComponentFunction component_function(std::string_view name) {
  const auto* const found = std::ranges::find(kFunctions, name, &Signature::name);
  CHECK(found != kFunctions.end(), name);
  return {std::string(found->symbol), type_of_signature(found->types)};
}

std::optional<ComponentFunction> wasi2_function(std::string_view interface, std::string_view name) {
  const auto plain = plain_name(interface);
  if (!plain) return std::nullopt;
  const auto* const found =
      std::ranges::find_if(kWasi2Functions, [&](const Wasi2Function& function) {
        return function.interface == *plain && function.name == name;
      });
  if (found == kWasi2Functions.end()) return std::nullopt;
  return ComponentFunction{std::string(found->symbol), type_of_signature(found->types)};
}

bool is_wasi2_interface(std::string_view interface) {
  const auto plain = plain_name(interface);
  return plain && std::ranges::find(kWasi2Functions, *plain, &Wasi2Function::interface) !=
                      kWasi2Functions.end();
}

std::string_view wasi2_interface_of(std::string_view symbol) {
  const auto* const found = std::ranges::find(kWasi2Functions, symbol, &Wasi2Function::symbol);
  return found == kWasi2Functions.end() ? std::string_view() : found->interface;
}

std::optional<ComponentFunction> bench_function(std::string_view interface, std::string_view name) {
  if (interface != "bench" || (name != "start" && name != "end")) return std::nullopt;
  return ComponentFunction{"mayfly_bench_" + std::string(name), {}};
}

}  // namespace mayfly::linker
