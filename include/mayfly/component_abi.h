// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Abi<T>: how values of a C++ type are lowered and lifted (CanonicalABI.md #lifting, #lowering),
// between the host and the memory that it shares with a component. Nothing here is meant for users:
// component_type.h says which types there are.
//
// What each Abi has; a "word" is a flat core value as the bits of an integer, extended with zeros:
//   kShape, kSize, kAlignment, kFlat   the type, its bytes in memory, how many words it is passed
//   as
//   kIsPlain                           measure() has nothing to do
//   kCanLift                           values can be made of what a component says
//   kUse                               what is done with resources in it
//   measure(value, size)               checks the value, adds up its lists and strings
//   store, lower                       write what was measured: to memory, as words
//   load, lift                         the way back, into `out`
//
// Invariants:
//  1. measure(), store() and lower() visit lists and strings in the same order.
//  2. load() is called for bytes that are in the memory, aligned (TransferReader::expect*()).
//  3. What fails keeps its error in the TransferSize or TransferReader, and goes on.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "mayfly/component_result.h"
#include "mayfly/component_type.h"
#include "mayfly/component_value.h"
#include "mayfly/transfer.h"

namespace mayfly::detail {

template <typename T>
struct Abi {
  static constexpr bool kIsValue = false;
  static constexpr uint32_t kUse = 0;
};

// What is done with resources in a value, in any combination.
inline constexpr uint32_t kOwnsResources = 1;   // it is given away, so it is passed as an rvalue
inline constexpr uint32_t kLendsResources = 2;  // until the call returns

template <typename T>
concept WitValue = Abi<T>::kIsValue;

struct AbiValue {
  static constexpr bool kIsValue = true;
  static constexpr bool kIsPlain = true;
  static constexpr bool kCanLift = true;
  static constexpr uint32_t kUse = 0;
};

// For types of one word: Self has to_word(), and from_word() for the bits that its type has.
template <typename Self, typename T, uint32_t kBytes>
struct WordAbi : AbiValue {
  static constexpr uint32_t kSize = kBytes;
  static constexpr uint32_t kAlignment = kBytes;
  static constexpr uint32_t kFlat = 1;

  static void measure(const T& value, TransferSize& size) { Self::check(value, size); }
  static void store(const T& value, TransferWriter& writer, uint32_t address) {
    writer.store_word(address, Self::to_word(value), kBytes);
  }
  static void lower(const T& value, TransferWriter&, uint64_t*& flat) {
    *flat++ = Self::to_word(value);
  }
  static void load(TransferReader& reader, uint64_t address, T& out) {
    Self::from_word(reader, reader.load_word(address, kBytes), out);
  }
  static void lift(TransferReader& reader, const uint64_t*& flat, T& out) {
    Self::from_word(reader, *flat++, out);
  }
  static void check(const T&, TransferSize&) {}

 private:
  WordAbi() = default;  // nobody makes one: all is static
  friend Self;
};

template <ComponentScalar T>
struct Abi<T> : WordAbi<Abi<T>, T, std::same_as<T, bool> ? 1 : sizeof(T)> {
  static constexpr bool kIsPlain = !std::same_as<T, char32_t>;
  static constexpr ComponentShape kShape{.kind = component_kind<T>()};

  static uint64_t to_word(T value) {
    if constexpr (std::same_as<T, float>) {
      return std::bit_cast<uint32_t>(value);
    } else if constexpr (std::same_as<T, double>) {
      return std::bit_cast<uint64_t>(value);
    } else if constexpr (sizeof(T) == 8) {
      return static_cast<uint64_t>(value);
    } else {
      return static_cast<uint32_t>(value);  // extends what is signed to 32 bits
    }
  }
  static void from_word(TransferReader& reader, uint64_t word, T& out) {
    if constexpr (std::same_as<T, float>) {
      out = std::bit_cast<float>(static_cast<uint32_t>(word));
      if (std::isnan(out)) out = std::bit_cast<float>(kNan32);
    } else if constexpr (std::same_as<T, double>) {
      out = std::bit_cast<double>(word);
      if (std::isnan(out)) out = std::bit_cast<double>(kNan64);
    } else if constexpr (std::same_as<T, char32_t>) {
      out = reader.checked_char(static_cast<uint32_t>(word));
    } else if constexpr (std::same_as<T, bool>) {
      out = static_cast<uint32_t>(word) != 0;
    } else {
      out = static_cast<T>(word);
    }
  }
  static void check(const T& value, TransferSize& size) {
    if constexpr (std::same_as<T, char32_t>) size.add_char(value);
  }
};

// For types that are an address and a length: Self has store_contents() and load_contents().
template <typename Self, typename T>
struct RangeAbi : AbiValue {
  static constexpr bool kIsPlain = false;
  static constexpr uint32_t kSize = 8;
  static constexpr uint32_t kAlignment = 4;
  static constexpr uint32_t kFlat = 2;

