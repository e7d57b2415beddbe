// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// definitions.py: lift_flat_values, lift_flat, load.
#include "component/host_lift.h"

#include <bit>
#include <cmath>
#include <string>

#include "base/check.h"
#include "component/value_parts.h"

namespace mayfly::component {
namespace {

// Flat values in their order.
struct Slots {
  std::span<const uint64_t> values;
  size_t next = 0;
  uint64_t take() { return values[next++]; }
  uint32_t take32() { return static_cast<uint32_t>(take()); }
};

class Lifter {
 public:
  Lifter(const TypeArena& types, std::span<const uint8_t> memory, uint64_t host_bytes)
      : types_(types), reader_(memory, host_bytes) {}

  detail::TransferReader& reader() { return reader_; }
  Result<ComponentValue> lift_flat(ValType type, Slots& slots);
  // Precondition: the value's bytes are in the memory, aligned.
  Result<ComponentValue> load(ValType type, uint64_t address);

 private:
  // From one word, of memory or a flat value: what is above the type's own bits does not count.
  Result<ComponentValue> from_word(ValType type, uint64_t word);
  Result<ComponentValue> from_prim(Prim prim, uint64_t word);
  Result<ComponentValue> from_flags(TypeId type, uint64_t word);
  Result<ComponentValue> load_list(TypeId type, uint32_t address, uint32_t length);
  Result<ComponentValue> load_elements(TypeId type, uint64_t address, uint32_t length);
  Result<ComponentValue> load_tuple(std::span<const Member> members, uint64_t address);
  Result<ComponentValue> load_string(uint32_t address, uint32_t length);
  // `part` makes a member's value from its type.
  template <typename Part>
  Result<std::vector<ComponentValue>> items_of(std::span<const Member> members, Part part);
  template <typename Part>
  Result<ComponentValue> record_of(TypeId type, Part part);
  template <typename Part>
  Result<ComponentValue> case_of(TypeId type, uint32_t index, Part part);

