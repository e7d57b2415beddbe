// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layouts of tuples that have no node of their own: parameters, entries of maps.
#include "component/host_values.h"

namespace mayfly::component {

Layout tuple_layout(const TypeArena& types, std::span<const ValType> fields) {
  std::vector<Layout> parts;
  parts.reserve(fields.size());
  for (const ValType field : fields) parts.push_back(layout_of(types, field));
  return record_layout(parts);
}

Layout tuple_layout(const TypeArena& types, std::span<const Member> fields) {
  std::vector<Layout> parts;
  parts.reserve(fields.size());
  for (const Member& field : fields) parts.push_back(layout_of(types, field.type));
  return record_layout(parts);
}

size_t case_count(const TypeArena& types, TypeId type) {
  return types.kind(type) == TypeKind::kOption ? 2 : types.members(type).size();
}

}  // namespace mayfly::component
