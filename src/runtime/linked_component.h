// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A component with the embedder's functions: what LinkedProgram has of it besides its image.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "linker/component_linker.h"
#include "runtime/linked_program.h"

namespace mayfly::runtime {

// Immutable, shareable between threads.
struct LinkedComponent {
  std::shared_ptr<const linker::ComponentFile> file;
  std::vector<linker::ComponentExport> exports;
};

// The callable of a host function that a component calls.
struct BoundHostFunction {
  std::shared_ptr<const linker::ComponentFile> file;
  component::TypeId type{component::kNoIndex};  // kFunc; kNoIndex for a destructor
  std::string name;                             // for messages
  detail::ComponentHostFunction function;       // without one it is a destructor of nothing

  static bool call(void* callable, Caller& caller, detail::Slot* slots);
};

// Precondition: the request's one instance is a component. Errors: as link_program()'s.
Result<std::shared_ptr<const LinkedProgram>> link_component(EngineState& engine,
                                                            const LinkRequest& request);

// By "ns:pkg/interface@1.0.0#name" or "name"; a compatible version will do. nullptr: there is none.
const linker::ComponentExport* find_component_export(const LinkedComponent& component,
                                                     std::string_view name);
// Errors: kInvalid, which names what there is.
Error no_component_export(const LinkedComponent& component, std::string_view name);

}  // namespace mayfly::runtime
