// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The host as a callee of the canonical ABI: what definitions.py does around canon_lift, with the
// transfer memory for a memory. The slots are: where free transfer memory begins, then flat values.
#include <array>

#include "component/host_lift.h"
#include "component/host_lower.h"
#include "mayfly/transfer.h"
#include "runtime/component_call.h"
#include "runtime/linked_component.h"
#include "runtime/sandbox_state.h"

namespace mayfly::detail {
namespace {

using component::TypeArena;
using component::TypeId;
using component::ValType;
using component::ValueRole;

constexpr TypeId kDestructor{component::kNoIndex};

runtime::TransferMemory transfer_memory(runtime::SandboxState& sandbox) {
  return {sandbox.runner(), sandbox.program().component->transfer};
}

static_assert(kFlatParamsMax == component::kMaxFlatParams);
static_assert(kFlatResultsMax == component::kMaxFlatResults);

}  // namespace

HostTransfer::HostTransfer(runtime::SandboxState& sandbox,
                           const runtime::BoundHostFunction& function, Slot* slots)
    : sandbox_(&sandbox),
      function_(&function),
      slots_(slots),
      top_(static_cast<uint32_t>(slots[0].low)) {}

Result<std::vector<ComponentValue>> HostTransfer::lift() const {
  if (function_->type == kDestructor) {
    return std::vector{ComponentValue::own(static_cast<uint32_t>(slots_[1].low))};
  }
  std::array<uint64_t, component::kMaxFlatParams> flat{};
  arguments(flat.data(), function_->flat_params);
  return component::lift_values(function_->file->component.types, function_->params,
                                ValueRole::kArgument, std::span(flat).first(function_->flat_params),
                                MAYFLY_TRY(transfer_memory(*sandbox_).view()),
                                sandbox_->config().limits.lifted_bytes_max);
}

Result<TransferArea> HostTransfer::reserve(uint64_t bytes) const {
  return transfer_memory(*sandbox_).reserve_area(top_, bytes);
}

void HostTransfer::arguments(uint64_t* flat, size_t count) const {
  for (size_t i = 0; i < count; ++i) flat[i] = slots_[i + 1].low;
}

Result<TransferReader> HostTransfer::reader() const {
  return TransferReader(MAYFLY_TRY(transfer_memory(*sandbox_).view()),
                        sandbox_->config().limits.lifted_bytes_max, sandbox_);
}

void HostTransfer::answer(uint64_t flat) { slots_[0].low = flat; }

Result<void> HostTransfer::lower(const ComponentValue* value) {
  const TypeArena& types = function_->file->component.types;
  const ValType result = function_->type == kDestructor ? ValType() : types.result(function_->type);
  if (!result.exists() && value == nullptr) return {};
  if (!result.exists() || value == nullptr) {
    return invalid(function_->name + ": the host function answered " +
                   (value == nullptr ? "nothing, but has a result" : "a value, but has no result"));
  }
  const std::array wanted = {result};
  const std::span<const ComponentValue> values(value, 1);
  const auto bytes = component::lowered_bytes(types, wanted, values, ValueRole::kResult);
  if (!bytes) return with_context(function_->name, bytes.error());
  const TransferArea area = MAYFLY_TRY(reserve(*bytes));
  slots_[0].low =
      component::lower_values(types, wanted, values, ValueRole::kResult, area.base, area.bytes)
          .values()[0];
  return {};
}

}  // namespace mayfly::detail
