// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// OpcodeRule: the signatures of opcodes.inc, parsed at compile time for the validator.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "wasm/opcode_table.h"
#include "wasm/packed_type.h"

namespace mayfly::wasm {

// Stands for the address type of the memory that the immediates name. It is no ValKind.
inline constexpr PackedType kAddressOfMemory{0xE};

// Aligned so that a rule is in one cache line.
struct alignas(32) OpcodeRule {
  Immediates immediates = Immediates::unknown;
  bool has_signature = false;  // else the instruction has a rule of its own
  uint8_t param_count = 0;
  uint8_t result_count = 0;
  std::array<PackedType, 4> params{};
  std::array<PackedType, 2> results{};
};

constexpr PackedType signature_type(char letter) {
  switch (letter) {
    case 'i':
      return packed::kI32;
    case 'I':
      return packed::kI64;
    case 'f':
      return packed::kF32;
    case 'F':
      return packed::kF64;
    case 'v':
      return packed::kV128;
    default:
      return kAddressOfMemory;
  }
}

constexpr OpcodeRule make_rule(Immediates immediates, std::string_view signature) {
  OpcodeRule rule;
  rule.immediates = immediates;
  rule.has_signature = signature != "*";
  if (!rule.has_signature) return rule;
  const size_t colon = signature.find(':');
  for (size_t i = 0; i < colon; ++i) {
    rule.params[rule.param_count++] = signature_type(signature[i]);
  }
  for (size_t i = colon + 1; i < signature.size(); ++i) {
    rule.results[rule.result_count++] = signature_type(signature[i]);
  }
  return rule;
}

inline constexpr std::array<OpcodeRule, kOpcodeValues> kRules = [] {
  std::array<OpcodeRule, kOpcodeValues> table{};
#define MAYFLY_OPCODE(name, value, text, immediates, signature) \
  table[value] = make_rule(Immediates::immediates, signature);
#include "wasm/opcodes.inc"
#undef MAYFLY_OPCODE
  return table;
}();

}  // namespace mayfly::wasm
