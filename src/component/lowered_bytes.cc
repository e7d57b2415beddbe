// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whether values are of their types, and how much memory they need: the first walk of lowering.
#include <string>

#include "component/host_lower.h"
#include "component/value_parts.h"

namespace mayfly::component {
namespace {

using detail::kListBytesMax;

std::string_view type_word(const TypeArena& types, ValType type) {
  return type.is_prim() ? to_string(type.prim()) : to_string(types.kind(type.type()));
}

Error wrong_type(const TypeArena& types, ValType type, const ComponentValue& value) {
  return invalid("expected " + std::string(type_word(types, type)) + ", got " +
                 std::string(to_string(value.kind())));
}

std::string quoted(std::string_view name) { return '"' + std::string(name) + '"'; }

// Checks types and adds up sizes.
class Measure {
 public:
  explicit Measure(const TypeArena& types) : types_(types) {}

  uint64_t allocate(uint64_t bytes, uint32_t alignment) { return size_.allocate(bytes, alignment); }
  uint64_t bytes() const { return size_.bytes(); }
  Result<void> add(ValType type, const ComponentValue& value);

 private:
  Result<void> add_string(const ComponentValue& value);
  Result<void> add_list(TypeId type, const ComponentValue& value);
  Result<void> add_record(TypeId type, const ComponentValue& value);
  Result<void> add_tuple(std::span<const Member> members, const ComponentValue& value);
  Result<void> add_case(TypeId type, const ComponentValue& value);
  Result<void> add_flags(TypeId type, const ComponentValue& value);

