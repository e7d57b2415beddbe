// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From components to WIT: packages that are encoded as components (WIT.md #package-format), and the
// world that any other component targets.
#pragma once

#include "base/result.h"
#include "component/component.h"
#include "component/wit_model.h"

namespace mayfly::component::wit {

struct Decoded {
  Model model;
  PackageId root{};
  bool is_package = false;  // else root is `root:component` with the world `root`
};

// Whether the component defines nothing but types that are WIT interfaces and worlds.
bool is_package(const Component& component);

// Errors: kUnsupported when an import or export cannot be said in WIT, such as a core module;
// kInvalid when an encoded package is not formed as one.
Result<Decoded> decode_component(const Component& component);

}  // namespace mayfly::component::wit
