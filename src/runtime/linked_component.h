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
#include "runtime/component_target.h"
#include "runtime/linked_program.h"

namespace mayfly::runtime {

// A resource of the host, by its number, and what define_resource() says it is.
struct BoundResource {
  uint32_t number = 0;
  const detail::ResourceKind* kind = nullptr;
};

// Immutable, shareable between threads.
struct LinkedComponent {
  std::shared_ptr<const linker::ComponentFile> file;
  std::vector<ComponentTarget> exports;
  std::vector<BoundResource> resources;
  TransferPlace transfer;
};

// The callable of a host function that a component calls.
struct BoundHostFunction {
  std::shared_ptr<const linker::ComponentFile> file;
  component::TypeId type{component::kNoIndex};  // kFunc; kNoIndex for a destructor
  std::string name;                             // for messages
  std::vector<component::ValType> params;       // of the type
  uint32_t flat_params = 0;                     // how many words they are passed as
  detail::ComponentHostFunction function;       // without one it is a destructor of nothing

  static bool call(void* callable, Caller& caller, detail::Slot* slots);
};

// Precondition: the request's one instance is a component. Errors: as link_program()'s.
Result<std::shared_ptr<const LinkedProgram>> link_component(EngineState& engine,
                                                            const LinkRequest& request);

// The same for an image that there is already, linked.image: fills in the functions and what is
// known of the component. Errors: kLink also when the image is not that of the component.
Result<void> bind_component(const LinkRequest& request, LinkedProgram& linked);

// Errors: kLink for the image of a component that calls functions of the host: it does not say of
// which types of WIT they are.
Result<void> check_types_known(const image::Image& image);

// By "ns:pkg/interface@1.0.0#name" or "name"; a compatible version will do. nullptr: there is none.
const ComponentTarget* find_component_export(const LinkedComponent& component,
                                             std::string_view name);
// What drops a resource that the component exports; nullptr: there is none.
const ComponentTarget* find_resource_drop(const LinkedComponent& component,
                                          const wit::Resource& resource);
// Whether a function has the type that C++ types of the embedder stand for.
bool has_signature(const LinkedComponent& component, const ComponentTarget& target,
                   const ComponentSignature& signature);
// Errors: kInvalid, which names what there is.
Error no_component_export(const LinkedComponent& component, std::string_view name);

}  // namespace mayfly::runtime