  const TypeArena& types_;
  detail::TransferSize size_;
};

Result<void> Measure::add(ValType type, const ComponentValue& value) {
  type = types_.canonical(type);
  if (kind_of(types_, type) != value.kind()) return wrong_type(types_, type, value);
  switch (value.kind()) {
    case ComponentKind::kString:
      return add_string(value);
    case ComponentKind::kChar:
      if (auto found = detail::to_char(static_cast<uint32_t>(value.bits())); !found) {
        return std::move(found).error();
      }
      return {};
    case ComponentKind::kList:
      return add_list(type.type(), value);
    case ComponentKind::kTuple:
      return add_tuple(types_.members(type.type()), value);
    case ComponentKind::kRecord:
      return add_record(type.type(), value);
    case ComponentKind::kFlags:
      return add_flags(type.type(), value);
    case ComponentKind::kVariant:
    case ComponentKind::kEnum:
    case ComponentKind::kOption:
    case ComponentKind::kResult:
      return add_case(type.type(), value);
    default:
      return {};
  }
}

Result<void> Measure::add_string(const ComponentValue& value) {
  const std::string_view text = value.text();
  if (text.size() > kListBytesMax) {
    return limit("string of " + std::to_string(text.size()) + " bytes is longer than " +
                 std::to_string(kListBytesMax));
  }
  if (!detail::is_utf8(text)) return invalid("string is not UTF-8");
  allocate(text.size(), 1);
  return {};
}

Result<void> Measure::add_list(TypeId type, const ComponentValue& value) {
  const auto members = types_.members(type);
  const bool is_map = types_.kind(type) == TypeKind::kMap;
  if (types_.kind(type) == TypeKind::kFixedList) {
    if (value.size() != types_.extra(type)) {
      return invalid("expected a list of " + std::to_string(types_.extra(type)) +
                     " elements, got " + std::to_string(value.size()));
    }
  } else {
    const Layout element = element_layout(types_, type);
    if (value.size() > kListBytesMax / element.size) {
      return limit("list of " + std::to_string(value.size()) + " elements of " +
                   std::to_string(element.size) + " bytes is longer than " +
                   std::to_string(kListBytesMax) + " bytes");
    }
    allocate(value.size() * element.size, element.alignment);
  }
  if (value.number_kind() != ComponentKind::kList) {
    const ValType element = types_.canonical(members[0].type);
    if (value.size() == 0) return {};
    if (!is_map && kind_of(types_, element) == value.number_kind()) return {};
    return with_context("list element 0", wrong_type(types_, element, value.item(0)));
  }
  const auto items = value.items();
  for (size_t i = 0; i < items.size(); ++i) {
    Result<void> added;
    if (!is_map) {
      added = add(members[0].type, items[i]);
    } else if (items[i].kind() != ComponentKind::kTuple) {
      added = invalid("expected tuple, got " + std::string(to_string(items[i].kind())));
    } else {
      added = add_tuple(members, items[i]);
    }
    if (!added) return with_context("list element " + std::to_string(i), added.error());
  }
  return {};
}

Result<void> Measure::add_record(TypeId type, const ComponentValue& value) {
  const auto members = types_.members(type);
  const auto fields = value.fields();
  for (size_t i = 0; i < members.size(); ++i) {
    const std::string_view label = types_.text(members[i].label);
    const ComponentValue* field = field_value(fields, i, label);
    if (field == nullptr) return invalid("record field " + quoted(label) + " is missing");
    if (Result<void> added = add(members[i].type, *field); !added) {
      return with_context("record field " + quoted(label), added.error());
    }
  }
  if (fields.size() != members.size()) {
    return invalid("expected a record of " + std::to_string(members.size()) + " fields, got " +
                   std::to_string(fields.size()));
  }
  return {};
}

Result<void> Measure::add_tuple(std::span<const Member> members, const ComponentValue& value) {
  const auto items = value.items();
  if (items.size() != members.size()) {
    return invalid("expected a tuple of " + std::to_string(members.size()) + " elements, got " +
                   std::to_string(items.size()));
  }
  for (size_t i = 0; i < items.size(); ++i) {
    if (Result<void> added = add(members[i].type, items[i]); !added) {
      return with_context("tuple element " + std::to_string(i), added.error());
    }
  }
  return {};
}

Result<void> Measure::add_case(TypeId type, const ComponentValue& value) {
  const std::string word(to_string(value.kind()));
  const ChosenCase chosen = choose(types_, type, value);
  if (chosen.index == kNoIndex) {
    return invalid(word + " has no case " + quoted(value.text()));
  }
  std::string name = word + " case " + quoted(value.text());
  if (value.kind() == ComponentKind::kOption) name = "option";
  if (value.kind() == ComponentKind::kResult) name = value.is_ok() ? "result ok" : "result error";
  if (chosen.payload == nullptr && chosen.type.exists()) {
    return invalid(name + " needs a value of type " + std::string(type_word(types_, chosen.type)));
  }
  if (chosen.payload == nullptr) return {};
  if (!chosen.type.exists()) {
    return invalid(name + " takes no value, got " + std::string(to_string(chosen.payload->kind())));
  }
  Result<void> added = add(chosen.type, *chosen.payload);
  return added ? Result<void>() : with_context(std::move(name), added.error());
}

Result<void> Measure::add_flags(TypeId type, const ComponentValue& value) {
  for (const std::string& name : value.flag_names()) {
    if (find_label(types_, types_.members(type), name) == kNoIndex)
      return invalid("there is no flag " + quoted(name));
  }
  return {};
}

std::string place(ValueRole role, size_t index) {
  return role == ValueRole::kArgument ? "argument " + std::to_string(index + 1) : "result";
}

}  // namespace

Result<uint64_t> lowered_bytes(const TypeArena& types, std::span<const ValType> wanted,
                               std::span<const ComponentValue> values, ValueRole role) {
  if (wanted.size() != values.size()) {
    return invalid("expected " + std::to_string(wanted.size()) +
                   (role == ValueRole::kArgument ? " arguments, got " : " results, got ") +
                   std::to_string(values.size()));
  }
  Measure measure(types);
  const Layout tuple = tuple_layout(types, wanted);
  if (tuple.flat.size() > flat_max(role)) measure.allocate(tuple.size, tuple.alignment);
  for (size_t i = 0; i < values.size(); ++i) {
    if (Result<void> added = measure.add(wanted[i], values[i]); !added) {
      return with_context(place(role, i), added.error());
    }
  }
  if (measure.bytes() > UINT32_MAX) {
    return limit("values of " + std::to_string(measure.bytes()) + " bytes do not fit into 4 GiB");
  }
  return measure.bytes();
}

}  // namespace mayfly::component
