// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fuzzes the parser and printer of WAVE, and with what they give, lowering and lifting.
//
// Strategy: the first byte chooses one of a few types that together have every kind; the rest is
// the text, read as a value and as a call.
//
// Invariants:
//  1. parse_wave() answers for any bytes: no crash, no CHECK, no sanitizer report.
//  2. An error is one line.
//  3. What is parsed prints to text that is parsed to the same value.
//  4. What is parsed can be lowered, unless a fixed list has another length; what was lowered is
//     lifted to the same value.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "component/host_lift.h"
#include "component/host_lower.h"
#include "component/test_types.h"
#include "component/wave.h"

namespace mayfly::component {
namespace {

constexpr uint32_t kBase = 8;

std::vector<ValType> make_types(TestTypes& types) {
  std::vector<ValType> made;
  for (uint32_t prim = 0; prim <= static_cast<uint32_t>(Prim::kString); ++prim) {
    made.push_back(ValType::of(static_cast<Prim>(prim)));
  }
  const ValType flags = types.names(TypeKind::kFlags, {"read", "write", "none"});
  const ValType names = types.names(TypeKind::kEnum, {"a", "ok", "true"});
  const ValType variant =
      types.add(TypeKind::kVariant, {types.member("a"), types.member("err", kString),
                                     types.member("b", types.list(names)), types.member("c", kU8)});
  const ValType record = types.add(
      TypeKind::kRecord, {types.member("a", variant), types.member("b", types.option(flags)),
                          types.member("nan", types.result(ValType::of(Prim::kF32), variant))});
  made.insert(made.end(), {flags, names, variant, record, types.option(kString)});
  made.push_back(types.list(record));
  made.push_back(types.tuple({record, variant, ValType::of(Prim::kChar)}));
  made.push_back(types.map(kString, types.option(types.option(kU8))));
  made.push_back(types.fixed_list(types.result({}, record), 3));
  made.push_back(types.result(types.result(ValType::of(Prim::kF64), {}), {}));
  made.push_back(types.add(TypeKind::kStream, {{StringId{kNoIndex}, kU8}}));
  return made;
}

void check_error(const std::string& message) {
  CHECK(message.find('\n') == std::string::npos, message);
}

void check_value(const TestTypes& types, ValType type, const ComponentValue& value) {
  const std::string text = to_string(value);
  const auto again = parse_wave(types.arena, type, text);
  CHECK(again.has_value(), again ? "" : again.error().message, text);
  CHECK(*again == value, text);
  const std::array<ValType, 1> wanted = {type};
  const std::array<ComponentValue, 1> values = {value};
  const auto bytes = lowered_bytes(types.arena, wanted, values, ValueRole::kArgument);
  if (!bytes) return check_error(bytes.error().message);
  std::vector<uint8_t> memory(kBase + *bytes);
  const FlatValues flat = lower_values(types.arena, wanted, values, ValueRole::kArgument, kBase,
                                       std::span(memory).subspan(kBase));
  const auto lifted = lift_values(types.arena, wanted, ValueRole::kArgument, flat.values(), memory);
  CHECK(lifted.has_value(), lifted ? "" : lifted.error().message, text);
  // Fields are in the order of the type on both sides.
  CHECK((*lifted)[0] == value, text);
}

void run(uint8_t choice, std::string_view text) {
  TestTypes types;
  const std::vector<ValType> made = make_types(types);
  const ValType type = made[choice % made.size()];
  const auto value = parse_wave(types.arena, type, text);
  if (value) {
    check_value(types, type, *value);
  } else {
    check_error(value.error().message);
  }
  const auto call = parse_wave_call(text);
  if (!call) return;
  const std::array<Member, 2> params = {types.member("a", type), types.member("b", made.front())};
  const auto arguments = parse_wave_arguments(types.arena, params, *call);
  if (!arguments) check_error(arguments.error().message);
}

}  // namespace
}  // namespace mayfly::component

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const void* text = data + 1;
  mayfly::component::run(data[0], {static_cast<const char*>(text), size - 1});
  return 0;
}
