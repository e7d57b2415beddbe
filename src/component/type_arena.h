// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TypeArena: all types of one component file, its nested components included, and their strings.
//
// Invariants:
//  1. A node only refers to nodes with smaller numbers, so types are acyclic.
//  2. canonical(x) has no kNamed inside, and equal structures have the same one (value and function
//     types; an instance or component type is its own).
//  3. depth(x) is at most Limits::type_depth_max: walks may recurse.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "component/abi_layout.h"
#include "component/limits.h"
#include "component/types.h"

namespace mayfly::component {

// What is known of a resource. Abstract ones, imported or introduced by a type, have no component.
struct ResourceInfo {
  uint32_t component = kNoIndex;  // whose definition it is
  bool rep_is_64 = false;
  uint32_t dtor = kNoIndex;  // a core function of that component
};

class TypeArena {
 public:
  TypeArena() = default;
  TypeArena(const Limits& limits, uint64_t input_bytes);

  StringId intern(std::string_view text);
  std::string_view text(StringId string) const { return strings_[static_cast<size_t>(string)]; }

  // Value and function types. Precondition: members are as their kind wants them.
  // Errors: kInvalid when a value type is too large; kLimit.
  Result<TypeId> add(TypeKind kind, std::vector<Member> members, uint32_t extra, uint64_t offset);
  Result<TypeId> add_instance(InstanceType type, uint64_t offset);
  Result<TypeId> add_component(ComponentType type, uint64_t offset);
  Result<TypeId> add_resource(const ResourceInfo& info, uint64_t offset);
  // A new name for `target`.
  Result<TypeId> add_named(TypeId target, uint64_t offset);

  size_t size() const { return nodes_.size(); }
  // The type without the names around it; names inside stay.
  TypeId resolve(TypeId type) const;
  TypeKind kind(TypeId type) const { return node(resolve(type)).kind; }
  bool is_named(TypeId type) const { return node(type).kind == TypeKind::kNamed; }
  // What a name was given to, itself perhaps a name. Precondition: is_named(name).
  TypeId named_target(TypeId name) const { return TypeId{node(name).extra}; }
  bool is_value(TypeId type) const { return is_value_kind(kind(type)); }
  TypeId canonical(TypeId type) const { return node(type).canonical; }
  ValType canonical(ValType type) const;
  bool equal(ValType a, ValType b) const { return canonical(a) == canonical(b); }

  // Of the resolved type. Spans last until the next add(); references as long as the arena.
  std::span<const Member> members(TypeId type) const;
  uint32_t extra(TypeId type) const { return node(resolve(type)).extra; }
  const InstanceType& instance(TypeId type) const;
  const ComponentType& component(TypeId type) const;
  const ResourceInfo& resource_info(TypeId type) const;
  // kFunc
  std::span<const Member> params(TypeId type) const;
  ValType result(TypeId type) const;
  bool is_async(TypeId type) const { return extra(type) != 0; }
  // kOwn, kBorrow: the node that it names, itself perhaps kNamed.
  TypeId resource(TypeId handle) const { return members(handle)[0].type.type(); }

  bool has_borrow(ValType type) const;
  // Whether any resource is reached, bound or not.
  bool has_resource(TypeId type) const { return node(type).has_resource; }
  // Lists and strings, whose contents lie in memory of their own.
  bool has_pointers(ValType type) const;
  const Layouts& layouts(ValType type) const;

  // The smallest and the largest number among the names and resources that a type reaches.
  struct NameRange {
    uint32_t first = UINT32_MAX;
    uint32_t last = 0;
    void include(NameRange other);
    bool empty() const { return first > last; }
  };
  NameRange names(TypeId type) const { return node(type).names; }

  // Accounts for steps of a walk. Errors: kLimit.
  Result<void> step(uint64_t steps, uint64_t offset);
  // From here on new types count as derived ones. Errors of add*(): kLimit.
  void set_deriving(bool deriving) { deriving_ = deriving; }

 private:
  struct Node {
    TypeKind kind = TypeKind::kPrim;
    bool has_borrow = false;
    bool has_pointers = false;
    bool has_resource = false;
    uint16_t depth = 0;
    TypeId canonical{};
    uint32_t first = 0;  // of members_; kInstance etc.: a number of that kind; kNamed: resolved
    uint32_t count = 0;
    uint32_t extra = 0;  // kFixedList: the length; kFunc: 1 if async; kNamed: what has this name
    uint32_t layouts = kNoIndex;  // canonical value types
    NameRange names;
  };
  const Node& node(TypeId type) const { return nodes_[static_cast<size_t>(type)]; }
  TypeId next_id() const { return TypeId{static_cast<uint32_t>(nodes_.size())}; }
  Result<void> reserve_node(uint64_t offset);
  void include_children(std::span<const Declaration> declarations, Node& parent) const;
  void include_child(TypeId child, Node& parent) const;
  Result<TypeId> push(Node node, uint64_t offset);
  Result<TypeId> push_with_members(TypeKind kind, std::span<const Member> members, uint32_t extra,
                                   TypeId canonical, uint64_t offset);
  Layouts compute_layouts(TypeKind kind, std::span<const Member> members, uint32_t extra) const;

  Limits limits_;
  uint64_t types_left_ = 0;
  uint64_t derived_left_ = 0;
  uint64_t steps_left_ = 0;
  bool deriving_ = false;
  std::vector<Node> nodes_;
  std::vector<Member> members_;
  std::vector<Layouts> layouts_;  // the first kPrimCount are those of primitives
  std::deque<InstanceType> instances_;
  std::deque<ComponentType> components_;
  std::vector<ResourceInfo> resources_;
  // Ordered maps: no input makes them slow.
  std::map<std::vector<uint32_t>, TypeId> by_structure_;
  std::deque<std::string> string_storage_;
  std::vector<std::string_view> strings_;
  std::map<std::string_view, StringId> by_text_;
};

}  // namespace mayfly::component
