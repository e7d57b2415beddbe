// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers, records, flags and handles; and which code is written where: a composite value that goes
// from memory to memory has a function of its own, once for each type, so that code grows with the
// types and not with what they expand to.
#include "linker/value_adapter.h"

#include <array>
#include <vector>

#include "base/check.h"

namespace mayfly::linker {

using component::Layout;
using component::Prim;
using component::PtrWidth;
using component::TypeId;
using component::TypeKind;
using component::ValType;
using guest_abi::ComponentTrap;

namespace {

// Of all adapters of one module. Flat variants inside variants multiply.
constexpr size_t kCodeBytesMax = size_t{64} << 20;

enum class Normalize : uint8_t { kNone, kBool, kU8, kU16, kS8, kS16, kChar };

}  // namespace

struct ValueAdapter::Scalar {
  Op load;
  Op store;
  Flat flat;
  Normalize normalize;
};

const Layout& ValueAdapter::layout(ValType type) const {
  return direction_.types.layouts(type).of(PtrWidth::k32);
}

Layout ValueAdapter::record(std::span<const ValType> fields) const {
  std::vector<Layout> layouts;
  for (const ValType field : fields) layouts.push_back(layout(field));
  return component::record_layout(layouts);
}

void ValueAdapter::coerce(Flat have, Flat want) {
  if (have == want) return;
  if (have == Flat::kI32 && want == Flat::kF32) {
    code_.op(Op::kF32ReinterpretI32);
  } else if (have == Flat::kI64 && want == Flat::kI32) {
    code_.op(Op::kI32WrapI64);
  } else if (have == Flat::kI64 && want == Flat::kF32) {
    code_.op(Op::kI32WrapI64).op(Op::kF32ReinterpretI32);
  } else if (have == Flat::kI64 && want == Flat::kF64) {
    code_.op(Op::kF64ReinterpretI64);
  } else if (have == Flat::kF32 && want == Flat::kI32) {
    code_.op(Op::kI32ReinterpretF32);
  } else if (have == Flat::kI32 && want == Flat::kI64) {
    code_.op(Op::kI64ExtendI32U);
  } else if (have == Flat::kF32 && want == Flat::kI64) {
    code_.op(Op::kI32ReinterpretF32).op(Op::kI64ExtendI32U);
  } else {
    CHECK(have == Flat::kF64 && want == Flat::kI64, static_cast<int>(have), static_cast<int>(want));
    code_.op(Op::kI64ReinterpretF64);
  }
}

void ValueAdapter::begin_store(const Place& to) {
  if (to.in_memory) code_.get(to.pointer);
}

void ValueAdapter::end_store(const Place& to, Op store, Flat flat) {
  if (to.in_memory) {
    code_.access(store, direction_.module.memory_of(direction_.to), to.offset);
    return;
  }
  coerce(flat, to.types.front());
  code_.set(to.locals.front());
}

void ValueAdapter::load(const Place& from, Op op, Flat flat) {
  if (from.in_memory) {
    code_.get(from.pointer);
    code_.access(op, direction_.module.memory_of(direction_.from), from.offset);
    return;
  }
  code_.get(from.locals.front());
  coerce(from.types.front(), flat);
}

uint32_t ValueAdapter::load_to_local(const Place& from, Op op) {
  const uint32_t local = code_.add_local(Flat::kI32);
  load(from, op, Flat::kI32);
  code_.set(local);
  return local;
}

void ValueAdapter::store_pair(const Place& to, uint32_t first, uint32_t second) {
  begin_store(to);
  code_.get(first);
  end_store(to, Op::kI32Store, Flat::kI32);
  const Place rest = to.after(4, 1);
  begin_store(rest);
  code_.get(second);
  end_store(rest, Op::kI32Store, Flat::kI32);
}

void ValueAdapter::check_char() {
  const uint32_t value = code_.add_local(Flat::kI32);
  code_.tee(value).i32(0x110000).op(Op::kI32GeU);
  code_.get(value).i32(0xd800).op(Op::kI32Sub).i32(0x800).op(Op::kI32LtU).op(Op::kI32Or);
  direction_.module.trap_if(code_, ComponentTrap::kInvalidChar);
  code_.get(value);
}

Result<void> ValueAdapter::copy_prim(Prim prim, const Place& from, const Place& to) {
  static constexpr std::array<Scalar, 12> kScalars = {{
      {Op::kI32Load8U, Op::kI32Store8, Flat::kI32, Normalize::kBool},
      {Op::kI32Load8S, Op::kI32Store8, Flat::kI32, Normalize::kS8},
      {Op::kI32Load8U, Op::kI32Store8, Flat::kI32, Normalize::kU8},
      {Op::kI32Load16S, Op::kI32Store16, Flat::kI32, Normalize::kS16},
      {Op::kI32Load16U, Op::kI32Store16, Flat::kI32, Normalize::kU16},
      {Op::kI32Load, Op::kI32Store, Flat::kI32, Normalize::kNone},
      {Op::kI32Load, Op::kI32Store, Flat::kI32, Normalize::kNone},
      {Op::kI64Load, Op::kI64Store, Flat::kI64, Normalize::kNone},
      {Op::kI64Load, Op::kI64Store, Flat::kI64, Normalize::kNone},
      {Op::kF32Load, Op::kF32Store, Flat::kF32, Normalize::kNone},
      {Op::kF64Load, Op::kF64Store, Flat::kF64, Normalize::kNone},
      {Op::kI32Load, Op::kI32Store, Flat::kI32, Normalize::kChar},
  }};
  if (prim == Prim::kString) {
    copy_string(from, to);
    return {};
  }
  if (prim == Prim::kErrorContext) {
    return unsupported("error-context values need the asynchronous part of the component model");
  }
  const Scalar& scalar = kScalars[static_cast<size_t>(prim)];
  begin_store(to);
  load(from, scalar.load, scalar.flat);
  switch (scalar.normalize) {
    case Normalize::kNone:
      break;
    case Normalize::kBool:
      code_.i32(0).op(Op::kI32Ne);
      break;
    case Normalize::kU8:
      if (!from.in_memory) code_.i32(0xff).op(Op::kI32And);
      break;
    case Normalize::kU16:
      if (!from.in_memory) code_.i32(0xffff).op(Op::kI32And);
      break;
    case Normalize::kS8:
      if (!from.in_memory) code_.op(Op::kI32Extend8S);
      break;
    case Normalize::kS16:
      if (!from.in_memory) code_.op(Op::kI32Extend16S);
      break;
    case Normalize::kChar:
      check_char();
      break;
  }
  end_store(to, scalar.store, scalar.flat);
  return {};
}

Result<void> ValueAdapter::copy(ValType type, const Place& from, const Place& to) {
  if (type.is_prim()) return copy_prim(type.prim(), from, to);
  if (code_.size() > kCodeBytesMax || direction_.module.writer().code_bytes() > kCodeBytesMax) {
    return limit("the adapters of a component need over " + std::to_string(kCodeBytesMax) +
                 " bytes of code");
  }
  return copy_node(type.type(), from, to);
}

Result<void> ValueAdapter::copy_node(TypeId type, const Place& from, const Place& to) {
  const component::TypeArena& types = direction_.types;
  switch (types.kind(type)) {
    case TypeKind::kPrim:
      return copy(types.members(type)[0].type, from, to);
    case TypeKind::kEnum:
      copy_enumeration(types.members(type).size(), from, to);
      return {};
    case TypeKind::kFlags:
      copy_flags(types.members(type).size(), from, to);
      return {};
    case TypeKind::kOwn:
      return copy_own(type, from, to);
    case TypeKind::kBorrow:
      return copy_borrow(type, from, to);
    case TypeKind::kStream:
    case TypeKind::kFuture:
      return unsupported("streams and futures need the asynchronous part of the component model");
    default:
      return from.in_memory && to.in_memory ? copy_outlined(type, from, to)
                                            : copy_inline(type, from, to);
  }
}

Result<void> ValueAdapter::copy_outlined(TypeId type, const Place& from, const Place& to) {
  AdapterModule& module = direction_.module;
  AdapterModule::CopyKey key;
  key.from = module.side_id(direction_.from);
  key.to = module.side_id(direction_.to);
  key.arena = &direction_.types;
  key.resources = direction_.resource_scope;
  key.type = static_cast<uint32_t>(direction_.types.canonical(type));
  const AdapterModule::Copy copy = module.copy_function(key);
  if (copy.is_new) {
    CodeWriter body(3);
    ValueAdapter inside(direction_, body, 2);
    MAYFLY_TRY(inside.copy_inline(type, Place::memory(0, 0), Place::memory(1, 0)));
    module.writer().set_body(copy.function, std::move(body));
  }
  code_.get(from.pointer).i32(from.offset).op(Op::kI32Add);
  code_.get(to.pointer).i32(to.offset).op(Op::kI32Add);
  code_.get(scope_).call(copy.function);
  return {};
}

Result<void> ValueAdapter::copy_inline(TypeId type, const Place& from, const Place& to) {
  std::vector<ValType> parts;
  for (const component::Member& member : direction_.types.members(type)) {
    parts.push_back(member.type);
  }
  switch (direction_.types.kind(type)) {
    case TypeKind::kRecord:
    case TypeKind::kTuple:
      return copy_record(parts, from, to);
    case TypeKind::kVariant:
    case TypeKind::kResult:
      return copy_variant(parts, from, to);
    case TypeKind::kOption:
      parts.insert(parts.begin(), ValType());
      return copy_variant(parts, from, to);
    case TypeKind::kFixedList:
      return copy_fixed_list(type, from, to);
    case TypeKind::kList:
    case TypeKind::kMap:
      return copy_list(parts, from, to);
    default:
      break;
  }
  return invalid("a value cannot have this type: " +
                 std::string(to_string(direction_.types.kind(type))));
}

Result<void> ValueAdapter::copy_record(std::span<const ValType> fields, const Place& from,
                                       const Place& to) {
  std::vector<Layout> layouts;
  for (const ValType field : fields) layouts.push_back(layout(field));
  const std::vector<uint64_t> offsets = component::field_offsets(layouts);
  size_t flats = 0;
  for (size_t i = 0; i < fields.size(); ++i) {
    const size_t from_flats = from.in_memory ? 0 : flats;
    const size_t to_flats = to.in_memory ? 0 : flats;
    MAYFLY_TRY(copy(fields[i], from.after(offsets[i], from_flats), to.after(offsets[i], to_flats)));
    flats += layouts[i].flat.size();
  }
  return {};
}

void ValueAdapter::copy_flags(size_t labels, const Place& from, const Place& to) {
  const uint64_t bytes = component::flags_layout(labels).size;
  begin_store(to);
  load(from, unsigned_load(bytes), Flat::kI32);
  if (labels < 32) code_.i32((uint32_t{1} << labels) - 1).op(Op::kI32And);
  end_store(to, store(bytes), Flat::kI32);
}

Result<void> ValueAdapter::copy_own(TypeId type, const Place& from, const Place& to) {
  const ResourceRef resource = MAYFLY_TRY(direction_.resources(direction_.types.resource(type)));
  AdapterModule& module = direction_.module;
  const bool is_of_host = resource.implementer == kHostInstance;
  // The host knows its own resources by their representations.
  const bool is_taken = !(is_of_host && direction_.from.is_host());
  const bool is_handle = !(is_of_host && direction_.to.is_host());
  begin_store(to);
  if (is_handle) code_.i32(direction_.to.instance).i32(resource.number);
  if (is_taken) code_.i32(direction_.from.instance).i32(resource.number);
  load(from, Op::kI32Load, Flat::kI32);
  if (is_taken) code_.call(module.guest_function("handle_take", {module.state_memory()}));
  if (is_handle) code_.call(module.guest_function("handle_new", {module.state_memory()}));
  end_store(to, Op::kI32Store, Flat::kI32);
  return {};
}

Result<void> ValueAdapter::copy_borrow(TypeId type, const Place& from, const Place& to) {
  const ResourceRef resource = MAYFLY_TRY(direction_.resources(direction_.types.resource(type)));
  AdapterModule& module = direction_.module;
  const bool is_of_host = resource.implementer == kHostInstance;
  const bool is_lent = !(is_of_host && direction_.from.is_host());
  // Who implements a resource gets its representation.
  const bool is_handle = resource.implementer != direction_.to.instance;
  begin_store(to);
  if (is_handle) code_.i32(direction_.to.instance).i32(resource.number);
  if (is_lent) code_.i32(direction_.from.instance).i32(resource.number);
  load(from, Op::kI32Load, Flat::kI32);
  if (is_lent) code_.call(module.guest_function("handle_lend", {module.state_memory()}));
  if (is_handle) {
    code_.get(scope_).call(module.guest_function("handle_borrow", {module.state_memory()}));
  }
  end_store(to, Op::kI32Store, Flat::kI32);
  return {};
}

}  // namespace mayfly::linker