  static void store(const T& value, TransferWriter& writer, uint32_t address) {
    writer.store<uint32_t>(address, Self::store_contents(value, writer));
    writer.store<uint32_t>(address + 4, static_cast<uint32_t>(value.size()));
  }
  static void lower(const T& value, TransferWriter& writer, uint64_t*& flat) {
    *flat++ = Self::store_contents(value, writer);
    *flat++ = value.size();
  }
  static void load(TransferReader& reader, uint64_t address, T& out) {
    const auto begin = reader.load<uint32_t>(address);
    Self::load_contents(reader, begin, reader.load<uint32_t>(address + 4), out);
  }
  static void lift(TransferReader& reader, const uint64_t*& flat, T& out) {
    const auto begin = static_cast<uint32_t>(*flat++);
    Self::load_contents(reader, begin, static_cast<uint32_t>(*flat++), out);
  }

 private:
  RangeAbi() = default;  // nobody makes one: all is static
  friend Self;
};

template <typename T>
struct StringAbi : RangeAbi<StringAbi<T>, T> {
  static constexpr bool kCanLift = std::same_as<T, std::string>;
  static constexpr ComponentShape kShape{.kind = ComponentKind::kString};

  static void measure(std::string_view value, TransferSize& size) { size.add_string(value); }
  static uint32_t store_contents(std::string_view value, TransferWriter& writer) {
    const uint32_t address = writer.allocate(value.size(), 1);
    writer.store_bytes(address, value.data(), value.size());
    return address;
  }
  static void load_contents(TransferReader& reader, uint32_t address, uint32_t length, T& out) {
    reader.copy_string(address, length, out);
  }
};
template <>
struct Abi<std::string> : StringAbi<std::string> {};
template <>
struct Abi<std::string_view> : StringAbi<std::string_view> {};

// Elements one behind the other: lists, and arrays in place.
template <typename E>
struct Elements {
  using Of = Abi<E>;
  static constexpr std::array<const ComponentShape*, 1> kParts = {&Of::kShape};

  template <typename T>
  static void measure(const T& list, TransferSize& size) {
    if constexpr (!Of::kIsPlain) {
      for (const auto& item : list) Of::measure(item, size);
    }
  }
  template <typename T>
  static void store(const T& list, TransferWriter& writer, uint32_t address) {
    if constexpr (ComponentNumber<E>) {
      writer.store_bytes(address, list.data(), list.size() * sizeof(E));
    } else {
      for (const auto& item : list) {
        Of::store(item, writer, address);
        address += Of::kSize;
      }
    }
  }
  template <typename T>
  static void load(TransferReader& reader, uint64_t address, T& out) {
    if constexpr (ComponentNumber<E>) {
      reader.copy_numbers(address, std::span<E>(out));
    } else {
      for (size_t i = 0; i < out.size() && !reader.failed(); ++i, address += Of::kSize) {
        E item{};  // std::vector<bool> has no elements to refer to
        Of::load(reader, address, item);
        out[i] = std::move(item);
      }
    }
  }
};

template <typename T, typename E>
struct ListAbi : RangeAbi<ListAbi<T, E>, T> {
  static constexpr bool kCanLift = Abi<E>::kCanLift && std::same_as<T, std::vector<E>>;
  static constexpr uint32_t kUse = Abi<E>::kUse;
  static constexpr ComponentShape kShape{.kind = ComponentKind::kList,
                                         .parts = Elements<E>::kParts};