  const TypeArena& types_;
  detail::TransferReader reader_;
};

// What the host keeps of a name.
uint64_t name_bytes(std::string_view name) { return sizeof(ComponentValue) + name.size(); }

// Lists of these are one array.
template <typename Visit>
Result<ComponentValue> visit_numbers(Prim prim, Visit visit) {
  switch (prim) {
    case Prim::kS8:
      return visit(int8_t{});
    case Prim::kU8:
      return visit(uint8_t{});
    case Prim::kS16:
      return visit(int16_t{});
    case Prim::kU16:
      return visit(uint16_t{});
    case Prim::kS32:
      return visit(int32_t{});
    case Prim::kU32:
      return visit(uint32_t{});
    case Prim::kS64:
      return visit(int64_t{});
    case Prim::kU64:
      return visit(uint64_t{});
    case Prim::kF32:
      return visit(float{});
    default:
      return visit(double{});
  }
}

bool is_number(ValType type) {
  return type.is_prim() && type.prim() >= Prim::kS8 && type.prim() <= Prim::kF64;
}

Result<ComponentValue> Lifter::from_prim(Prim prim, uint64_t word) {
  switch (prim) {
    case Prim::kBool:
      return ComponentValue(word != 0);
    case Prim::kF32: {
      const auto bits = static_cast<uint32_t>(word);
      const bool is_nan = std::isnan(std::bit_cast<float>(bits));
      return ComponentValue::of_bits(ComponentKind::kF32, is_nan ? detail::kNan32 : bits);
    }
    case Prim::kF64: {
      const bool is_nan = std::isnan(std::bit_cast<double>(word));
      return ComponentValue::of_bits(ComponentKind::kF64, is_nan ? detail::kNan64 : word);
    }
    case Prim::kChar:
      return ComponentValue(MAYFLY_TRY(detail::to_char(static_cast<uint32_t>(word))));
    case Prim::kString:
    case Prim::kErrorContext:
      return unsupported("values of type " + std::string(to_string(prim)) + " are not supported");
    default:
      return visit_numbers(prim, [&]<typename T>(T) -> Result<ComponentValue> {
        return ComponentValue(static_cast<T>(word));
      });
  }
}

Result<ComponentValue> Lifter::from_flags(TypeId type, uint64_t word) {
  std::vector<std::string> names;
  const auto labels = types_.members(type);
  for (size_t i = 0; i < labels.size(); ++i) {
    if ((word >> i & 1) == 0) continue;
    const std::string_view label = types_.text(labels[i].label);
    MAYFLY_TRY(reader_.charge(name_bytes(label)));
    names.emplace_back(label);
  }
  return ComponentValue::flags(std::move(names));
}

Result<ComponentValue> Lifter::from_word(ValType type, uint64_t word) {
  if (type.is_prim()) return from_prim(type.prim(), word);
  switch (types_.kind(type.type())) {
    case TypeKind::kFlags:
      return from_flags(type.type(), word);
    case TypeKind::kOwn:
      return ComponentValue::own(static_cast<uint32_t>(word));
    case TypeKind::kBorrow:
      return ComponentValue::borrow(static_cast<uint32_t>(word));
    default:
      return unsupported("values of type " + std::string(to_string(types_.kind(type.type()))) +
                         " are not supported");
  }
}

Result<ComponentValue> Lifter::load_string(uint32_t address, uint32_t length) {
  return ComponentValue(MAYFLY_TRY(reader_.string(address, length)));
}

template <typename Part>
Result<std::vector<ComponentValue>> Lifter::items_of(std::span<const Member> members, Part part) {
  MAYFLY_TRY(reader_.charge(members.size() * sizeof(ComponentValue)));
  std::vector<ComponentValue> items;
  items.reserve(members.size());
  for (const Member& member : members) items.push_back(MAYFLY_TRY(part(member.type)));
  return items;
}

template <typename Part>
Result<ComponentValue> Lifter::record_of(TypeId type, Part part) {
  const auto members = types_.members(type);
  MAYFLY_TRY(reader_.charge(members.size() * sizeof(ComponentValue::Field)));
  std::vector<ComponentValue::Field> fields;
  fields.reserve(members.size());
  for (const Member& member : members) {
    const std::string_view label = types_.text(member.label);
    MAYFLY_TRY(reader_.charge(label.size()));
    ComponentValue value = MAYFLY_TRY(part(member.type));
    fields.push_back({std::string(label), std::move(value)});
  }
  return ComponentValue::record(std::move(fields));
}

template <typename Part>
Result<ComponentValue> Lifter::case_of(TypeId type, uint32_t index, Part part) {
  const size_t cases = case_count(types_, type);
  if (index >= cases) {
    return invalid("discriminant " + std::to_string(index) + " of a type with " +
                   std::to_string(cases) + " cases");
  }
  const auto members = types_.members(type);
  const TypeKind kind = types_.kind(type);
  MAYFLY_TRY(reader_.charge(2 * sizeof(ComponentValue)));
  if (kind == TypeKind::kOption) {
    if (index == 0) return ComponentValue::none();
    return ComponentValue::some(MAYFLY_TRY(part(members[0].type)));
  }
  const Member& member = members[index];
  if (kind == TypeKind::kResult) {
    if (!member.type.exists()) return index == 0 ? ComponentValue::ok() : ComponentValue::error();
    ComponentValue payload = MAYFLY_TRY(part(member.type));
    return index == 0 ? ComponentValue::ok(std::move(payload))
                      : ComponentValue::error(std::move(payload));
  }
  std::string name(types_.text(member.label));
  MAYFLY_TRY(reader_.charge(name.size()));
  ComponentValue value;
  if (kind == TypeKind::kEnum) {
    value = ComponentValue::enumeration(std::move(name));
  } else if (member.type.exists()) {
    value = ComponentValue::variant(std::move(name), MAYFLY_TRY(part(member.type)));
  } else {
    value = ComponentValue::variant(std::move(name));
  }
  value.set_position(index);
  return value;
}

Result<ComponentValue> Lifter::load_list(TypeId type, uint32_t address, uint32_t length) {
  const auto members = types_.members(type);
  const ValType element = types_.canonical(members[0].type);
  if (types_.kind(type) == TypeKind::kList && is_number(element)) {
    return visit_numbers(element.prim(), [&]<typename T>(T) -> Result<ComponentValue> {
      return ComponentValue::list(MAYFLY_TRY(reader_.numbers<T>(address, length)));
    });
  }
  const Layout layout = element_layout(types_, type);
  MAYFLY_TRY(reader_.check_list(address, length, layout.size, layout.alignment));
  return load_elements(type, address, length);
}

Result<ComponentValue> Lifter::load_elements(TypeId type, uint64_t address, uint32_t length) {
  const auto members = types_.members(type);
  const bool is_map = types_.kind(type) == TypeKind::kMap;
  const uint64_t size = element_layout(types_, type).size;
  MAYFLY_TRY(reader_.charge(length * sizeof(ComponentValue)));
  std::vector<ComponentValue> items;
  items.reserve(length);
  for (uint32_t i = 0; i < length; ++i, address += size) {
    auto item = is_map ? load_tuple(members, address) : load(members[0].type, address);
    items.push_back(MAYFLY_TRY(std::move(item)));
  }
  return ComponentValue::list(std::move(items));
}

Result<ComponentValue> Lifter::load_tuple(std::span<const Member> members, uint64_t address) {
  return ComponentValue::tuple(
      MAYFLY_TRY(items_of(members, [&](ValType member) -> Result<ComponentValue> {
        const Layout& layout = layout_of(types_, member);
        const uint64_t at = align_to(address, layout.alignment);
        address = at + layout.size;
        return load(member, at);
      })));
}

Result<ComponentValue> Lifter::load(ValType type, uint64_t address) {
  type = types_.canonical(type);
  const Layout& layout = layout_of(types_, type);
  if (type.is_prim() && type.prim() == Prim::kString) {
    const auto begin = reader_.load<uint32_t>(address);
    return load_string(begin, reader_.load<uint32_t>(address + 4));
  }
  if (type.is_prim()) return from_word(type, reader_.load_word(address, layout.size));
  const TypeId node = type.type();
  switch (types_.kind(node)) {
    case TypeKind::kList:
    case TypeKind::kMap: {
      const auto begin = reader_.load<uint32_t>(address);
      return load_list(node, begin, reader_.load<uint32_t>(address + 4));
    }
    case TypeKind::kFixedList:
      return load_elements(node, address, types_.extra(node));
    case TypeKind::kTuple:
      return load_tuple(types_.members(node), address);
    case TypeKind::kRecord:
      return record_of(node, [&](ValType member) -> Result<ComponentValue> {
        const Layout& part = layout_of(types_, member);
        const uint64_t at = align_to(address, part.alignment);
        address = at + part.size;
        return load(member, at);
      });
    case TypeKind::kVariant:
    case TypeKind::kEnum:
    case TypeKind::kOption:
    case TypeKind::kResult: {
      const uint64_t index =
          reader_.load_word(address, discriminant_bytes(case_count(types_, node)));
      return case_of(node, static_cast<uint32_t>(index), [&](ValType payload) {
        return load(payload, address + layout.payload_offset);
      });
    }
    default:
      return from_word(type, reader_.load_word(address, layout.size));
  }
}

Result<ComponentValue> Lifter::lift_flat(ValType type, Slots& slots) {
  type = types_.canonical(type);
  const Layout& layout = layout_of(types_, type);
  const auto part = [&](ValType member) { return lift_flat(member, slots); };
  if (type.is_prim() && type.prim() == Prim::kString) {
    const uint32_t begin = slots.take32();
    return load_string(begin, slots.take32());
  }
  const TypeId node = type.is_node() ? type.type() : TypeId{};
  switch (type.is_node() ? types_.kind(node) : TypeKind::kPrim) {
    case TypeKind::kList:
    case TypeKind::kMap: {
      const uint32_t begin = slots.take32();
      return load_list(node, begin, slots.take32());
    }
    case TypeKind::kFixedList: {
      const std::vector<Member> members(types_.extra(node), types_.members(node)[0]);
      return ComponentValue::list(MAYFLY_TRY(items_of(members, part)));
    }
    case TypeKind::kTuple:
      return ComponentValue::tuple(MAYFLY_TRY(items_of(types_.members(node), part)));
    case TypeKind::kRecord:
      return record_of(node, part);
    case TypeKind::kVariant:
    case TypeKind::kEnum:
    case TypeKind::kOption:
    case TypeKind::kResult: {
      const size_t end = slots.next + layout.flat.size();
      ComponentValue value = MAYFLY_TRY(case_of(node, slots.take32(), part));
      slots.next = end;
      return value;
    }
    default: {
      const bool is_wide =
          layout.flat.values()[0] == Flat::kI64 || layout.flat.values()[0] == Flat::kF64;
      return from_word(type, is_wide ? slots.take() : slots.take32());
    }
  }
}

}  // namespace

Result<std::vector<ComponentValue>> lift_values(const TypeArena& types,
                                                std::span<const ValType> given, ValueRole role,
                                                std::span<const uint64_t> slots,
                                                std::span<const uint8_t> memory,
                                                uint64_t lifted_bytes_max) {
  Lifter lifter(types, memory, lifted_bytes_max);
  const Layout tuple = tuple_layout(types, given);
  const bool is_flat = tuple.flat.size() <= flat_max(role);
  CHECK(slots.size() >= (is_flat ? tuple.flat.size() : 1), slots.size());
  Slots left{slots};
  uint64_t address = is_flat ? 0 : left.take32();
  if (!is_flat) {
    const std::string_view what = role == ValueRole::kArgument ? "parameters" : "results";
    MAYFLY_TRY(lifter.reader().check(what, address, tuple.size, tuple.alignment));
  }
  std::vector<ComponentValue> values;
  values.reserve(given.size());
  for (const ValType type : given) {
    const Layout& layout = layout_of(types, type);
    address = align_to(address, layout.alignment);
    values.push_back(
        MAYFLY_TRY(is_flat ? lifter.lift_flat(type, left) : lifter.load(type, address)));
    address += layout.size;
  }
  return values;
}

}  // namespace mayfly::component
