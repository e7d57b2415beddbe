// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A world as a C++ header for the library of include/mayfly: types, an abstract class for each
// interface that the host implements, and a class of typed functions for each that it calls.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "component/wit_model.h"

namespace mayfly::component::wit {

struct BindingOptions {
  std::string source;  // of the world, for the first line
  // Interfaces that the host need not implement, such as those of WASI. May be empty.
  std::function<bool(std::string_view)> is_provided = {};
};

// Errors: kUnsupported for what typed calls have not: async, streams, futures, maps, error
// contexts, resources of interfaces that are provided.
Result<std::string> cpp_bindings(const Model& model, WorldId world, const BindingOptions& options);

// The namespace that all of it is in.
std::string cpp_namespace(const World& world);

}  // namespace mayfly::component::wit
