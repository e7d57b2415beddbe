// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of ComponentValue that need its fields to be whole.
#include "mayfly/component_value.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"
#include "base/result.h"

namespace mayfly {
namespace {

template <typename T>
struct IsNumbers : std::false_type {};
template <ComponentNumber T>
struct IsNumbers<std::vector<T>> : std::true_type {};

template <typename T>
bool same_number(T a, T b) {
  if constexpr (std::same_as<T, float>) {
    return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) ||
           (std::isnan(a) && std::isnan(b));
  } else if constexpr (std::same_as<T, double>) {
    return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b) ||
           (std::isnan(a) && std::isnan(b));
  } else {
    return a == b;
  }
}

bool same_bits(ComponentKind kind, uint64_t a, uint64_t b) {
  if (kind == ComponentKind::kF32) {
    return same_number(std::bit_cast<float>(static_cast<uint32_t>(a)),
                       std::bit_cast<float>(static_cast<uint32_t>(b)));
  }
  if (kind == ComponentKind::kF64) {
    return same_number(std::bit_cast<double>(a), std::bit_cast<double>(b));
  }
  return a == b;
}

}  // namespace

std::string_view to_string(ComponentKind kind) {
  static constexpr std::array<std::string_view, 23> kNames = {
      "bool",    "s8",   "u8",    "s16",    "u16",    "s32",  "u32",   "s64",
      "u64",     "f32",  "f64",   "char",   "string", "list", "tuple", "record",
      "variant", "enum", "flags", "option", "result", "own",  "borrow"};
  return kNames[static_cast<size_t>(kind)];
}

ComponentValue::ComponentValue(ComponentKind kind, State state)
    : kind_(kind), state_(std::move(state)) {}
ComponentValue::ComponentValue(ComponentKind kind, uint64_t bits) : kind_(kind), state_(bits) {}
ComponentValue::ComponentValue() : ComponentValue(ComponentKind::kBool, uint64_t{0}) {}
ComponentValue::ComponentValue(std::string text)
    : kind_(ComponentKind::kString), state_(std::move(text)) {}
ComponentValue::ComponentValue(std::string_view text) : ComponentValue(std::string(text)) {}
ComponentValue::ComponentValue(const char* text) : ComponentValue(std::string(text)) {}
ComponentValue::ComponentValue(const ComponentValue& other) = default;
ComponentValue::ComponentValue(ComponentValue&& other) noexcept = default;
ComponentValue& ComponentValue::operator=(const ComponentValue& other) = default;
ComponentValue& ComponentValue::operator=(ComponentValue&& other) noexcept = default;
ComponentValue::~ComponentValue() = default;

ComponentValue ComponentValue::list(std::vector<ComponentValue> items) {
  return {ComponentKind::kList, State(std::move(items))};
}

ComponentValue ComponentValue::tuple(std::vector<ComponentValue> items) {
  return {ComponentKind::kTuple, State(std::move(items))};
}

ComponentValue ComponentValue::record(std::vector<Field> fields) {
  return {ComponentKind::kRecord, State(std::move(fields))};
}

ComponentValue ComponentValue::variant(std::string name) {
  std::vector<ComponentValue> parts;
  parts.emplace_back(std::move(name));
  return {ComponentKind::kVariant, State(std::move(parts))};
}

ComponentValue ComponentValue::variant(std::string name, ComponentValue payload) {
  std::vector<ComponentValue> parts;
  parts.reserve(2);
  parts.emplace_back(std::move(name));
  parts.push_back(std::move(payload));
  return {ComponentKind::kVariant, State(std::move(parts))};
}

ComponentValue ComponentValue::enumeration(std::string name) {
  return {ComponentKind::kEnum, State(std::move(name))};
}

ComponentValue ComponentValue::flags(std::vector<std::string> names) {
  return {ComponentKind::kFlags, State(std::move(names))};
}

ComponentValue ComponentValue::none() {
  return {ComponentKind::kOption, State(std::vector<ComponentValue>())};
}

ComponentValue ComponentValue::some(ComponentValue payload) {
  std::vector<ComponentValue> parts;
  parts.push_back(std::move(payload));
  return {ComponentKind::kOption, State(std::move(parts))};
}

ComponentValue ComponentValue::ok() {
  return {ComponentKind::kResult, State(std::vector<ComponentValue>())};
}

ComponentValue ComponentValue::ok(ComponentValue payload) {
  ComponentValue value = some(std::move(payload));
  value.kind_ = ComponentKind::kResult;
  return value;
}

ComponentValue ComponentValue::error() {
  ComponentValue value = ok();
  value.position_ = 1;
  return value;
}

ComponentValue ComponentValue::error(ComponentValue payload) {
  ComponentValue value = ok(std::move(payload));
  value.position_ = 1;
  return value;
}

ComponentValue ComponentValue::own(uint32_t handle) { return of_bits(ComponentKind::kOwn, handle); }

ComponentValue ComponentValue::borrow(uint32_t handle) {
  return of_bits(ComponentKind::kBorrow, handle);
}