  static void measure(const T& list, TransferSize& size) {
    size.add_list(list.size(), Abi<E>::kSize, Abi<E>::kAlignment);
    Elements<E>::measure(list, size);
  }
  static uint32_t store_contents(const T& list, TransferWriter& writer) {
    const uint32_t address =
        writer.allocate(uint64_t{list.size()} * Abi<E>::kSize, Abi<E>::kAlignment);
    Elements<E>::store(list, writer, address);
    return address;
  }
  static void load_contents(TransferReader& reader, uint32_t address, uint32_t length, T& out) {
    if (!reader.expect_list(address, length, Abi<E>::kSize, Abi<E>::kAlignment, sizeof(E))) return;
    out.resize(length);
    Elements<E>::load(reader, address, out);
  }
};
template <WitValue E>
struct Abi<std::vector<E>> : ListAbi<std::vector<E>, E> {};
// Not of what is given away: a view owns nothing.
template <typename E>
  requires(WitValue<std::remove_const_t<E>> &&
           (Abi<std::remove_const_t<E>>::kUse & kOwnsResources) == 0)
struct Abi<std::span<E>> : ListAbi<std::span<E>, std::remove_const_t<E>> {};

template <WitValue E, size_t kLength>
  requires(kLength > 0)
struct Abi<std::array<E, kLength>> : AbiValue {
  static constexpr bool kIsPlain = Abi<E>::kIsPlain;
  static constexpr bool kCanLift = Abi<E>::kCanLift;
  static constexpr uint32_t kUse = Abi<E>::kUse;
  static constexpr ComponentShape kShape{
      .kind = ComponentKind::kList, .parts = Elements<E>::kParts, .length = uint32_t{kLength}};
  static constexpr uint32_t kSize = kLength * Abi<E>::kSize;
  static constexpr uint32_t kAlignment = Abi<E>::kAlignment;
  static constexpr uint32_t kFlat = kLength * Abi<E>::kFlat;
  using List = std::array<E, kLength>;

  static void measure(const List& list, TransferSize& size) { Elements<E>::measure(list, size); }
  static void store(const List& list, TransferWriter& writer, uint32_t address) {
    Elements<E>::store(list, writer, address);
  }
  static void lower(const List& list, TransferWriter& writer, uint64_t*& flat) {
    for (const E& item : list) Abi<E>::lower(item, writer, flat);
  }
  static void load(TransferReader& reader, uint64_t address, List& out) {
    Elements<E>::load(reader, address, out);
  }
  static void lift(TransferReader& reader, const uint64_t*& flat, List& out) {
    for (E& item : out) Abi<E>::lift(reader, flat, item);
  }
};

// Values one behind the other, each aligned: tuples, records, parameters.
template <typename... Ts>
struct Product {
  static constexpr size_t kCount = sizeof...(Ts);
  static constexpr bool kIsPlain = (Abi<Ts>::kIsPlain && ...);
  static constexpr bool kCanLift = (Abi<Ts>::kCanLift && ...);
  static constexpr uint32_t kUse = (uint32_t{0} | ... | Abi<Ts>::kUse);
  static constexpr uint32_t kAlignment = std::max({uint32_t{1}, Abi<Ts>::kAlignment...});
  static constexpr uint32_t kFlat = (uint32_t{0} + ... + Abi<Ts>::kFlat);
  static constexpr std::array<const ComponentShape*, kCount> kParts = {&Abi<Ts>::kShape...};
  // Where each begins, and where the last ends.
  static constexpr std::array<uint32_t, kCount + 1> kOffsets = [] {
    std::array<uint32_t, kCount + 1> offsets{};
    [[maybe_unused]] size_t i = 0;
    uint64_t end = 0;
    ((offsets[i] = static_cast<uint32_t>(align_up(end, Abi<Ts>::kAlignment)),
      end = offsets[i++] + Abi<Ts>::kSize),
     ...);
    offsets[kCount] = static_cast<uint32_t>(align_up(end, kAlignment));
    return offsets;
  }();
  static constexpr uint32_t kSize = kOffsets[kCount];

  static void measure(TransferSize& size, const Ts&... values) {
    (Abi<Ts>::measure(values, size), ...);
  }
  static void store(TransferWriter& writer, uint32_t address, const Ts&... values) {
    [[maybe_unused]] const uint32_t* offset = kOffsets.data();
    (Abi<Ts>::store(values, writer, address + *offset++), ...);
  }
  static void lower(TransferWriter& writer, uint64_t*& flat, const Ts&... values) {
    (Abi<Ts>::lower(values, writer, flat), ...);
  }
  static void load(TransferReader& reader, uint64_t address, Ts&... out) {
    [[maybe_unused]] const uint32_t* offset = kOffsets.data();
    (Abi<Ts>::load(reader, address + *offset++, out), ...);
  }
  static void lift(TransferReader& reader, const uint64_t*& flat, Ts&... out) {
    (Abi<Ts>::lift(reader, flat, out), ...);
  }
};

// For types that are a Product: Self::visit() calls a function with the parts of a value.
template <typename Self, typename T, typename Parts>
struct ProductAbi : AbiValue {
  static constexpr bool kIsPlain = Parts::kIsPlain;
  static constexpr bool kCanLift = Parts::kCanLift;
  static constexpr uint32_t kUse = Parts::kUse;
  static constexpr uint32_t kSize = Parts::kSize;
  static constexpr uint32_t kAlignment = Parts::kAlignment;
  static constexpr uint32_t kFlat = Parts::kFlat;

