// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Strings, lists and maps: contents in memory of their own.
#include <vector>

#include "linker/value_adapter.h"

namespace mayfly::linker {
namespace {

using component::Prim;
using component::TypeId;
using component::TypeKind;
using component::ValType;
using guest_abi::ComponentTrap;

constexpr uint64_t kListBytesMax = (uint64_t{1} << 28) - 1;

}  // namespace

// Whether every pattern of bytes is a value, and each byte counts: a copy of the bytes will do.
bool ValueAdapter::is_plain(ValType type) const {
  if (type.is_prim()) {
    switch (type.prim()) {
      case Prim::kBool:
      case Prim::kChar:
      case Prim::kString:
      case Prim::kErrorContext:
        return false;
      default:
        return true;
    }
  }
  const component::TypeArena& types = direction_.types;
  const TypeKind kind = types.kind(type.type());
  if (kind != TypeKind::kRecord && kind != TypeKind::kTuple && kind != TypeKind::kPrim &&
      kind != TypeKind::kFixedList) {
    return false;
  }
  uint64_t bytes = 0;
  for (const component::Member& member : types.members(type.type())) {
    if (!is_plain(member.type)) return false;
    bytes += layout(member.type).size;
  }
  // No padding: it may hold what the other side must not see.
  return kind == TypeKind::kFixedList || bytes == layout(type).size;
}

void ValueAdapter::copy_string(const Place& from, const Place& to) {
  const uint32_t pointer = code_.add_local(Flat::kI32);
  const uint32_t length = code_.add_local(Flat::kI32);
  load(from, Op::kI32Load, Flat::kI32);
  load(from.after(4, 1), Op::kI32Load, Flat::kI32);
  code_.call(direction_.module.string_copy(direction_.from, direction_.to));
  code_.set(length).set(pointer);
  store_pair(to, pointer, length);
}

// Of so many elements; the pointers' locals move.
Result<void> ValueAdapter::copy_elements(std::span<const ValType> element, uint32_t from,
                                         uint32_t to, uint32_t count) {
  const auto size = static_cast<uint32_t>(record(element).size);
  const CodeWriter::Label done = code_.block();
  const CodeWriter::Label next = code_.loop();
  code_.get(count).op(Op::kI32Eqz).br_if(done);
  MAYFLY_TRY(copy_record(element, Place::memory(from, 0), Place::memory(to, 0)));
  code_.get(from).i32(size).op(Op::kI32Add).set(from);
  code_.get(to).i32(size).op(Op::kI32Add).set(to);
  code_.get(count).i32(1).op(Op::kI32Sub).set(count);
  code_.br(next).end().end();
  return {};
}

Result<void> ValueAdapter::copy_list(std::span<const ValType> element, const Place& from,
                                     const Place& to) {
  AdapterModule& module = direction_.module;
  const component::Layout layout_of_element = record(element);
  const uint32_t alignment = layout_of_element.alignment;
  const uint32_t source = load_to_local(from, Op::kI32Load);
  const uint32_t count = load_to_local(from.after(4, 1), Op::kI32Load);
  const uint32_t bytes = code_.add_local(Flat::kI64);
  const uint32_t target = code_.add_local(Flat::kI32);
  code_.get(count).op(Op::kI64ExtendI32U).i64(layout_of_element.size).op(Op::kI64Mul).tee(bytes);
  code_.i64(kListBytesMax).op(Op::kI64GtU);
  module.trap_if(code_, ComponentTrap::kListTooLong);
  code_.get(source)
      .get(bytes)
      .i32(alignment - 1)
      .call(module.range_check(direction_.from, ComponentTrap::kListOutOfBounds));
  code_.i32(0).i32(0).i32(alignment).get(bytes).op(Op::kI32WrapI64);
  code_.call(module.allocate(direction_.to)).set(target);
  store_pair(to, target, count);
  if (element.size() == 1 && is_plain(element[0])) {
    code_.get(target).get(source).get(bytes).op(Op::kI32WrapI64);
    code_.memory_copy(module.memory_of(direction_.to), module.memory_of(direction_.from));
    return {};
  }
  return copy_elements(element, source, target, count);
}

Result<void> ValueAdapter::copy_fixed_list(TypeId type, const Place& from, const Place& to) {
  const ValType element = direction_.types.members(type)[0].type;
  const uint32_t length = direction_.types.extra(type);
  const component::Layout& one = layout(element);
  if (!from.in_memory || !to.in_memory) {
    for (uint32_t i = 0; i < length; ++i) {
      const size_t flats = i * one.flat.size();
      MAYFLY_TRY(copy(element, from.after(i * one.size, from.in_memory ? 0 : flats),
                      to.after(i * one.size, to.in_memory ? 0 : flats)));
    }
    return {};
  }
  const uint32_t source = code_.add_local(Flat::kI32);
  const uint32_t target = code_.add_local(Flat::kI32);
  const uint32_t count = code_.add_local(Flat::kI32);
  code_.get(from.pointer).i32(from.offset).op(Op::kI32Add).set(source);
  code_.get(to.pointer).i32(to.offset).op(Op::kI32Add).set(target);
  code_.i32(length).set(count);
  return copy_elements({&element, 1}, source, target, count);
}

}  // namespace mayfly::linker
