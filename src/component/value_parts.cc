// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lookups by name, each with a guess first: values that come from a component have their parts in
// the order of the type.
#include "component/value_parts.h"

namespace mayfly::component {
namespace {

static_assert(static_cast<int>(Prim::kString) == static_cast<int>(ComponentKind::kString));
static_assert(static_cast<int>(Prim::kF64) == static_cast<int>(ComponentKind::kF64));

uint32_t find_case(const TypeArena& types, std::span<const Member> cases,
                   const ComponentValue& value) {
  const uint32_t guess = value.position();
  if (guess < cases.size() && types.text(cases[guess].label) == value.text()) return guess;
  return find_label(types, cases, value.text());
}

}  // namespace

uint32_t find_label(const TypeArena& types, std::span<const Member> members,
                    std::string_view label) {
  for (uint32_t i = 0; i < members.size(); ++i) {
    if (types.text(members[i].label) == label) return i;
  }
  return kNoIndex;
}

std::optional<ComponentKind> kind_of(const TypeArena& types, ValType type) {
  if (type.is_prim()) {
    // The primitives stand in the same order, up to the string.
    if (type.prim() == Prim::kErrorContext) return std::nullopt;
    return static_cast<ComponentKind>(type.prim());
  }
  switch (types.kind(type.type())) {
    case TypeKind::kRecord:
      return ComponentKind::kRecord;
    case TypeKind::kVariant:
      return ComponentKind::kVariant;
    case TypeKind::kList:
    case TypeKind::kFixedList:
    case TypeKind::kMap:
      return ComponentKind::kList;
    case TypeKind::kTuple:
      return ComponentKind::kTuple;
    case TypeKind::kFlags:
      return ComponentKind::kFlags;
    case TypeKind::kEnum:
      return ComponentKind::kEnum;
    case TypeKind::kOption:
      return ComponentKind::kOption;
    case TypeKind::kResult:
      return ComponentKind::kResult;
    case TypeKind::kOwn:
      return ComponentKind::kOwn;
    case TypeKind::kBorrow:
      return ComponentKind::kBorrow;
    default:
      return std::nullopt;
  }
}
const ComponentValue* field_value(std::span<const ComponentValue::Field> fields, size_t index,
                                  std::string_view label) {
  if (index < fields.size() && fields[index].name == label) return &fields[index].value;
  for (const ComponentValue::Field& field : fields) {
    if (field.name == label) return &field.value;
  }
  return nullptr;
}

ChosenCase choose(const TypeArena& types, TypeId type, const ComponentValue& value) {
  const auto members = types.members(type);
  ChosenCase chosen;
  chosen.payload = value.payload();
  switch (types.kind(type)) {
    case TypeKind::kOption:
      chosen.index = chosen.payload != nullptr ? 1 : 0;
      if (chosen.index == 1) chosen.type = members[0].type;
      break;
    case TypeKind::kResult:
      chosen.index = value.is_ok() ? 0 : 1;
      chosen.type = members[chosen.index].type;
      break;
    default:
      chosen.index = find_case(types, members, value);
      if (chosen.index != kNoIndex) chosen.type = members[chosen.index].type;
  }
  return chosen;
}

Layout element_layout(const TypeArena& types, TypeId list) {
  if (types.kind(list) == TypeKind::kMap) return tuple_layout(types, types.members(list));
  return layout_of(types, types.members(list)[0].type);
}

}  // namespace mayfly::component
