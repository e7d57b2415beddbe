// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A group becomes a string of words in which references are positions inside the group or
// TypeIds outside it (wasm-3.0 #aux-roll-rectype); equal strings are equal groups.
#include "wasm/type_interner.h"

#include <algorithm>

#include "base/check.h"

namespace mayfly::wasm {
namespace {

constexpr uint32_t kInsideGroup = 0x8000'0000;
constexpr uint32_t kNoSupertype = UINT32_MAX;

uint32_t reference_word(uint32_t type_index, uint32_t first, const std::vector<TypeId>& ids) {
  if (type_index >= first) return kInsideGroup | (type_index - first);
  return static_cast<uint32_t>(ids[type_index]);
}

uint64_t hash_words(std::span<const uint32_t> words) {
  uint64_t hash = 0xCBF2'9CE4'8422'2325;
  for (const uint32_t word : words) hash = (hash ^ word) * 0x0000'0100'0000'01B3;
  return hash;
}

bool is_below_any(HeapKind kind) {
  return kind == HeapKind::kEq || kind == HeapKind::kI31 || kind == HeapKind::kStruct ||
         kind == HeapKind::kArray || kind == HeapKind::kNone;
}

bool abstract_matches(HeapKind a, HeapKind b) {
  if (a == b || a == HeapKind::kBottom) return true;
  switch (b) {
    case HeapKind::kAny:
      return is_below_any(a);
    case HeapKind::kEq:
      return is_below_any(a);
    case HeapKind::kI31:
    case HeapKind::kStruct:
    case HeapKind::kArray:
      return a == HeapKind::kNone;
    case HeapKind::kFunc:
      return a == HeapKind::kNoFunc;
    case HeapKind::kExtern:
      return a == HeapKind::kNoExtern;
    case HeapKind::kExn:
      return a == HeapKind::kNoExn;
    default:
      return false;
  }
}

HeapKind abstract_of(CompositeKind kind) {
  switch (kind) {
    case CompositeKind::kFunc:
      return HeapKind::kFunc;
    case CompositeKind::kStruct:
      return HeapKind::kStruct;
    case CompositeKind::kArray:
      return HeapKind::kArray;
  }
  return HeapKind::kFunc;
}

}  // namespace

HeapKind top_of(HeapKind kind, CompositeKind concrete) {
  if (kind == HeapKind::kConcrete) kind = abstract_of(concrete);
  switch (kind) {
    case HeapKind::kFunc:
    case HeapKind::kNoFunc:
      return HeapKind::kFunc;
    case HeapKind::kExtern:
    case HeapKind::kNoExtern:
      return HeapKind::kExtern;
    case HeapKind::kExn:
    case HeapKind::kNoExn:
      return HeapKind::kExn;
    case HeapKind::kBottom:
      return HeapKind::kBottom;
    default:
      return HeapKind::kAny;
  }
}

bool TypeInterner::Less::operator()(const Group& a, const Group& b) const {
  if (a.hash != b.hash) return a.hash < b.hash;
  const std::span<const uint32_t> all(*words);
  const auto a_words = all.subspan(a.word_first, a.word_count);
  const auto b_words = all.subspan(b.word_first, b.word_count);
  return std::lexicographical_compare(a_words.begin(), a_words.end(), b_words.begin(),
                                      b_words.end());
}

TypeInterner::TypeInterner() : groups_(Less{&words_}) {}

void TypeInterner::append_type(const ValType& type, uint32_t first,
                               const std::vector<TypeId>& ids) {
  uint32_t word = static_cast<uint32_t>(type.kind);
  if (type.is_ref()) {
    word |= (type.ref.nullable ? 0x100u : 0u) | static_cast<uint32_t>(type.ref.heap.kind) << 16;
  }
  words_.push_back(word);
  if (type.is_ref() && type.ref.heap.kind == HeapKind::kConcrete) {
    words_.push_back(reference_word(type.ref.heap.type_index, first, ids));
  }
}

void TypeInterner::append_field(const FieldType& field, uint32_t first,
                                const std::vector<TypeId>& ids) {
  words_.push_back(field.is_mutable ? 1 : 0);
  append_type(field.storage, first, ids);
}

void TypeInterner::append_words(const SubType& type, uint32_t first,
                                const std::vector<TypeId>& ids) {
  words_.push_back(static_cast<uint32_t>(type.kind) << 1 | (type.is_final ? 1u : 0u));
  words_.push_back(type.supertype == kNoIndex ? kNoSupertype
                                              : reference_word(type.supertype, first, ids));
  switch (type.kind) {
    case CompositeKind::kFunc:
      words_.push_back(static_cast<uint32_t>(type.func.params.size()));
      words_.push_back(static_cast<uint32_t>(type.func.results.size()));
      for (const ValType& param : type.func.params) append_type(param, first, ids);
      for (const ValType& result : type.func.results) append_type(result, first, ids);
      break;
    case CompositeKind::kStruct:
      words_.push_back(static_cast<uint32_t>(type.fields.fields.size()));
      for (const FieldType& field : type.fields.fields) append_field(field, first, ids);
      break;
    case CompositeKind::kArray:
      append_field(type.array.element, first, ids);
      break;
  }
}

void TypeInterner::add_group(std::span<const SubType> types, uint32_t first, uint32_t size,
                             std::vector<TypeId>& ids) {
  CHECK(ids.size() == first, ids.size(), first);
  CHECK(size <= types.size() && first <= types.size() - size, first, size, types.size());
  const auto members = types.subspan(first, size);
  Group group;
  group.word_first = words_.size();
  words_.push_back(size);
  for (const SubType& type : members) append_words(type, first, ids);
  group.word_count = words_.size() - group.word_first;
  group.hash = hash_words(std::span(words_).subspan(group.word_first));
  group.id_first = static_cast<uint32_t>(records_.size());
  const auto [position, is_new] = groups_.insert(group);
  for (uint32_t i = 0; i < size; ++i) ids.push_back(static_cast<TypeId>(position->id_first + i));
  if (!is_new) {
    words_.resize(group.word_first);
    return;
  }
  for (uint32_t i = 0; i < size; ++i) {
    records_.push_back(make_record(members[i], ids[first + i], ids));
  }
}

// The jumps of a chain have the lengths of a skew binary number: a jump covers two equal jumps of
// the type above, or goes one step.
TypeInterner::Record TypeInterner::make_record(const SubType& type, TypeId id,
                                               const std::vector<TypeId>& ids) const {
  Record result{.supertype = id, .jump = id, .depth = 0, .kind = type.kind};
  if (type.supertype == kNoIndex) return result;
  result.supertype = ids[type.supertype];
  const Record& above = record(result.supertype);
  const Record& over = record(above.jump);
  const bool are_equal = above.depth - over.depth == over.depth - record(over.jump).depth;
  result.jump = are_equal ? over.jump : result.supertype;
  result.depth = above.depth + 1;
  return result;
}

bool TypeInterner::is_subtype(TypeId a, TypeId b) const {
  const uint32_t b_depth = depth(b);
  while (depth(a) > b_depth) {
    const Record& here = record(a);
    a = depth(here.jump) >= b_depth ? here.jump : here.supertype;
  }
  return a == b;
}

bool TypeInterner::heap_matches(HeapKind a, TypeId a_id, HeapKind b, TypeId b_id) const {
  const bool a_concrete = a == HeapKind::kConcrete;
  const bool b_concrete = b == HeapKind::kConcrete;
  if (a_concrete && b_concrete) return is_subtype(a_id, b_id);
  if (a_concrete) return abstract_matches(abstract_of(kind(a_id)), b);
  if (!b_concrete) return abstract_matches(a, b);
  if (a == HeapKind::kBottom) return true;
  return a == (kind(b_id) == CompositeKind::kFunc ? HeapKind::kNoFunc : HeapKind::kNone);
}

}  // namespace mayfly::wasm