  static void measure(const T& value, TransferSize& size) {
    Self::visit(value, [&](const auto&... parts) { Parts::measure(size, parts...); });
  }
  static void store(const T& value, TransferWriter& writer, uint32_t address) {
    Self::visit(value, [&](const auto&... parts) { Parts::store(writer, address, parts...); });
  }
  static void lower(const T& value, TransferWriter& writer, uint64_t*& flat) {
    Self::visit(value, [&](const auto&... parts) { Parts::lower(writer, flat, parts...); });
  }
  static void load(TransferReader& reader, uint64_t address, T& out) {
    Self::visit(out, [&](auto&... parts) { Parts::load(reader, address, parts...); });
  }
  static void lift(TransferReader& reader, const uint64_t*& flat, T& out) {
    Self::visit(out, [&](auto&... parts) { Parts::lift(reader, flat, parts...); });
  }

 private:
  ProductAbi() = default;  // nobody makes one: all is static
  friend Self;
};

template <WitValue... Ts>
  requires(sizeof...(Ts) > 0)
struct Abi<std::tuple<Ts...>>
    : ProductAbi<Abi<std::tuple<Ts...>>, std::tuple<Ts...>, Product<Ts...>> {
  static constexpr ComponentShape kShape{.kind = ComponentKind::kTuple,
                                         .parts = Product<Ts...>::kParts};
  template <typename Tuple, typename Function>
  static void visit(Tuple& value, Function function) {
    std::apply(function, value);
  }
};

// The payload of a case; std::monostate is none.
template <typename T>
struct Payload : Abi<T> {
  static constexpr const ComponentShape* kPart = &Abi<T>::kShape;
};
template <>
struct Payload<std::monostate> : AbiValue {
  static constexpr const ComponentShape* kPart = nullptr;
  static constexpr uint32_t kSize = 0;
  static constexpr uint32_t kAlignment = 1;
  static constexpr uint32_t kFlat = 0;
  static void measure(std::monostate, TransferSize&) {}
  static void store(std::monostate, TransferWriter&, uint32_t) {}
  static void lower(std::monostate, TransferWriter&, uint64_t*&) {}
  static void load(TransferReader&, uint64_t, std::monostate&) {}
  static void lift(TransferReader&, const uint64_t*&, std::monostate&) {}
};
template <typename T>
concept WitPayload = Payload<T>::kIsValue;

// The bytes of a number below `cases`.
constexpr uint32_t case_bytes(size_t cases) {
  if (cases <= 0x100) return 1;
  return cases <= 0x10000 ? 2 : 4;
}

// One of several payloads, behind its number.
template <typename... Ps>
struct Sum {
  static constexpr uint32_t kCount = sizeof...(Ps);
  static constexpr uint32_t kCaseBytes = case_bytes(kCount);
  static constexpr bool kIsPlain = (Payload<Ps>::kIsPlain && ...);
  static constexpr bool kCanLift = (Payload<Ps>::kCanLift && ...);
  static constexpr uint32_t kUse = (uint32_t{0} | ... | Payload<Ps>::kUse);
  static constexpr uint32_t kAlignment = std::max({kCaseBytes, Payload<Ps>::kAlignment...});
  static constexpr auto kOffset = static_cast<uint32_t>(
      align_up(kCaseBytes, std::max({uint32_t{1}, Payload<Ps>::kAlignment...})));
  static constexpr auto kSize = static_cast<uint32_t>(
      align_up(kOffset + std::max({uint32_t{0}, Payload<Ps>::kSize...}), kAlignment));
  static constexpr uint32_t kFlat = 1 + std::max({uint32_t{0}, Payload<Ps>::kFlat...});
  static constexpr std::array<const ComponentShape*, kCount> kParts = {Payload<Ps>::kPart...};
};

// For types that are a Sum. Self::visit() calls a function with the number of the case that a value
// is of, and its payload; Self::make() makes the value one of that case, and calls it with the
// payload to be filled.
template <typename Self, typename T, typename Cases>
struct SumAbi : AbiValue {
  static constexpr bool kIsPlain = Cases::kIsPlain;
  static constexpr bool kCanLift = Cases::kCanLift;
  static constexpr uint32_t kUse = Cases::kUse;
  static constexpr uint32_t kSize = Cases::kSize;
  static constexpr uint32_t kAlignment = Cases::kAlignment;
  static constexpr uint32_t kFlat = Cases::kFlat;

