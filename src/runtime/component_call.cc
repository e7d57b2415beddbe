// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The host as a caller of the canonical ABI: what definitions.py does around canon_lower, with the
// transfer memory for a memory.
#include "runtime/component_call.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "component/host_lift.h"
#include "component/host_lower.h"
#include "guest_abi/instance.h"

namespace mayfly::runtime {
namespace {

using component::FlatValues;
using component::ValType;
using component::ValueRole;

constexpr uint64_t kPageBytes = 65536;

Result<guest_abi::MemoryInfo> read_info(ImageRunner& runner, uint64_t address) {
  std::array<uint8_t, sizeof(guest_abi::MemoryInfo)> bytes{};
  MAYFLY_TRY(runner.vm().read(address, bytes));
  guest_abi::MemoryInfo info;
  std::memcpy(&info, bytes.data(), sizeof info);
  return info;
}

// A guest's end with a message: what it handed to the host is no value.
std::unique_ptr<CallOutcome> bad_value(Error error) {
  auto outcome = std::make_unique<CallOutcome>();
  outcome->kind = CallOutcome::Kind::kTrapped;
  outcome->trap.code = guest_abi::TrapCode::kComponent;
  outcome->trap.message = std::move(error.message);
  return outcome;
}

// The one argument of a resource's drop: a handle.
Result<uint32_t> dropped_handle(std::span<const ComponentValue> arguments) {
  if (arguments.size() == 1 && arguments[0].kind() == ComponentKind::kOwn) {
    return arguments[0].handle();
  }
  return invalid("one argument is wanted, the own handle of a resource");
}

}  // namespace

Result<std::span<const uint8_t>> TransferMemory::view() const {
  return runner_->vm().read_view(place_->address, runner_->vm().region_bytes(place_->region));
}

Result<void> TransferMemory::reserve(uint64_t bytes) {
  if (bytes <= runner_->vm().region_bytes(place_->region)) return {};
  const uint64_t wanted = (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  if (wanted > runner_->image().regions()[place_->region].bytes_reserved ||
      !runner_->ports().may_grow(place_->region, wanted)) {
    return limit("values of " + std::to_string(bytes) +
                 " bytes are more than the sandbox's memory "
                 "may have");
  }
  guest_abi::MemoryInfo info = MAYFLY_TRY(read_info(*runner_, place_->info));
  MAYFLY_TRY(runner_->vm().resize(place_->region, wanted));
  info.bytes = wanted;
  std::array<uint8_t, sizeof info> image{};
  std::memcpy(image.data(), &info, sizeof info);
  return runner_->vm().write(place_->info, image);
}

Result<detail::TransferArea> TransferMemory::reserve_area(uint32_t top, uint64_t bytes) {
  const uint64_t base = detail::align_up(top, detail::kTransferAlignment);
  if (base + bytes >= UINT32_MAX) {
    return limit("values of " + std::to_string(bytes) + " bytes are too large for one call");
  }
  detail::TransferArea area{static_cast<uint32_t>(base), {}};
  if (bytes == 0) return area;
  MAYFLY_TRY(reserve(base + bytes));
  area.bytes = MAYFLY_TRY(runner_->vm().view(place_->address + base, bytes));
  return area;
}

Result<LoweredCall> lower_call(ImageRunner& runner, const ComponentTarget& target,
                               const detail::TransferCall& values, uint32_t top) {
  LoweredCall lowered;
  const uint64_t bytes = detail::align_up(values.bytes, detail::kTransferAlignment);
  const detail::TransferArea whole = MAYFLY_TRY(
      TransferMemory(runner, target.transfer).reserve_area(top, bytes + target.result_bytes));
  std::array<uint64_t, component::kMaxFlatParams> flat{};
  values.lower(values.values, {whole.base, whole.bytes.first(bytes)}, flat.data());

  const uint32_t params = target.flat_params;
  lowered.slots[0] = {detail::align_up(whole.base + whole.bytes.size(), detail::kTransferAlignment),
                      0};
  for (size_t i = 0; i < params; ++i) lowered.slots.at(i + 1) = {flat.at(i), 0};
  if (target.result_bytes != 0) {
    lowered.result_address = whole.base + static_cast<uint32_t>(bytes);
    lowered.slots.at(params + 1) = {lowered.result_address, 0};
  }
  return lowered;
}

Result<std::unique_ptr<CallOutcome>> run_call(ImageRunner& runner, const ComponentTarget& target,
                                              const detail::TransferCall& values,
                                              LoweredCall& lowered) {
  auto ended = MAYFLY_TRY(runner.call_slots(target.entry, lowered.slots.data()));
  if (ended != nullptr || !target.has_result) return ended;
  // One flat value is never an address.
  const bool in_memory = target.result_bytes != 0;
  std::span<const uint8_t> memory;
  if (in_memory) memory = MAYFLY_TRY(TransferMemory(runner, target.transfer).view());
  auto lifted =
      values.lift(values.values, memory, in_memory ? lowered.result_address : lowered.slots[0].low);
  if (!lifted) return bad_value(std::move(lifted).error());
  return std::unique_ptr<CallOutcome>();
}

Result<DynamicCall> DynamicCall::create(const ComponentTarget& target,
                                        std::span<const ComponentValue> arguments,
                                        uint64_t lifted_bytes_max) {
  DynamicCall call(target, arguments);
  call.lifted_bytes_max_ = lifted_bytes_max;
  if (target.is_drop()) {
    MAYFLY_TRY(dropped_handle(arguments));
    return call;
  }
  call.bytes_ = MAYFLY_TRY(
      component::lowered_bytes(call.types(), target.params, arguments, ValueRole::kArgument));
  return call;
}

detail::TransferCall DynamicCall::values() { return {this, bytes_, &lower, &lift}; }

void DynamicCall::lower(void* values, const detail::TransferArea& area, uint64_t* flat) {
  const auto& self = *static_cast<const DynamicCall*>(values);
  if (self.target_->is_drop()) {
    flat[0] = self.arguments_[0].handle();
    return;
  }
  const FlatValues lowered =
      component::lower_values(self.types(), self.target_->params, self.arguments_,
                              ValueRole::kArgument, area.base, area.bytes);
  std::ranges::copy(lowered.values(), flat);
}

Result<void> DynamicCall::lift(void* values, std::span<const uint8_t> memory, uint64_t flat) {
  auto& self = *static_cast<DynamicCall*>(values);
  const ValType result = self.types().result(self.target_->function.type);
  auto lifted =
      MAYFLY_TRY(component::lift_values(self.types(), std::array{result}, ValueRole::kResult,
                                        {&flat, 1}, memory, self.lifted_bytes_max_));
  self.result_ = std::move(lifted.front());
  return {};
}

Result<ComponentOutcome> call_component(ImageRunner& runner,
                                        const linker::ComponentExport& function,
                                        std::span<const ComponentValue> arguments, uint32_t top) {
  const ComponentTarget target = MAYFLY_TRY(ComponentTarget::find(runner.image(), function));
  DynamicCall call = MAYFLY_TRY(DynamicCall::create(target, arguments));
  const detail::TransferCall values = call.values();
  LoweredCall lowered = MAYFLY_TRY(lower_call(runner, target, values, top));
  const auto ended = MAYFLY_TRY(run_call(runner, target, values, lowered));
  ComponentOutcome outcome;
  if (ended != nullptr) outcome.call = std::move(*ended);
  outcome.value = call.take_result();
  return outcome;
}

}  // namespace mayfly::runtime
