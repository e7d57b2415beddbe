// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ComponentValue: a value of any type of WIT, for who learns the types of a component at run time:
// command lines, scripts, proxies.
//
// It says by itself what it is, names included; whether it fits a parameter's type is checked when
// it is passed.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "mayfly/export.h"
#include "mayfly/result.h"

namespace mayfly {

// In the order of Explainer.md #type-definitions. A map is a list of tuples of two.
enum class ComponentKind : uint8_t {
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
  kList,
  kTuple,
  kRecord,
  kVariant,
  kEnum,
  kFlags,
  kOption,
  kResult,
  kOwn,
  kBorrow,
};
// "bool", "u8", "list", as WIT has them.
MAYFLY_API std::string_view to_string(ComponentKind kind);

namespace detail {

template <typename T, typename... Others>
concept OneOf = (std::same_as<T, Others> || ...);

template <typename T>
constexpr ComponentKind integer_kind() {
  constexpr bool kIsSigned = std::is_signed_v<T>;
  if constexpr (sizeof(T) == 1) return kIsSigned ? ComponentKind::kS8 : ComponentKind::kU8;
  if constexpr (sizeof(T) == 2) return kIsSigned ? ComponentKind::kS16 : ComponentKind::kU16;
  if constexpr (sizeof(T) == 4) return kIsSigned ? ComponentKind::kS32 : ComponentKind::kU32;
  return kIsSigned ? ComponentKind::kS64 : ComponentKind::kU64;
}

}  // namespace detail

// What lists keep as plain arrays.
template <typename T>
concept ComponentNumber = detail::OneOf<T, int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t,
                                        int64_t, uint64_t, float, double>;

// Numbers, bool, and char32_t for the type char.
template <typename T>
concept ComponentScalar =
    detail::OneOf<T, bool, char32_t, float, double> ||
    (std::integral<T> && sizeof(T) <= 8 && !detail::OneOf<T, char, wchar_t, char8_t, char16_t>);

template <ComponentScalar T>
constexpr ComponentKind component_kind() {
  if constexpr (std::same_as<T, bool>) return ComponentKind::kBool;
  if constexpr (std::same_as<T, char32_t>) return ComponentKind::kChar;
  if constexpr (std::same_as<T, float>) return ComponentKind::kF32;
  if constexpr (std::same_as<T, double>) return ComponentKind::kF64;
  return detail::integer_kind<T>();
}

// Copies are deep, moves are cheap; what was moved from may be assigned to and destroyed.
// Copying, comparing and destroying recurse as deep as the value is; one that comes from a
// component is at most 200 deep.
// Accessors that a kind does not have answer with nothing: no text, no items, a null pointer.
class MAYFLY_API ComponentValue {
 public:
  struct Field;  // of a record: a name and a value

  ComponentValue();  // false
  // The number's own type: 1 is an s32, uint8_t{1} an u8.
  template <ComponentScalar T>
  ComponentValue(T value) : ComponentValue(component_kind<T>(), to_bits(value)) {}  // NOLINT
  ComponentValue(std::string text);                                                 // NOLINT
  ComponentValue(std::string_view text);                                            // NOLINT
  ComponentValue(const char* text);                                                 // NOLINT
  ComponentValue(const ComponentValue& other);
  ComponentValue(ComponentValue&& other) noexcept;
  ComponentValue& operator=(const ComponentValue& other);
  ComponentValue& operator=(ComponentValue&& other) noexcept;
  ~ComponentValue();

  static ComponentValue list(std::vector<ComponentValue> items);
  // One array, without a ComponentValue for each element.
  template <ComponentNumber T>
  static ComponentValue list(std::vector<T> numbers) {
    return ComponentValue(ComponentKind::kList, State(std::move(numbers)));
  }
  static ComponentValue tuple(std::vector<ComponentValue> items);
  // Fields may be in any order.
  static ComponentValue record(std::vector<Field> fields);
  static ComponentValue variant(std::string name);
  static ComponentValue variant(std::string name, ComponentValue payload);
  static ComponentValue enumeration(std::string name);
  // The names that are set.
  static ComponentValue flags(std::vector<std::string> names);
  static ComponentValue none();
  static ComponentValue some(ComponentValue payload);
  static ComponentValue ok();
  static ComponentValue ok(ComponentValue payload);
  static ComponentValue error();
  static ComponentValue error(ComponentValue payload);
  // Handles of resources are numbers of the sandbox that they come from.
  static ComponentValue own(uint32_t handle);
  static ComponentValue borrow(uint32_t handle);

