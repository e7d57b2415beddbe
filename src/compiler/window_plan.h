// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where linear memories and growing tables lie. Memories are placed before any code is compiled,
// because their placement class is part of the code; tables afterwards, when it is known which
// of them can grow.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/result.h"
#include "compiler/abi.h"
#include "compiler/plan_view.h"
#include "guest_abi/layout.h"
#include "image/build_request.h"
#include "image/image.h"

namespace mayfly::compiler {

// Of one memory or table that an instance defines.
struct Window {
  image::Region region;
  uint64_t size_max = 0;  // of a memory in bytes, of a table in entries: grow fails past it
  uint32_t number = 0;    // in Image::regions
};

class WindowPlan {
 public:
  // Errors: kLimit when the address space is full; kUnsupported for a memory that has no place.
  static Result<WindowPlan> place_memories(const PlanView& plan,
                                           const image::BuildOptions& options);
  // Precondition: not yet placed. Errors: kLimit.
  Result<void> place_table(const image::Definition& table, const wasm::TableType& type);

  const Window& memory(const image::Definition& definition) const;
  const Window* find_table(const image::Definition& definition) const;
  // One per memory of the step's module, for compile_module.
  const std::vector<Placement>& placements(uint32_t step) const { return placements_[step]; }
  // All windows in the order of their numbers.
  const std::vector<image::Region>& regions() const { return regions_; }

 private:
  using Key = std::pair<uint32_t, uint32_t>;  // instance, index
  Result<Window> take(image::Region region, uint64_t stride);

  std::vector<image::Region> regions_;
  std::vector<std::vector<Placement>> placements_;
  std::map<Key, Window> memories_;
  std::map<Key, Window> tables_;
  uint64_t next_high_ = guest_abi::kHighWindows;
};

}  // namespace mayfly::compiler
