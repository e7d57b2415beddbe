// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What `mayfly inspect` says of components.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"
#include "component/component.h"

namespace mayfly::cli {

nlohmann::json describe_component(const component::Component& component);

// The component's world, or the WIT package that it is, as text.
// Errors: kUnsupported when it cannot be said in WIT.
Result<std::string> component_wit(const component::Component& component);

}  // namespace mayfly::cli
