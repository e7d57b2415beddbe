// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TypeInterner numbers recursion groups by structure: equal groups get the same TypeIds.
// The decoder has one for a module, TypeRegistry one for all modules.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "wasm/type_registry.h"
#include "wasm/types.h"

namespace mayfly::wasm {

class TypeInterner {
 public:
  TypeInterner();
  TypeInterner(const TypeInterner&) = delete;
  TypeInterner& operator=(const TypeInterner&) = delete;

  // Numbers the group of size types at types[first]. ids has those of all types before it and
  // gets the group's. The group refers to nothing past its own end, and each supertype is before
  // its subtype. Takes O(k log n) for a group that is k words long.
  void add_group(std::span<const SubType> types, uint32_t first, uint32_t size,
                 std::vector<TypeId>& ids);

  CompositeKind kind(TypeId id) const { return record(id).kind; }
  // The number of supertypes above a type.
  uint32_t depth(TypeId id) const { return record(id).depth; }
  // Takes a number of steps that is logarithmic in the depths.
  bool is_subtype(TypeId a, TypeId b) const;
  // wasm-3.0 #match-heaptype. An id means something with kConcrete only.
  bool heap_matches(HeapKind a, TypeId a_id, HeapKind b, TypeId b_id) const;

 private:
  struct Record {
    TypeId supertype{};
    TypeId jump{};       // a supertype further up, so that a chain is climbed in long steps
    uint32_t depth = 0;  // 0: no supertype; supertype and jump are then the type itself
    CompositeKind kind = CompositeKind::kFunc;
  };
  struct Group {
    uint64_t hash = 0;
    size_t word_first = 0;
    size_t word_count = 0;
    uint32_t id_first = 0;
  };
  // By hash first, which is cheap, and by content where hashes collide, so that nobody can choose
  // input that makes a lookup linear.
  struct Less {
    const std::vector<uint32_t>* words;
    bool operator()(const Group& a, const Group& b) const;
  };

  const Record& record(TypeId id) const { return records_[static_cast<uint32_t>(id)]; }
  Record make_record(const SubType& type, TypeId id, const std::vector<TypeId>& ids) const;
  void append_words(const SubType& type, uint32_t first, const std::vector<TypeId>& ids);
  void append_type(const ValType& type, uint32_t first, const std::vector<TypeId>& ids);
  void append_field(const FieldType& field, uint32_t first, const std::vector<TypeId>& ids);

  std::vector<uint32_t> words_;  // of all groups, one after the other
  std::vector<Record> records_;  // by TypeId
  std::set<Group, Less> groups_;
};

// The heap type above all others of the same hierarchy.
HeapKind top_of(HeapKind kind, CompositeKind concrete);

}  // namespace mayfly::wasm