std::string_view ComponentValue::text() const {
  if (kind_ == ComponentKind::kVariant) {
    const auto* parts = std::get_if<std::vector<ComponentValue>>(&state_);
    return parts != nullptr && !parts->empty() ? parts->front().text() : std::string_view();
  }
  const auto* held = std::get_if<std::string>(&state_);
  return held != nullptr ? std::string_view(*held) : std::string_view();
}

size_t ComponentValue::size() const {
  if (kind_ != ComponentKind::kList && kind_ != ComponentKind::kTuple &&
      kind_ != ComponentKind::kRecord && kind_ != ComponentKind::kFlags) {
    return 0;
  }
  return std::visit(
      [](const auto& held) -> size_t {
        if constexpr (requires { held.size(); }) {
          return held.size();
        } else {
          return 0;
        }
      },
      state_);
}

std::span<const ComponentValue> ComponentValue::items() const {
  if (kind_ != ComponentKind::kList && kind_ != ComponentKind::kTuple) return {};
  const auto* held = std::get_if<std::vector<ComponentValue>>(&state_);
  return held != nullptr ? std::span<const ComponentValue>(*held)
                         : std::span<const ComponentValue>();
}

ComponentKind ComponentValue::number_kind() const {
  return std::visit(
      [](const auto& held) {
        using Held = std::remove_cvref_t<decltype(held)>;
        if constexpr (IsNumbers<Held>::value) {
          return component_kind<typename Held::value_type>();
        } else {
          return ComponentKind::kList;
        }
      },
      state_);
}

std::span<const std::byte> ComponentValue::number_bytes() const {
  return std::visit(
      [](const auto& held) -> std::span<const std::byte> {
        if constexpr (IsNumbers<std::remove_cvref_t<decltype(held)>>::value) {
          return std::as_bytes(std::span(held));
        } else {
          return {};
        }
      },
      state_);
}

ComponentValue ComponentValue::item(size_t index) const {
  CHECK(index < size(), index, size());
  return std::visit(
      [&](const auto& held) {
        using Held = std::remove_cvref_t<decltype(held)>;
        if constexpr (IsNumbers<Held>::value || std::same_as<Held, std::vector<ComponentValue>>) {
          return ComponentValue(held[index]);
        } else {
          return ComponentValue();
        }
      },
      state_);
}

std::span<const ComponentValue::Field> ComponentValue::fields() const {
  const auto* held = std::get_if<std::vector<Field>>(&state_);
  return held != nullptr ? std::span<const Field>(*held) : std::span<const Field>();
}

const ComponentValue* ComponentValue::field(std::string_view name) const {
  for (const Field& one : fields()) {
    if (one.name == name) return &one.value;
  }
  return nullptr;
}

const ComponentValue* ComponentValue::payload() const {
  const auto* parts = std::get_if<std::vector<ComponentValue>>(&state_);
  if (parts == nullptr) return nullptr;
  if (kind_ == ComponentKind::kVariant) return parts->size() > 1 ? &(*parts)[1] : nullptr;
  if (kind_ != ComponentKind::kOption && kind_ != ComponentKind::kResult) return nullptr;
  return parts->empty() ? nullptr : &parts->front();
}

std::span<const std::string> ComponentValue::flag_names() const {
  const auto* held = std::get_if<std::vector<std::string>>(&state_);
  return held != nullptr ? std::span<const std::string>(*held) : std::span<const std::string>();
}

std::string ComponentValue::take_text() && {
  auto* held = std::get_if<std::string>(&state_);
  return held != nullptr ? std::move(*held) : std::string(text());
}

std::vector<ComponentValue> ComponentValue::take_items() && {
  auto* held = std::get_if<std::vector<ComponentValue>>(&state_);
  const bool has_items = kind_ == ComponentKind::kList || kind_ == ComponentKind::kTuple;
  return held != nullptr && has_items ? std::move(*held) : std::vector<ComponentValue>();
}

Error ComponentValue::wrong_kind(ComponentKind wanted) const {
  return invalid("the value is of type " + std::string(to_string(kind_)) + ", not " +
                 std::string(to_string(wanted)));
}

// The same elements, whichever way each list keeps them.
bool ComponentValue::equal_lists(const ComponentValue& other) const {
  if (size() != other.size()) return false;
  for (size_t i = 0; i < size(); ++i) {
    if (item(i) != other.item(i)) return false;
  }
  return true;
}

bool ComponentValue::operator==(const ComponentValue& other) const {
  if (kind_ != other.kind_) return false;
  if (kind_ == ComponentKind::kResult && position_ != other.position_) return false;
  if (state_.index() != other.state_.index()) return equal_lists(other);
  return std::visit(
      [&](const auto& held) {
        using Held = std::remove_cvref_t<decltype(held)>;
        const Held& others = *std::get_if<Held>(&other.state_);
        if constexpr (std::same_as<Held, uint64_t>) {
          return same_bits(kind_, held, others);
        } else if constexpr (std::same_as<Held, std::vector<std::string>>) {
          return std::ranges::is_permutation(held, others);
        } else if constexpr (IsNumbers<Held>::value) {
          return std::ranges::equal(held, others, same_number<typename Held::value_type>);
        } else {
          return held == others;
        }
      },
      state_);
}

}  // namespace mayfly
