// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// definitions.py: lower_flat_values, lower_flat, store. Lists and strings are visited in the order
// of lowered_bytes(), so both agree about addresses.
#include "component/host_lower.h"

#include <string>

#include "base/check.h"
#include "component/value_parts.h"

namespace mayfly::component {
namespace {

// Writes values that lowered_bytes() has accepted.
class Lowerer {
 public:
  Lowerer(const TypeArena& types, std::span<uint8_t> area, uint32_t base)
      : types_(types), writer_(area, base) {}

  detail::TransferWriter& writer() { return writer_; }
  const FlatValues& flat() const { return flat_; }
  FlatValues& flat() { return flat_; }
  void lower_flat(ValType type, const ComponentValue& value);
  void store(ValType type, const ComponentValue& value, uint32_t address);

 private:
  struct Range {
    uint32_t address = 0;
    uint32_t length = 0;
  };
  Range store_list(TypeId type, const ComponentValue& value);
  Range store_string(std::string_view text);
  void store_elements(TypeId type, const ComponentValue& value, const Layout& element,
                      uint32_t address);
  void store_tuple(std::span<const Member> members, const ComponentValue& tuple, uint32_t address);
  void store_record(TypeId type, const ComponentValue& value, uint32_t address);
  void store_case(TypeId type, const ComponentValue& value, uint32_t address);
  uint64_t pack_flags(TypeId type, const ComponentValue& value) const;
  void lower_flat_node(TypeId type, const ComponentValue& value);
  void lower_flat_case(TypeId type, const ComponentValue& value);
  void push_range(Range range) {
    flat_.push(range.address);
    flat_.push(range.length);
  }
  void store_range(Range range, uint32_t address) {
    writer_.store<uint32_t>(address, range.address);
    writer_.store<uint32_t>(address + 4, range.length);
  }

