// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// WAVE, the text form of values of components (wasm-wave's README.md), read with types; the other
// direction is to_string(ComponentValue).
//
// Besides what WAVE says, a map may be a list of tuples. Resources have no text.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "component/type_arena.h"
#include "mayfly/component_value.h"

namespace mayfly::component {

// Fields that a text leaves out because they are optional, all together.
inline constexpr uint32_t kWaveOmittedFieldsMax = 1'000'000;

// Walks recurse as deep as the type is. Errors: kInvalid, one line that ends with "at byte N",
// counted from 0; kLimit past kWaveOmittedFieldsMax.
Result<ComponentValue> parse_wave(const TypeArena& types, ValType type, std::string_view text);

// "func(1, 2)", "iface.func(1)", "ns:pkg/iface@1.0.0.func", "iface.[method]r.func()".
struct WaveCall {
  std::string interface;  // empty: the function is the component's own
  std::string function;
  // Inside the parentheses, and where they begin in the text; of the text that was parsed.
  std::string_view arguments;
  size_t arguments_first = 0;
};
// Only the names are read: the arguments need the function's type. Errors: kInvalid.
Result<WaveCall> parse_wave_call(std::string_view text);

// Trailing arguments of type option may be left out. Errors as those of parse_wave(), with bytes
// counted from the call's text.
Result<std::vector<ComponentValue>> parse_wave_arguments(const TypeArena& types,
                                                         std::span<const Member> params,
                                                         const WaveCall& call);

}  // namespace mayfly::component
