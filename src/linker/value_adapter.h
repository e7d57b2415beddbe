// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ValueAdapter: code that lifts a value on one side of a call and lowers it on the other, in one
// go (CanonicalABI.md #loading, #storing, #flat-lifting, #flat-lowering).
// The layouts of both sides are the same; only strings, handles and memories differ.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "component/type_arena.h"
#include "linker/adapter_module.h"
#include "linker/side.h"

namespace mayfly::linker {

// Where a value is: in memory, at a pointer in a local plus an offset, or in locals of its flat
// types. Inside a variant a local may be of a wider type than the flat value in it (`join`).
struct Place {
  bool in_memory = false;
  uint32_t pointer = 0;
  uint32_t offset = 0;
  std::span<const uint32_t> locals;
  std::span<const Flat> types;

  static Place memory(uint32_t pointer, uint64_t offset) {
    return {true, pointer, static_cast<uint32_t>(offset), {}, {}};
  }
  static Place flat(std::span<const uint32_t> locals, std::span<const Flat> types) {
    return {false, 0, 0, locals, types};
  }
  // What follows after so many bytes in memory, or so many flat values.
  Place after(uint64_t bytes, size_t flats) const {
    if (in_memory) return memory(pointer, offset + bytes);
    return flat(locals.subspan(flats), types.subspan(flats));
  }
};

// What values of one direction of a call have in common.
struct Direction {
  AdapterModule& module;
  const Side& from;
  const Side& to;
  const component::TypeArena& types;
  const ResourceResolver& resources;
  const void* resource_scope;  // equal for resolvers that answer alike
};

class ValueAdapter {
 public:
  // `scope` is the local with the number of the call's borrow scope, in calls that have one.
  ValueAdapter(const Direction& direction, CodeWriter& code, uint32_t scope)
      : direction_(direction), code_(code), scope_(scope) {}

  // Errors: kUnsupported for types of 0.3; kLimit when the code becomes too large.
  Result<void> copy(component::ValType type, const Place& from, const Place& to);
  // Fields of a record, or parameters, one after the other.
  Result<void> copy_record(std::span<const component::ValType> fields, const Place& from,
                           const Place& to);

 private:
  struct Scalar;
  Result<void> copy_prim(component::Prim prim, const Place& from, const Place& to);
  Result<void> copy_node(component::TypeId type, const Place& from, const Place& to);
  Result<void> copy_outlined(component::TypeId type, const Place& from, const Place& to);
  Result<void> copy_inline(component::TypeId type, const Place& from, const Place& to);
  Result<void> copy_variant(std::span<const component::ValType> cases, const Place& from,
                            const Place& to);
  Result<void> copy_payload(component::ValType type, const Place& from, const Place& to);
  void copy_enumeration(size_t cases, const Place& from, const Place& to);
  void copy_flags(size_t labels, const Place& from, const Place& to);
  Result<void> copy_fixed_list(component::TypeId type, const Place& from, const Place& to);
  Result<void> copy_list(std::span<const component::ValType> element, const Place& from,
                         const Place& to);
  Result<void> copy_elements(std::span<const component::ValType> element, uint32_t from,
                             uint32_t to, uint32_t count);
  void copy_string(const Place& from, const Place& to);
  Result<void> copy_own(component::TypeId type, const Place& from, const Place& to);
  Result<void> copy_borrow(component::TypeId type, const Place& from, const Place& to);
  void store_pair(const Place& to, uint32_t first, uint32_t second);

  void begin_store(const Place& to);
  void end_store(const Place& to, Op store, Flat flat);
  void load(const Place& from, Op load, Flat flat);
  void coerce(Flat have, Flat want);
  void check_char();
  bool is_plain(component::ValType type) const;
  const component::Layout& layout(component::ValType type) const;
  component::Layout record(std::span<const component::ValType> fields) const;
  uint32_t load_to_local(const Place& from, Op op);

  const Direction& direction_;
  CodeWriter& code_;
  uint32_t scope_;
};

}  // namespace mayfly::linker
