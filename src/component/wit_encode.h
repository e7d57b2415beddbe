// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A WIT package as a component (WIT.md #package-format): each interface and world is a type that
// the component exports.
#pragma once

#include <cstdint>
#include <vector>

#include "component/wit_model.h"

namespace mayfly::component::wit {

// The binary form. Docs and feature gates are not part of it. Precondition: the model is one that
// resolve() or decode_component() made.
std::vector<uint8_t> encode_package(const Model& model, PackageId package);

}  // namespace mayfly::component::wit
