// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The types of the Component Model (Explainer.md #type-definitions) as numbered nodes of one
// TypeArena. A node never changes, so a number stands for a type for as long as the arena lives.
//
// Two equalities matter. Identity: the same node; what an import or export names is a node of its
// own (kNamed), because visibility outside is about names. Structure: the same canonical() node;
// it has no names in it, and resources by identity.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace mayfly::component {

enum class TypeId : uint32_t {};    // a node of the arena
enum class StringId : uint32_t {};  // a string of the arena: equal strings, equal numbers

inline constexpr uint32_t kNoIndex = UINT32_MAX;

// In the order of their opcodes, downwards from 0x7f; kErrorContext is 0x64.
enum class Prim : uint8_t {
  kBool,
  kS8,
  kU8,
  kS16,
  kU16,
  kS32,
  kU32,
  kS64,
  kU64,
  kF32,
  kF64,
  kChar,
  kString,
  kErrorContext,
};
inline constexpr uint32_t kPrimCount = 14;

std::string_view to_string(Prim prim);

// A value type: a primitive, or a node that is one of the value kinds. Empty where there is none,
// as in a case without a payload.
class ValType {
 public:
  constexpr ValType() = default;
  static constexpr ValType of(Prim prim) { return ValType(static_cast<uint32_t>(prim)); }
  static constexpr ValType of(TypeId type) {
    return ValType(kPrimCount + static_cast<uint32_t>(type));
  }
  static constexpr ValType from_bits(uint32_t bits) { return ValType(bits); }

  constexpr bool exists() const { return bits_ != kNoIndex; }
  constexpr bool is_prim() const { return bits_ < kPrimCount; }
  constexpr bool is_node() const { return exists() && !is_prim(); }
  constexpr Prim prim() const { return static_cast<Prim>(bits_); }
  constexpr TypeId type() const { return TypeId{bits_ - kPrimCount}; }
  constexpr uint32_t bits() const { return bits_; }
  constexpr bool operator==(const ValType&) const = default;

 private:
  explicit constexpr ValType(uint32_t bits) : bits_(bits) {}
  uint32_t bits_ = kNoIndex;
};

enum class TypeKind : uint8_t {
  // Value types.
  kPrim,  // a definition that is only a primitive; members: the primitive
  kRecord,
  kVariant,
  kList,
  kFixedList,  // extra: its length
  kMap,        // members: key, value
  kTuple,
  kFlags,
  kEnum,
  kOption,
  kResult,  // members: ok, error
  kOwn,     // resource()
  kBorrow,  // resource()
  kStream,
  kFuture,
  // The rest.
  kFunc,  // members: parameters, then the result
  kComponent,
  kInstance,
  kResource,
  kNamed,  // what an import or export called by a name: named_type()
};

constexpr bool is_value_kind(TypeKind kind) { return kind <= TypeKind::kFuture; }
std::string_view to_string(TypeKind kind);

// A field, case, flag, parameter or element. What its kind has no label or type for has none.
struct Member {
  StringId label{kNoIndex};
  ValType type;
};

// The component-level index spaces, in the order of Binary.md's `sort`.
enum class Sort : uint8_t { kCoreModule, kFunc, kValue, kType, kComponent, kInstance };
std::string_view to_string(Sort sort);

// Explainer.md #declarators: the type of something that can be imported or exported. For a type it
// is the type itself; which bound it has follows from the node.
struct EntityType {
  Sort sort = Sort::kFunc;
  uint32_t code = 0;  // a TypeId; kCoreModule: a CoreModuleTypeId; kValue: ValType::bits

  TypeId type() const { return TypeId{code}; }
  ValType value() const { return ValType::from_bits(code); }
  static EntityType of(Sort sort, TypeId type) { return {sort, static_cast<uint32_t>(type)}; }
};

struct Declaration {
  StringId name;
  EntityType type;
};

// Declarations in their order, found by name in logarithmic time.
class DeclarationList {
 public:
  DeclarationList() = default;
  explicit DeclarationList(std::vector<Declaration> items);

  const std::vector<Declaration>& items() const { return items_; }
  size_t size() const { return items_.size(); }
  // nullptr when nothing has that name.
  const EntityType* find(StringId name) const;

 private:
  std::vector<Declaration> items_;
  std::vector<uint32_t> by_name_;
};

// `bound` are the resources that the type itself introduces: abstract, fresh for each instance.
struct InstanceType {
  DeclarationList exports;
  std::vector<TypeId> bound;
};

struct ComponentType {
  DeclarationList imports;
  DeclarationList exports;
  std::vector<TypeId> bound_imports;
  std::vector<TypeId> bound_exports;
};

}  // namespace mayfly::component
