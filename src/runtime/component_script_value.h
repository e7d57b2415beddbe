// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values of component test scripts: JSON with the types that the function has.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "component/type_arena.h"
#include "mayfly/component_value.h"

namespace mayfly::runtime {

// `json` is an array of {"type", "value"}. Errors: kInvalid when a value is none of its type.
Result<std::vector<ComponentValue>> parse_script_values(const std::string& json,
                                                        const component::TypeArena& types,
                                                        std::span<const component::Member> wanted);

}  // namespace mayfly::runtime