  const TypeArena& types_;
  detail::TransferWriter writer_;
  FlatValues flat_;
};

Lowerer::Range Lowerer::store_string(std::string_view text) {
  const uint32_t address = writer_.allocate(text.size(), 1);
  writer_.store_bytes(address, text.data(), text.size());
  return {address, static_cast<uint32_t>(text.size())};
}

Lowerer::Range Lowerer::store_list(TypeId type, const ComponentValue& value) {
  const Layout element = element_layout(types_, type);
  const uint32_t address = writer_.allocate(value.size() * element.size, element.alignment);
  store_elements(type, value, element, address);
  return {address, static_cast<uint32_t>(value.size())};
}

void Lowerer::store_elements(TypeId type, const ComponentValue& value, const Layout& element,
                             uint32_t address) {
  const auto numbers = value.number_bytes();
  writer_.store_bytes(address, numbers.data(), numbers.size());
  const auto members = types_.members(type);
  const bool is_map = types_.kind(type) == TypeKind::kMap;
  for (const ComponentValue& item : value.items()) {
    if (is_map) {
      store_tuple(members, item, address);
    } else {
      store(members[0].type, item, address);
    }
    address += static_cast<uint32_t>(element.size);
  }
}

void Lowerer::store_tuple(std::span<const Member> members, const ComponentValue& tuple,
                          uint32_t address) {
  const auto items = tuple.items();
  for (size_t i = 0; i < members.size(); ++i) {
    const Layout& layout = layout_of(types_, members[i].type);
    address = static_cast<uint32_t>(align_to(address, layout.alignment));
    store(members[i].type, items[i], address);
    address += static_cast<uint32_t>(layout.size);
  }
}

void Lowerer::store_record(TypeId type, const ComponentValue& value, uint32_t address) {
  const auto members = types_.members(type);
  for (size_t i = 0; i < members.size(); ++i) {
    const Layout& layout = layout_of(types_, members[i].type);
    address = static_cast<uint32_t>(align_to(address, layout.alignment));
    store(members[i].type, *field_value(value.fields(), i, types_.text(members[i].label)), address);
    address += static_cast<uint32_t>(layout.size);
  }
}

void Lowerer::store_case(TypeId type, const ComponentValue& value, uint32_t address) {
  const ChosenCase chosen = choose(types_, type, value);
  writer_.store_word(address, chosen.index, discriminant_bytes(case_count(types_, type)));
  if (!chosen.type.exists()) return;
  store(chosen.type, *chosen.payload,
        address + layout_of(types_, ValType::of(type)).payload_offset);
}

uint64_t Lowerer::pack_flags(TypeId type, const ComponentValue& value) const {
  uint64_t word = 0;
  for (const std::string& name : value.flag_names()) {
    word |= uint64_t{1} << find_label(types_, types_.members(type), name);
  }
  return word;
}

void Lowerer::store(ValType type, const ComponentValue& value, uint32_t address) {
  type = types_.canonical(type);
  switch (value.kind()) {
    case ComponentKind::kString:
      store_range(store_string(value.text()), address);
      break;
    case ComponentKind::kList:
      if (types_.kind(type.type()) == TypeKind::kFixedList) {
        store_elements(type.type(), value, element_layout(types_, type.type()), address);
      } else {
        store_range(store_list(type.type(), value), address);
      }
      break;
    case ComponentKind::kTuple:
      store_tuple(types_.members(type.type()), value, address);
      break;
    case ComponentKind::kRecord:
      store_record(type.type(), value, address);
      break;
    case ComponentKind::kFlags:
      writer_.store_word(address, pack_flags(type.type(), value), layout_of(types_, type).size);
      break;
    case ComponentKind::kVariant:
    case ComponentKind::kEnum:
    case ComponentKind::kOption:
    case ComponentKind::kResult:
      store_case(type.type(), value, address);
      break;
    default:
      writer_.store_word(address, value.bits(), layout_of(types_, type).size);
  }
}

void Lowerer::lower_flat(ValType type, const ComponentValue& value) {
  type = types_.canonical(type);
  if (type.is_node()) {
    lower_flat_node(type.type(), value);
  } else if (value.kind() == ComponentKind::kString) {
    push_range(store_string(value.text()));
  } else if (type.prim() == Prim::kS64 || type.prim() == Prim::kU64 || type.prim() == Prim::kF64) {
    flat_.push(value.bits());
  } else {
    flat_.push(static_cast<uint32_t>(value.bits()));
  }
}

void Lowerer::lower_flat_node(TypeId type, const ComponentValue& value) {
  const auto members = types_.members(type);
  switch (types_.kind(type)) {
    case TypeKind::kList:
    case TypeKind::kMap:
      push_range(store_list(type, value));
      break;
    case TypeKind::kFixedList:
      for (size_t i = 0; i < value.size(); ++i) lower_flat(members[0].type, value.item(i));
      break;
    case TypeKind::kTuple:
      for (size_t i = 0; i < members.size(); ++i) lower_flat(members[i].type, value.items()[i]);
      break;
    case TypeKind::kRecord:
      for (size_t i = 0; i < members.size(); ++i) {
        lower_flat(members[i].type, *field_value(value.fields(), i, types_.text(members[i].label)));
      }
      break;
    case TypeKind::kFlags:
      flat_.push(pack_flags(type, value));
      break;
    case TypeKind::kOwn:
    case TypeKind::kBorrow:
      flat_.push(value.handle());
      break;
    default:
      lower_flat_case(type, value);
  }
}

void Lowerer::lower_flat_case(TypeId type, const ComponentValue& value) {
  const uint32_t end = flat_.size() + layout_of(types_, ValType::of(type)).flat.size();
  const ChosenCase chosen = choose(types_, type, value);
  flat_.push(chosen.index);
  if (chosen.type.exists()) lower_flat(chosen.type, *chosen.payload);
  while (flat_.size() < end) flat_.push(0);
}

}  // namespace

FlatValues lower_values(const TypeArena& types, std::span<const ValType> wanted,
                        std::span<const ComponentValue> values, ValueRole role, uint32_t base,
                        std::span<uint8_t> area) {
  CHECK(wanted.size() == values.size(), wanted.size(), values.size());
  CHECK(base % detail::kTransferAlignment == 0, base);
  CHECK(area.size() <= UINT32_MAX - base, area.size(), base);
  Lowerer lowerer(types, area, base);
  const Layout tuple = tuple_layout(types, wanted);
  if (tuple.flat.size() <= flat_max(role)) {
    for (size_t i = 0; i < values.size(); ++i) lowerer.lower_flat(wanted[i], values[i]);
    return lowerer.flat();
  }
  uint32_t address = lowerer.writer().allocate(tuple.size, tuple.alignment);
  lowerer.flat().push(address);
  for (size_t i = 0; i < values.size(); ++i) {
    const Layout& layout = layout_of(types, wanted[i]);
    address = static_cast<uint32_t>(align_to(address, layout.alignment));
    lowerer.store(wanted[i], values[i], address);
    address += static_cast<uint32_t>(layout.size);
  }
  return lowerer.flat();
}

}  // namespace mayfly::component