  static void measure(const T& value, TransferSize& size) {
    Self::visit(
        value, [&]<typename P>(uint32_t, const P& payload) { Payload<P>::measure(payload, size); });
  }
  static void store(const T& value, TransferWriter& writer, uint32_t address) {
    Self::visit(value, [&]<typename P>(uint32_t number, const P& payload) {
      writer.store_word(address, number, Cases::kCaseBytes);
      Payload<P>::store(payload, writer, address + Cases::kOffset);
    });
  }
  static void lower(const T& value, TransferWriter& writer, uint64_t*& flat) {
    uint64_t* const end = flat + kFlat;
    Self::visit(value, [&]<typename P>(uint32_t number, const P& payload) {
      *flat++ = number;
      Payload<P>::lower(payload, writer, flat);
    });
    std::fill(flat, end, 0);
    flat = end;
  }
  static void load(TransferReader& reader, uint64_t address, T& out) {
    const auto number = static_cast<uint32_t>(reader.load_word(address, Cases::kCaseBytes));
    Self::make(out, reader.checked_case(number, Cases::kCount), [&]<typename P>(P& payload) {
      Payload<P>::load(reader, address + Cases::kOffset, payload);
    });
  }
  static void lift(TransferReader& reader, const uint64_t*& flat, T& out) {
    const uint64_t* const end = flat + kFlat;
    const auto number = static_cast<uint32_t>(*flat++);
    Self::make(out, reader.checked_case(number, Cases::kCount),
               [&]<typename P>(P& payload) { Payload<P>::lift(reader, flat, payload); });
    flat = end;
  }

 private:
  SumAbi() = default;  // nobody makes one: all is static
  friend Self;
};

template <WitValue T>
struct Abi<std::optional<T>>
    : SumAbi<Abi<std::optional<T>>, std::optional<T>, Sum<std::monostate, T>> {
  static constexpr std::array<const ComponentShape*, 1> kParts = {&Abi<T>::kShape};
  static constexpr ComponentShape kShape{.kind = ComponentKind::kOption, .parts = kParts};
  template <typename Function>
  static void visit(const std::optional<T>& value, Function function) {
    if (value) return function(1, *value);
    function(0, std::monostate());
  }
  template <typename Function>
  static void make(std::optional<T>& out, uint32_t number, Function function) {
    if (number == 1) function(out.emplace());
  }
};

template <typename T, typename E>
using ResultCases =
    Sum<typename ComponentResult<T, E>::Ok, typename ComponentResult<T, E>::Failure>;
template <typename T, typename E>
  requires WitPayload<typename ComponentResult<T, E>::Ok> &&
           WitPayload<typename ComponentResult<T, E>::Failure>
struct Abi<ComponentResult<T, E>>
    : SumAbi<Abi<ComponentResult<T, E>>, ComponentResult<T, E>, ResultCases<T, E>> {
  static constexpr ComponentShape kShape{.kind = ComponentKind::kResult,
                                         .parts = ResultCases<T, E>::kParts};
  template <typename Function>
  static void visit(const ComponentResult<T, E>& value, Function function) {
    if (value.is_ok()) return function(0, value.value());
    function(1, value.error());
  }
  template <typename Function>
  static void make(ComponentResult<T, E>& out, uint32_t number, Function function) {
    if (number == 0) function(out.value());
    if (number == 1) function(out.set_error());
  }
};

template <typename... Ps>
struct VariantAbi : SumAbi<VariantAbi<Ps...>, std::variant<Ps...>, Sum<Ps...>> {
  using Value = std::variant<Ps...>;
  using Base = SumAbi<VariantAbi<Ps...>, Value, Sum<Ps...>>;
  static constexpr ComponentShape kShape{.kind = ComponentKind::kVariant,
                                         .parts = Sum<Ps...>::kParts};

  static void measure(const Value& value, TransferSize& size) {
    if (value.valueless_by_exception()) size.add_case(sizeof...(Ps), sizeof...(Ps));
    Base::measure(value, size);
  }
  template <typename Function>
  static void visit(const Value& value, Function function) {
    [&]<size_t... I>(std::index_sequence<I...>) {
      ((value.index() == I ? function(uint32_t{I}, *std::get_if<I>(&value)) : void()), ...);
    }(std::index_sequence_for<Ps...>());
  }
  template <typename Function>
  static void make(Value& out, uint32_t number, Function function) {
    [&]<size_t... I>(std::index_sequence<I...>) {
      ((number == I ? function(out.template emplace<I>()) : void()), ...);
    }(std::index_sequence_for<Ps...>());
  }
};
template <WitPayload... Ps>
struct Abi<std::variant<Ps...>> : VariantAbi<Ps...> {
  static constexpr bool kIsPlain = false;  // it may have no value
};

}  // namespace mayfly::detail