  ComponentKind kind() const { return kind_; }
  // Errors: kInvalid when the value is of another kind.
  template <ComponentScalar T>
  Result<T> get() const {
    if (component_kind<T>() != kind_) return wrong_kind(component_kind<T>());
    return from_bits<T>(bits());
  }
  // A string; the name of an enum's or a variant's case. Lasts as long as the value, unchanged.
  std::string_view text() const;
  // Of a list, tuple, record; of flags how many are set.
  size_t size() const;
  // Of a tuple, and of a list that is not kept as numbers.
  std::span<const ComponentValue> items() const;
  // Of a list that is kept as numbers of this type. Lists that come from a component are, when
  // their elements are numbers.
  template <ComponentNumber T>
  std::span<const T> numbers() const {
    const auto* held = std::get_if<std::vector<T>>(&state_);
    return held != nullptr ? std::span<const T>(*held) : std::span<const T>();
  }
  // The type of those numbers; kList when there are none.
  ComponentKind number_kind() const;
  std::span<const std::byte> number_bytes() const;
  // A copy of one element of a list or tuple. Precondition: index < size().
  ComponentValue item(size_t index) const;
  std::span<const Field> fields() const;
  const ComponentValue* field(std::string_view name) const;
  // Of a variant, option or result; nullptr when it has none.
  const ComponentValue* payload() const;
  // Whether a result is ok.
  bool is_ok() const { return kind_ == ComponentKind::kResult && position_ == 0; }
  std::span<const std::string> flag_names() const;
  // Of own and borrow.
  uint32_t handle() const { return static_cast<uint32_t>(bits()); }

  // Moves the contents out.
  std::string take_text() &&;
  std::vector<ComponentValue> take_items() &&;
  template <ComponentNumber T>
  std::vector<T> take_numbers() && {
    auto* held = std::get_if<std::vector<T>>(&state_);
    return held != nullptr ? std::move(*held) : std::vector<T>();
  }

  // For who passes values on. A scalar's or handle's bits; signed ones are extended to 64 bits.
  uint64_t bits() const {
    const auto* held = std::get_if<uint64_t>(&state_);
    return held != nullptr ? *held : 0;
  }
  static ComponentValue of_bits(ComponentKind kind, uint64_t bits) {
    return ComponentValue(kind, bits);
  }
  // Where the case of a variant or enum stands in its type, perhaps: a guess that saves a search.
  uint32_t position() const { return position_; }
  void set_position(uint32_t position) { position_ = position; }

  // The same kind and contents. Floats are compared by their bits, but all NaNs are one: components
  // cannot tell them apart. Flags are a set, fields have an order.
  bool operator==(const ComponentValue& other) const;

 private:
  // Strings, enums: the text. Variants: the name, then the payload. Options, results: the payload.
  using State = std::variant<uint64_t, std::string, std::vector<ComponentValue>, std::vector<Field>,
                             std::vector<std::string>, std::vector<int8_t>, std::vector<uint8_t>,
                             std::vector<int16_t>, std::vector<uint16_t>, std::vector<int32_t>,
                             std::vector<uint32_t>, std::vector<int64_t>, std::vector<uint64_t>,
                             std::vector<float>, std::vector<double>>;
  ComponentValue(ComponentKind kind, State state);
  ComponentValue(ComponentKind kind, uint64_t bits);

  template <ComponentScalar T>
  static uint64_t to_bits(T value) {
    if constexpr (std::same_as<T, float>) {
      return std::bit_cast<uint32_t>(value);
    } else if constexpr (std::same_as<T, double>) {
      return std::bit_cast<uint64_t>(value);
    } else {
      return static_cast<uint64_t>(value);  // extends what is signed
    }
  }
  template <ComponentScalar T>
  static T from_bits(uint64_t bits) {
    if constexpr (std::same_as<T, float>) {
      return std::bit_cast<float>(static_cast<uint32_t>(bits));
    } else if constexpr (std::same_as<T, double>) {
      return std::bit_cast<double>(bits);
    } else {
      return static_cast<T>(bits);
    }
  }
  Error wrong_kind(ComponentKind wanted) const;
  bool equal_lists(const ComponentValue& other) const;

  ComponentKind kind_ = ComponentKind::kBool;
  uint32_t position_ = 0;  // a result: 0 ok, 1 error
  State state_;
};

struct ComponentValue::Field {
  std::string name;
  ComponentValue value;
  bool operator==(const Field&) const = default;
};

// As WAVE, the text form of values: {name: "x", sizes: [1, 2]}, some(1), err("no"). What would
// move a terminal's cursor is escaped. Handles, which WAVE has not, are own(1) and borrow(1).
MAYFLY_API std::string to_string(const ComponentValue& value);

}  // namespace mayfly
