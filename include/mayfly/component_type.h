// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which C++ type stands for which type of WIT, in typed calls of components:
//
//   bool, s8 to u64, f32, f64    bool, int8_t to uint64_t, float, double
//   char, string                 char32_t, std::string (UTF-8)
//   list<T>, list<T, N>          std::vector<T>, std::array<T, N>
//   option<T>, tuple<T, U>       std::optional<T>, std::tuple<T, U>
//   result<T, E>                 ComponentResult<T, E>, void where WIT has none or '_'
//   record, flags, enum, variant a type of yours with a description (kWit)
//   own<R>, borrow<R>            Own<T>, Borrow<T>; GuestOwn<R>, GuestBorrow<R> (resource.h)
//
// Arguments may also be views, std::string_view and std::span<const T>, and hold them: what is
// passed on lasts as long as the call. A std::variant<...> without a description is a variant whose
// cases have any names; std::monostate is a case without a payload.
//
// A type of yours is described once, behind its definition and outside of other namespaces:
//
//   struct Point { int32_t x; std::string label; };
//   template <>
//   inline constexpr auto mayfly::kWit<Point> = mayfly::wit::record(
//       mayfly::wit::field("x", &Point::x), mayfly::wit::field("label", &Point::label));
//
// Types that come from a component are made by their default constructors and then filled.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "mayfly/component_value.h"
#include "mayfly/export.h"
#include "mayfly/resource.h"

namespace mayfly {

namespace wit {

template <typename Class, typename Member>
struct Field {
  std::string_view name;
  Member Class::* member;
};
template <typename... Fields>
struct Record {
  std::tuple<Fields...> fields;
};
template <typename... Fields>
struct Flags {
  std::tuple<Fields...> fields;
};
template <size_t kCount>
struct Enum {
  std::array<std::string_view, kCount> names;
};
template <typename Class, typename Cases, size_t kCount>
struct Variant {
  Cases Class::* cases;
  std::array<std::string_view, kCount> names;
};

// Names are as in WIT: "user-id".
template <typename Class, typename Member>
constexpr Field<Class, Member> field(std::string_view name, Member Class::* member) {
  return {name, member};
}
// Fields in the order of WIT, whatever their order in the struct.
template <typename... Classes, typename... Members>
constexpr Record<Field<Classes, Members>...> record(Field<Classes, Members>... fields) {
  static_assert(sizeof...(fields) > 0, "WIT has no record without fields");
  return {{fields...}};
}
// A struct of bools, at most 32.
template <typename... Classes>
constexpr Flags<Field<Classes, bool>...> flags(Field<Classes, bool>... fields) {
  static_assert(sizeof...(fields) > 0 && sizeof...(fields) <= 32, "WIT has 1 to 32 flags");
  return {{fields...}};
}
// For an enum class whose values count from 0.
template <typename... Names>
constexpr Enum<sizeof...(Names)> enumeration(Names... names) {
  static_assert(sizeof...(names) > 0, "WIT has no enum without cases");
  return {{std::string_view(names)...}};
}
// For a struct with a std::variant in it, a name for each of its alternatives.
template <typename Class, typename Cases, typename... Names>
constexpr Variant<Class, Cases, sizeof...(Names)> variant(Cases Class::* cases, Names... names) {
  return {cases, {std::string_view(names)...}};
}

struct None {};  // no description

}  // namespace wit

// The description of T, which users specialize.
template <typename T>
inline constexpr wit::None kWit{};

// A type of WIT as constants: what typed calls are checked against, once, when they are bound.
struct ComponentShape {
  ComponentKind kind = ComponentKind::kBool;
  // Of fields, cases, elements; ok and error. nullptr: a case without payload.
  std::span<const ComponentShape* const> parts = {};
  // Of fields, cases, flags. Empty where any will do.
  std::span<const std::string_view> names = {};
  uint32_t length = 0;  // of a list<T, N>; 0: of any length
  // Of handles, one of both: what define_resource() knows, or the description of a component's.
  const detail::ResourceKind* host_resource = nullptr;
  const wit::Resource* guest_resource = nullptr;
};

struct ComponentSignature {
  std::span<const ComponentShape* const> params;
  const ComponentShape* result = nullptr;  // nullptr: none
};
// As WIT writes it, but for the names of parameters: "func(u32, string) -> option<u8>".
MAYFLY_API std::string to_string(const ComponentSignature& signature);

}  // namespace mayfly
