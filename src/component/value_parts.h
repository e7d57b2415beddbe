// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which part of a ComponentValue belongs to which part of its type.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "component/host_values.h"
#include "component/type_arena.h"
#include "mayfly/component_value.h"

namespace mayfly::component {

// The kind that the values of a type have; streams, futures and error contexts have none.
std::optional<ComponentKind> kind_of(const TypeArena& types, ValType type);

// A record's value for the field at `index`: where it stands in the type, or else anywhere.
// nullptr when it is missing.
const ComponentValue* field_value(std::span<const ComponentValue::Field> fields, size_t index,
                                  std::string_view label);

// The case that a value of a variant, enum, option or result is of; kNoIndex when its type has no
// such case.
struct ChosenCase {
  uint32_t index = kNoIndex;
  ValType type;
  const ComponentValue* payload = nullptr;
};
ChosenCase choose(const TypeArena& types, TypeId type, const ComponentValue& value);

// The number of the member with that label; kNoIndex when there is none.
uint32_t find_label(const TypeArena& types, std::span<const Member> members,
                    std::string_view label);

// Layout of a list's elements; a map's are tuples of key and value.
Layout element_layout(const TypeArena& types, TypeId list);

}  // namespace mayfly::component
