// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Side: one end of a call between components. The host is one too: its memory is the transfer
// memory, its strings are UTF-8, its realloc never runs guest code.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/result.h"
#include "component/canon.h"
#include "component/type_arena.h"
#include "image/plan.h"
#include "wasm/types.h"

namespace mayfly::linker {

// Component instances are numbered; handle tables have the number of their instance.
inline constexpr uint32_t kHostInstance = 0;

struct MemoryRef {
  image::Definition definition;
  wasm::MemoryType type;
};

struct Side {
  uint32_t instance = kHostInstance;
  component::CanonOptions options;  // its indices are not used, what they mean is below
  std::optional<MemoryRef> memory;
  std::optional<image::Binding> realloc;
  std::optional<image::Binding> post_return;

  bool is_host() const { return instance == kHostInstance; }
};

// A resource type as it exists in an image: new for each instance that defines it.
struct ResourceRef {
  uint32_t number = 0;  // from 1
  uint32_t implementer = kHostInstance;
};

// What a resource type of an arena is on both sides of a call.
using ResourceResolver = std::function<Result<ResourceRef>(component::TypeId)>;

}  // namespace mayfly::linker
