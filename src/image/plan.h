// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plan: which modules are instantiated, in which order, and what each import is bound to.
// It is static: one image holds the code of all its instances, bound by the linker. The same
// plan serves a single module, a linked set and a spec script.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "wasm/module.h"

namespace mayfly::image {

// Something that an instance defines itself (never one of its imports), by index space.
struct Definition {
  uint32_t instance = 0;
  uint32_t index = 0;
  bool operator==(const Definition&) const = default;
};

// In Binding::memories: a null MemoryInfo*, for an instance that has no memory.
inline constexpr uint32_t kNoMemory = UINT32_MAX;

struct Binding {
  enum class Kind : uint8_t {
    kInstance,  // another instance's definition: any ExternKind
    kGuest,     // a function of the guest library
    kHost,      // a function that the embedder runs on the host
  };
  Kind kind = Kind::kInstance;
  Definition definition;  // kInstance
  std::string symbol;     // kGuest: its C symbol
  // kGuest: whose MemoryInfo* come before the arguments of the import, in this order: indices in
  // the memory index space of the importing instance, or kNoMemory.
  std::vector<uint32_t> memories;
  uint32_t host_index = 0;  // kHost: in Plan::host_functions
};

struct InstanceStep {
  uint32_t module = 0;           // in the list of modules that goes with the plan
  std::string name;              // for messages and symbols
  std::vector<Binding> imports;  // one per import of the module, in its order
};

struct HostFunction {
  std::string module;
  std::string name;
  wasm::FuncType type;
};

// Invariant: a step binds only to steps before it, with matching types (limits of memories and
// tables are checked when the step runs, against the sizes of that moment).
struct Plan {
  std::vector<InstanceStep> steps;
  std::vector<HostFunction> host_functions;
};

}  // namespace mayfly::image
