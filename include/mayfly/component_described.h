// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Abi<T> of types that have a description (kWit): records, flags, enums and variants.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <variant>

#include "mayfly/component_abi.h"
#include "mayfly/component_type.h"
#include "mayfly/transfer.h"

namespace mayfly::detail {

template <typename T>
using Described = std::remove_const_t<decltype(kWit<T>)>;

// One of them, by the type of T's description.
template <typename T, typename Description>
struct DescribedAbi;

template <typename T>
  requires(!std::same_as<Described<T>, wit::None>)
struct Abi<T> : DescribedAbi<T, Described<T>> {};

template <typename... Fields>
constexpr std::array<std::string_view, sizeof...(Fields)> names_of(
    const std::tuple<Fields...>& fields) {
  return std::apply(
      [](const auto&... all) {
        return std::array<std::string_view, sizeof...(Fields)>{all.name...};
      },
      fields);
}

template <typename T, typename... Classes, typename... Members>
struct DescribedAbi<T, wit::Record<wit::Field<Classes, Members>...>>
    : ProductAbi<DescribedAbi<T, wit::Record<wit::Field<Classes, Members>...>>, T,
                 Product<Members...>> {
  static_assert((WitValue<Members> && ...),
                "a field's type is not one that WIT has: see mayfly/component_type.h");
  static constexpr auto kNames = names_of(kWit<T>.fields);
  static constexpr ComponentShape kShape{
      .kind = ComponentKind::kRecord, .parts = Product<Members...>::kParts, .names = kNames};
  template <typename Value, typename Function>
  static void visit(Value& value, Function function) {
    std::apply([&](const auto&... field) { function(value.*(field.member)...); }, kWit<T>.fields);
  }
};

template <typename T, typename... Fields>
struct DescribedAbi<T, wit::Flags<Fields...>> : WordAbi<DescribedAbi<T, wit::Flags<Fields...>>, T,
                                                        sizeof...(Fields) <= 8    ? 1
                                                        : sizeof...(Fields) <= 16 ? 2
                                                                                  : 4> {
  static constexpr auto kNames = names_of(kWit<T>.fields);
  static constexpr ComponentShape kShape{.kind = ComponentKind::kFlags, .names = kNames};

  static uint64_t to_word(const T& value) {
    uint64_t word = 0;
    uint32_t bit = 0;
    std::apply(
        [&](const auto&... field) {
          ((word |= uint64_t{value.*(field.member) ? 1U : 0U} << bit++), ...);
        },
        kWit<T>.fields);
    return word;
  }
  static void from_word(TransferReader&, uint64_t word, T& out) {
    uint32_t bit = 0;
    std::apply(
        [&](const auto&... field) { ((out.*(field.member) = (word >> bit++ & 1) != 0), ...); },
        kWit<T>.fields);
  }
};

template <typename T, size_t kCount>
struct DescribedAbi<T, wit::Enum<kCount>>
    : WordAbi<DescribedAbi<T, wit::Enum<kCount>>, T, case_bytes(kCount)> {
  static_assert(std::is_enum_v<T>);
  static constexpr bool kIsPlain = false;  // it may be none of its cases
  static constexpr ComponentShape kShape{.kind = ComponentKind::kEnum, .names = kWit<T>.names};

  static uint64_t to_word(T value) {
    return static_cast<uint64_t>(static_cast<std::underlying_type_t<T>>(value));
  }
  static void from_word(TransferReader& reader, uint64_t word, T& out) {
    const uint32_t number = reader.checked_case(static_cast<uint32_t>(word), kCount);
    if (number < kCount) out = static_cast<T>(number);
  }
  static void check(T value, TransferSize& size) { size.add_case(to_word(value), kCount); }
};

template <typename T, typename Class, typename Cases, size_t kCount>
struct DescribedAbi<T, wit::Variant<Class, Cases, kCount>> : Abi<Cases> {
  static_assert(WitValue<Cases>,
                "a case's type is not one that WIT has: see mayfly/component_type.h");
  static_assert(std::variant_size_v<Cases> == kCount, "each case has a name");
  static constexpr ComponentShape kShape{
      .kind = ComponentKind::kVariant, .parts = Abi<Cases>::kShape.parts, .names = kWit<T>.names};

  static const Cases& cases(const T& value) { return value.*kWit<T>.cases; }
  static void measure(const T& value, TransferSize& size) {
    Abi<Cases>::measure(cases(value), size);
  }
  static void store(const T& value, TransferWriter& writer, uint32_t address) {
    Abi<Cases>::store(cases(value), writer, address);
  }
  static void lower(const T& value, TransferWriter& writer, uint64_t*& flat) {
    Abi<Cases>::lower(cases(value), writer, flat);
  }
  static void load(TransferReader& reader, uint64_t address, T& out) {
    Abi<Cases>::load(reader, address, out.*kWit<T>.cases);
  }
  static void lift(TransferReader& reader, const uint64_t*& flat, T& out) {
    Abi<Cases>::lift(reader, flat, out.*kWit<T>.cases);
  }
};

}  // namespace mayfly::detail
