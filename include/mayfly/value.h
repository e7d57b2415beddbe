// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values of WebAssembly on the host's side: Value carries its type with it, Typed<T> says which
// WebAssembly type a C++ type stands for.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "mayfly/export.h"
#include "mayfly/result.h"

namespace mayfly {

// kOtherRef: a reference of WebAssembly 3.0 into the guest (anyref, structref, ...). The host can
// hold it and see whether it is null, nothing more.
enum class ValueKind : uint8_t { kI32, kI64, kF32, kF64, kV128, kFuncref, kExternref, kOtherRef };
MAYFLY_API std::string_view to_string(ValueKind kind);

struct FunctionType {
  std::vector<ValueKind> params;
  std::vector<ValueKind> results;
  bool operator==(const FunctionType&) const = default;
};
// "(i32, i64) -> (f32)"
MAYFLY_API std::string to_string(const FunctionType& type);

// 16 bytes; lane 0 is in the lowest bits of low.
struct V128 {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const V128&) const = default;
};

// A number of the host's own that the guest can pass on and not look into. Default: null.
struct ExternRef {
  bool is_null = true;
  uint64_t number = 0;  // below UINT64_MAX
  bool operator==(const ExternRef&) const = default;
};

namespace detail {

// One argument or result as host and guest share it. Integers and floats are in the low bytes, the
// rest is zero. References: 0 is null.
struct alignas(16) Slot {
  uint64_t low = 0;
  uint64_t high = 0;
};

}  // namespace detail

// Which WebAssembly type a C++ type stands for:
//   i32: bool and integers of 1, 2 or 4 bytes    i64: integers of 8 bytes
//   f32: float    f64: double    v128: V128      externref: ExternRef
// A narrow integer is extended on the way in, and loses its high bits on the way out.
template <typename T>
struct Typed {
  static constexpr bool kIsValue = false;
};

template <std::integral T>
  requires(sizeof(T) <= 8)
struct Typed<T> {
  static constexpr bool kIsValue = true;
  static constexpr ValueKind kKind = sizeof(T) == 8 ? ValueKind::kI64 : ValueKind::kI32;
  static detail::Slot to_slot(T value) {
    if constexpr (sizeof(T) == 8) {
      return {static_cast<uint64_t>(value), 0};
    } else {
      return {static_cast<uint32_t>(value), 0};  // sign-extends what is signed and narrow
    }
  }
  static T from_slot(const detail::Slot& slot) {
    if constexpr (std::same_as<T, bool>) {
      return static_cast<uint32_t>(slot.low) != 0;
    } else {
      return static_cast<T>(slot.low);
    }
  }
};

template <>
struct Typed<float> {
  static constexpr bool kIsValue = true;
  static constexpr ValueKind kKind = ValueKind::kF32;
  static detail::Slot to_slot(float value) { return {std::bit_cast<uint32_t>(value), 0}; }
  static float from_slot(const detail::Slot& slot) {
    return std::bit_cast<float>(static_cast<uint32_t>(slot.low));
  }
};

template <>
struct Typed<double> {
  static constexpr bool kIsValue = true;
  static constexpr ValueKind kKind = ValueKind::kF64;
  static detail::Slot to_slot(double value) { return {std::bit_cast<uint64_t>(value), 0}; }
  static double from_slot(const detail::Slot& slot) { return std::bit_cast<double>(slot.low); }
};

template <>
struct Typed<V128> {
  static constexpr bool kIsValue = true;
  static constexpr ValueKind kKind = ValueKind::kV128;
  static detail::Slot to_slot(V128 value) { return {value.low, value.high}; }
  static V128 from_slot(const detail::Slot& slot) { return {slot.low, slot.high}; }
};

template <>
struct Typed<ExternRef> {
  static constexpr bool kIsValue = true;
  static constexpr ValueKind kKind = ValueKind::kExternref;
  static detail::Slot to_slot(ExternRef value) { return {value.is_null ? 0 : value.number + 1, 0}; }
  static ExternRef from_slot(const detail::Slot& slot) {
    if (slot.low == 0) return {};
    return {false, slot.low - 1};
  }
};

template <typename T>
concept WasmValue = Typed<std::remove_cvref_t<T>>::kIsValue;

// A value with its type. Cheap to copy.
class Value {
 public:
  Value() = default;  // i32 0
  template <WasmValue T>
  Value(T value) : kind_(Typed<T>::kKind), slot_(Typed<T>::to_slot(value)) {}  // NOLINT
  // A reference of this kind that is null. Precondition: kind is that of a reference.
  static Value null(ValueKind kind) { return Value(kind, {}); }
  // The slot's bits as a value of this kind; for who passes values on.
  static Value of_slot(ValueKind kind, const detail::Slot& slot) { return Value(kind, slot); }

  ValueKind kind() const { return kind_; }
  bool is_null() const { return slot_.low == 0; }  // of a reference
  // Errors: kInvalid when T stands for another type.
  template <WasmValue T>
  Result<T> get() const {
    if (Typed<T>::kKind != kind_) return wrong_kind(Typed<T>::kKind);
    return Typed<T>::from_slot(slot_);
  }
  const detail::Slot& slot() const { return slot_; }

 private:
  Value(ValueKind kind, const detail::Slot& slot) : kind_(kind), slot_(slot) {}
  MAYFLY_API Error wrong_kind(ValueKind wanted) const;

  ValueKind kind_ = ValueKind::kI32;
  detail::Slot slot_;
};

// "42", "2.5", "0x000102...0f" (v128, the last byte first), "null", "externref 3", "funcref".
MAYFLY_API std::string to_string(const Value& value);

}  // namespace mayfly
