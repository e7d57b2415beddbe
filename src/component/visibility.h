// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which types have a name outside of a component (Explainer.md #external-visibility-of-types):
// records, variants, enumerations, flags and resources need one to be used in an import or export.
#pragma once

#include <cstdint>
#include <unordered_set>

#include "base/result.h"
#include "component/type_arena.h"

namespace mayfly::component {

enum class Direction : uint8_t { kImport, kExport };

class Visibility {
 public:
  // Whether something of this type may be imported or exported; from then on the types that it
  // names have names. Errors: kLimit.
  Result<bool> admit(TypeArena& arena, EntityType type, Direction direction, uint64_t offset);

 private:
  using Set = std::unordered_set<TypeId>;
  Set importable_;
  Set exportable_;  // holds all that is importable
};

}  // namespace mayfly::component
