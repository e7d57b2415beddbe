// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Interning by structure: a definition is a node of its own, and beside it, where it has names in
// it, there is one node without them for each structure.
#include "component/type_arena.h"

#include <algorithm>

#include "base/check.h"
#include "wasm/byte_cursor.h"

namespace mayfly::component {
namespace {

using wasm::invalid_at;
using wasm::limit_at;

std::vector<uint32_t> structure_key(TypeKind kind, std::span<const Member> members,
                                    uint32_t extra) {
  std::vector<uint32_t> key = {static_cast<uint32_t>(kind), extra};
  key.reserve(2 + 2 * members.size());
  for (const Member& member : members) {
    key.push_back(static_cast<uint32_t>(member.label));
    key.push_back(member.type.bits());
  }
  return key;
}

}  // namespace

TypeArena::TypeArena(const Limits& limits, uint64_t input_bytes)
    : limits_(limits),
      types_left_(limits.types_max),
      derived_left_(limits.derived_types_min + input_bytes / limits.bytes_per_derived_type),
      steps_left_(limits.type_steps_min + input_bytes * limits.type_steps_per_byte) {
  for (uint32_t i = 0; i < kPrimCount; ++i) {
    const auto prim = static_cast<Prim>(i);
    layouts_.push_back({prim_layout(prim, PtrWidth::k32), prim_layout(prim, PtrWidth::k64)});
  }
}

StringId TypeArena::intern(std::string_view text) {
  const auto found = by_text_.find(text);
  if (found != by_text_.end()) return found->second;
  const StringId id{static_cast<uint32_t>(strings_.size())};
  strings_.push_back(string_storage_.emplace_back(text));
  by_text_.emplace(strings_.back(), id);
  return id;
}

void TypeArena::NameRange::include(NameRange other) {
  first = std::min(first, other.first);
  last = std::max(last, other.last);
}

TypeId TypeArena::resolve(TypeId type) const {
  const Node& named = node(type);
  return named.kind == TypeKind::kNamed ? TypeId{named.first} : type;
}

ValType TypeArena::canonical(ValType type) const {
  if (!type.is_node()) return type;
  const TypeId id = canonical(type.type());
  const Node& found = node(id);
  // A definition that is only a primitive is that primitive.
  return found.kind == TypeKind::kPrim ? members_[found.first].type : ValType::of(id);
}

std::span<const Member> TypeArena::members(TypeId type) const {
  const Node& found = node(resolve(type));
  return std::span(members_).subspan(found.first, found.count);
}

const InstanceType& TypeArena::instance(TypeId type) const {
  const Node& found = node(resolve(type));
  CHECK(found.kind == TypeKind::kInstance);
  return instances_[found.first];
}

const ComponentType& TypeArena::component(TypeId type) const {
  const Node& found = node(resolve(type));
  CHECK(found.kind == TypeKind::kComponent);
  return components_[found.first];
}

const ResourceInfo& TypeArena::resource_info(TypeId type) const {
  const Node& found = node(resolve(type));
  CHECK(found.kind == TypeKind::kResource);
  return resources_[found.first];
}

std::span<const Member> TypeArena::params(TypeId type) const {
  const auto all = members(type);
  return all.first(all.size() - 1);
}

ValType TypeArena::result(TypeId type) const { return members(type).back().type; }

bool TypeArena::has_borrow(ValType type) const {
  return type.is_node() && node(canonical(type.type())).has_borrow;
}

bool TypeArena::has_pointers(ValType type) const {
  if (type.is_prim()) return type.prim() == Prim::kString;
  return type.is_node() && node(canonical(type.type())).has_pointers;
}

const Layouts& TypeArena::layouts(ValType type) const {
  const ValType plain = canonical(type);
  CHECK(plain.exists());
  return layouts_[plain.is_prim() ? plain.bits() : node(plain.type()).layouts];
}

Result<void> TypeArena::step(uint64_t steps, uint64_t offset) {
  if (steps > steps_left_) {
    return limit_at("type checking takes too many steps", steps, steps_left_, offset);
  }
  steps_left_ -= steps;
  return {};
}

Result<void> TypeArena::reserve_node(uint64_t offset) {
  uint64_t& left = deriving_ ? derived_left_ : types_left_;
  if (left == 0) {
    return limit_at(deriving_ ? "instantiation makes too many types" : "too many types",
                    nodes_.size() + 1, nodes_.size(), offset);
  }
  --left;
  return {};
}

void TypeArena::include_child(TypeId child, Node& parent) const {
  const Node& found = node(child);
  parent.depth = std::max<uint16_t>(parent.depth, static_cast<uint16_t>(found.depth + 1));
  parent.names.include(found.names);
  parent.has_borrow = parent.has_borrow || found.has_borrow;
  parent.has_resource = parent.has_resource || found.has_resource;
}

Result<TypeId> TypeArena::push(Node node, uint64_t offset) {
  MAYFLY_TRY(reserve_node(offset));
  if (node.depth > limits_.type_depth_max) {
    return limit_at("type nesting is too deep", node.depth, limits_.type_depth_max, offset);
  }
  const TypeId id = next_id();
  nodes_.push_back(node);
  return id;
}

Layouts TypeArena::compute_layouts(TypeKind kind, std::span<const Member> members,
                                   uint32_t extra) const {
  const auto of = [&](PtrWidth width) -> Layout {
    std::vector<Layout> parts;
    if (kind != TypeKind::kOwn && kind != TypeKind::kBorrow && kind != TypeKind::kStream &&
        kind != TypeKind::kFuture) {
      for (const Member& member : members) {
        parts.push_back(member.type.exists() ? layouts(member.type).of(width) : Layout());
      }
    }
    switch (kind) {
      case TypeKind::kPrim:
        return parts[0];
      case TypeKind::kRecord:
      case TypeKind::kTuple:
        return record_layout(parts);
      case TypeKind::kVariant:
      case TypeKind::kEnum:
      case TypeKind::kResult:
        return variant_layout(parts);
      case TypeKind::kOption:
        return variant_layout(std::vector<Layout>{Layout(), parts[0]});
      case TypeKind::kFlags:
        return flags_layout(members.size());
      case TypeKind::kList:
      case TypeKind::kMap:
        return list_layout(width);
      case TypeKind::kFixedList:
        return fixed_list_layout(parts[0], extra);
      default:
        return handle_layout();
    }
  };
  return {of(PtrWidth::k32), of(PtrWidth::k64)};
}

Result<TypeId> TypeArena::push_with_members(TypeKind kind, std::span<const Member> members,
                                            uint32_t extra, TypeId canonical, uint64_t offset) {
  Node node{.kind = kind, .canonical = canonical, .extra = extra, .names = {}};
  node.first = static_cast<uint32_t>(members_.size());
  node.count = static_cast<uint32_t>(members.size());
  for (const Member& member : members) {
    if (member.type.is_node()) include_child(member.type.type(), node);
  }
  node.has_borrow = node.has_borrow || kind == TypeKind::kBorrow;
  if (kind == TypeKind::kList || kind == TypeKind::kMap) node.has_pointers = true;
  if (kind != TypeKind::kStream && kind != TypeKind::kFuture) {
    for (const Member& member : members) {
      node.has_pointers = node.has_pointers || has_pointers(member.type);
    }
  }
  if (canonical == next_id() && is_value_kind(kind)) {
    node.layouts = static_cast<uint32_t>(layouts_.size());
    const Layouts layouts = compute_layouts(kind, members, extra);
    if (layouts.ptr64.size > limits_.value_bytes_max) {
      return invalid_at("type exceeds maximum byte size: " + std::to_string(layouts.ptr64.size) +
                            " is more than " + std::to_string(limits_.value_bytes_max),
                        offset);
    }
    layouts_.push_back(layouts);
  }
  const TypeId id = MAYFLY_TRY(push(node, offset));
  members_.insert(members_.end(), members.begin(), members.end());
  return id;
}

Result<TypeId> TypeArena::add(TypeKind kind, std::vector<Member> members, uint32_t extra,
                              uint64_t offset) {
  std::vector<Member> plain = members;
  bool is_plain = true;
  for (Member& member : plain) {
    const ValType type = canonical(member.type);
    is_plain = is_plain && type == member.type;
    member.type = type;
  }
  auto key = structure_key(kind, plain, extra);
  const auto known = by_structure_.find(key);
  TypeId canonical_id = known != by_structure_.end() ? known->second : next_id();
  if (known == by_structure_.end()) {
    if (!is_plain) {
      canonical_id = MAYFLY_TRY(push_with_members(kind, plain, extra, next_id(), offset));
    }
    by_structure_.emplace(std::move(key), canonical_id);
  }
  return push_with_members(kind, members, extra, canonical_id, offset);
}

void TypeArena::include_children(std::span<const Declaration> declarations, Node& parent) const {
  for (const Declaration& item : declarations) {
    if (item.type.sort == Sort::kCoreModule) continue;
    if (item.type.sort == Sort::kValue) {
      if (item.type.value().is_node()) include_child(item.type.value().type(), parent);
    } else {
      include_child(item.type.type(), parent);
    }
  }
  parent.has_borrow = false;
}

Result<TypeId> TypeArena::add_instance(InstanceType type, uint64_t offset) {
  Node node{.kind = TypeKind::kInstance, .canonical = next_id(), .names = {}};
  node.first = static_cast<uint32_t>(instances_.size());
  include_children(type.exports.items(), node);
  const TypeId id = MAYFLY_TRY(push(node, offset));
  instances_.push_back(std::move(type));
  return id;
}

Result<TypeId> TypeArena::add_component(ComponentType type, uint64_t offset) {
  Node node{.kind = TypeKind::kComponent, .canonical = next_id(), .names = {}};
  node.first = static_cast<uint32_t>(components_.size());
  include_children(type.imports.items(), node);
  include_children(type.exports.items(), node);
  const TypeId id = MAYFLY_TRY(push(node, offset));
  components_.push_back(std::move(type));
  return id;
}

Result<TypeId> TypeArena::add_resource(const ResourceInfo& info, uint64_t offset) {
  Node node{.kind = TypeKind::kResource, .has_resource = true, .canonical = next_id(), .names = {}};
  node.first = static_cast<uint32_t>(resources_.size());
  const auto self = static_cast<uint32_t>(next_id());
  node.names = {self, self};
  const TypeId id = MAYFLY_TRY(push(node, offset));
  resources_.push_back(info);
  return id;
}

Result<TypeId> TypeArena::add_named(TypeId target, uint64_t offset) {
  Node node{.kind = TypeKind::kNamed, .canonical = canonical(target), .names = {}};
  const TypeId resolved = resolve(target);
  node.first = static_cast<uint32_t>(resolved);
  node.extra = static_cast<uint32_t>(target);
  include_child(target, node);
  const auto self = static_cast<uint32_t>(next_id());
  node.names.include({self, self});
  return push(node, offset);
}

}  // namespace mayfly::component
