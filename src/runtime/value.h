// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Value: one WebAssembly value on the host's side of a call, with its type, and its text form
// as `mayfly run --invoke` reads and prints it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "guest_abi/call_page.h"
#include "wasm/types.h"

namespace mayfly::runtime {

// The bits are those of the slot that carries it (guest_abi/call_page.h).
struct Value {
  wasm::ValType type;
  guest_abi::Slot bits;

  static Value i32(uint32_t value) { return {wasm::kI32, {value, 0}}; }
  static Value i64(uint64_t value) { return {wasm::kI64, {value, 0}}; }
  static Value f32_bits(uint32_t bits) { return {wasm::kF32, {bits, 0}}; }
  static Value f64_bits(uint64_t bits) { return {wasm::kF64, {bits, 0}}; }
  static Value v128(uint64_t low, uint64_t high) { return {wasm::kV128, {low, high}}; }
  static Value null(wasm::ValType type) { return {type, {0, 0}}; }
  // A host's own number for something; the guest passes it on and cannot look inside.
  static Value externref(uint64_t number) { return {wasm::kExternref, {number + 1, 0}}; }

  bool is_null() const { return bits.low == 0; }
};

// The bits of a slot that belong to a value of this type; the rest is what the guest left there.
guest_abi::Slot significant_bits(wasm::ValType type, guest_abi::Slot slot);

// "42", "2.5", "nan:0x7fc00000", "0x000102...0f" (v128, the last byte first), "null",
// "externref 3", "funcref".
std::string to_string(const Value& value);

// The inverse, for numbers, v128 and null references. Integers are decimal or 0x..., signed or
// unsigned. Errors: kInvalid with the text and the type.
Result<Value> parse_value(std::string_view text, wasm::ValType type);

// "name(1, 2.5)" or "name": what to call and with which arguments, each still text.
struct Invocation {
  std::string name;
  std::vector<std::string> arguments;
};
Result<Invocation> parse_invocation(std::string_view text);

// Errors: kInvalid when the count or an argument does not fit the type.
Result<std::vector<Value>> parse_arguments(const Invocation& invocation,
                                           const wasm::FuncType& type);

}  // namespace mayfly::runtime
