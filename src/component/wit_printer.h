// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Printer of WIT text: what it writes, the parser reads to the same model, and others' tools
// accept.
#pragma once

#include <string>

#include "component/wit_model.h"

namespace mayfly::component::wit {

// The package as the text of one file, and after it, nested, the packages that it needs.
std::string print_package(const Model& model, PackageId package);

// Only the package: what it needs must be found elsewhere.
std::string print_package_alone(const Model& model, PackageId package);

}  // namespace mayfly::component::wit
