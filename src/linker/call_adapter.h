// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of adapter modules: calls between two sides, and the built-ins of resources
// (CanonicalABI.md #canon-lower, #canon-lift, #canon-resourcenew and following), synchronous ones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "linker/adapter_module.h"
#include "linker/side.h"

namespace mayfly::linker {

// A function that the caller lowered and the callee lifted.
struct CallSpec {
  Side caller;
  Side callee;
  image::Binding target;  // the core function, or the host's
  // Instead of target: a function of the guest library, which works in the transfer memory as the
  // host does, and takes it first.
  std::string guest_symbol;
  bool is_missing = false;  // nothing is called: the call traps
  const component::TypeArena* types = nullptr;
  component::TypeId func{component::kNoIndex};
  ResourceResolver resources;
  const void* resource_scope = nullptr;
  std::vector<uint32_t> entered;  // component instances that the call enters
};

// The types of core functions in the host's hands: the first parameter is where free transfer
// memory begins, then what the canonical ABI says.
wasm::FuncType host_core_type(wasm::FuncType type);

// Errors: as ValueAdapter's.
Result<FunctionRef> add_call(AdapterModule& module, const CallSpec& spec, std::string name);

struct DropSpec {
  uint32_t instance = 0;  // whose handle is dropped
  ResourceRef resource;
  std::optional<image::Binding> destructor;  // a core function, or the host's
  bool destructor_is_of_host = false;
  std::string guest_destructor;  // instead: as CallSpec::guest_symbol
  std::vector<uint32_t> entered;
};

FunctionRef add_resource_new(AdapterModule& module, uint32_t instance, ResourceRef resource);
FunctionRef add_resource_rep(AdapterModule& module, uint32_t instance, ResourceRef resource);
FunctionRef add_resource_drop(AdapterModule& module, const DropSpec& spec);

}  // namespace mayfly::linker
