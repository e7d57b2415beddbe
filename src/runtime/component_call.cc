// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The host as a caller of the canonical ABI: what definitions.py does around canon_lower, with the
// transfer memory for a memory.
#include "runtime/component_call.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "component/flatten.h"
#include "component/host_lift.h"
#include "component/host_lower.h"
#include "guest_abi/instance.h"
#include "linker/state_module.h"

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

Result<TransferMemory> TransferMemory::find(ImageRunner& runner) {
  const image::ImageExport* found = runner.find_export(0, linker::kTransferExport);
  if (found == nullptr || found->kind != wasm::ExternKind::kMemory) {
    return invalid("the image is not of a component");
  }
  return TransferMemory(runner, found->memory);
}

Result<std::span<uint8_t>> TransferMemory::view() const {
  return runner_->vm().view(address(), runner_->vm().region_bytes(memory_->region));
}

Result<void> TransferMemory::reserve(uint64_t bytes) {
  if (bytes <= runner_->vm().region_bytes(memory_->region)) return {};
  const uint64_t wanted = (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  if (wanted > runner_->image().regions()[memory_->region].bytes_reserved ||
      !runner_->ports().may_grow(memory_->region, wanted)) {
    return limit("values of " + std::to_string(bytes) +
                 " bytes are more than the sandbox's memory "
                 "may have");
  }
  guest_abi::MemoryInfo info = MAYFLY_TRY(read_info(*runner_, memory_->info));
  MAYFLY_TRY(runner_->vm().resize(memory_->region, wanted));
  info.bytes = wanted;
  std::array<uint8_t, sizeof info> image{};
  std::memcpy(image.data(), &info, sizeof info);
  return runner_->vm().write(memory_->info, image);
}

Result<detail::TransferArea> TransferMemory::reserve_area(uint32_t top, uint64_t bytes) {
  const uint64_t base = detail::align_up(top, detail::kTransferAlignment);
  if (base + bytes >= UINT32_MAX) {
    return limit("values of " + std::to_string(bytes) + " bytes are too large for one call");
  }
  MAYFLY_TRY(reserve(base + bytes));
  return detail::TransferArea{static_cast<uint32_t>(base), MAYFLY_TRY(view()).subspan(base, bytes)};
}

Result<LoweredCall> lower_call(ImageRunner& runner, const linker::ComponentExport& function,
                               const detail::TransferCall& values, uint32_t top) {
  LoweredCall lowered;
  lowered.entry = runner.find_export(function.step, function.export_name);
  if (lowered.entry == nullptr || lowered.entry->kind != wasm::ExternKind::kFunc) {
    return invalid("the image has no function " + function.export_name);
  }
  component::Layout area;
  if (function.type != component::TypeId{component::kNoIndex}) {
    const component::TypeArena& types = function.file->component.types;
    const ValType result = types.result(function.type);
    lowered.has_result = result.exists();
    if (lowered.has_result) area = component::tuple_layout(types, std::array{result});
  }
  const bool in_memory = area.flat.size() > component::kMaxFlatResults;
  const uint64_t bytes = detail::align_up(values.bytes, detail::kTransferAlignment);
  TransferMemory transfer = MAYFLY_TRY(TransferMemory::find(runner));
  detail::TransferArea whole =
      MAYFLY_TRY(transfer.reserve_area(top, bytes + (in_memory ? area.size : 0)));
  std::array<uint64_t, component::kMaxFlatParams> flat{};
  values.lower(values.values, {whole.base, whole.bytes.first(bytes)}, flat.data());

  size_t params = lowered.entry->func.type.params.size() - 1;
  if (in_memory) --params;
  lowered.slots[0].low =
      detail::align_up(whole.base + whole.bytes.size(), detail::kTransferAlignment);
  for (size_t i = 0; i < params; ++i) lowered.slots.at(i + 1).low = flat.at(i);
  if (in_memory) {
    lowered.result_address = whole.base + bytes;
    lowered.slots.at(params + 1).low = *lowered.result_address;
  }
  return lowered;
}

Result<std::unique_ptr<CallOutcome>> run_call(ImageRunner& runner,
                                              const detail::TransferCall& values,
                                              LoweredCall& lowered) {
  auto ended = MAYFLY_TRY(runner.call_slots(lowered.entry->func, lowered.slots.data()));
  if (ended != nullptr || !lowered.has_result) return ended;
  const TransferMemory transfer = MAYFLY_TRY(TransferMemory::find(runner));
  auto lifted = values.lift(values.values, MAYFLY_TRY(transfer.view()),
                            lowered.result_address.value_or(lowered.slots[0].low));
  if (!lifted) return bad_value(std::move(lifted).error());
  return std::unique_ptr<CallOutcome>();
}

DynamicCall::DynamicCall(const linker::ComponentExport& function,
                         std::span<const ComponentValue> arguments)
    : function_(&function), arguments_(arguments) {
  if (is_drop()) return;
  for (const component::Member& param : function.file->component.types.params(function.type)) {
    params_.push_back(param.type);
  }
}

bool DynamicCall::is_drop() const {
  return function_->type == component::TypeId{component::kNoIndex};
}

Result<DynamicCall> DynamicCall::create(const linker::ComponentExport& function,
                                        std::span<const ComponentValue> arguments) {
  DynamicCall call(function, arguments);
  if (call.is_drop()) {
    MAYFLY_TRY(dropped_handle(arguments));
    return call;
  }
  call.bytes_ = MAYFLY_TRY(component::lowered_bytes(function.file->component.types, call.params_,
                                                    arguments, ValueRole::kArgument));
  return call;
}

detail::TransferCall DynamicCall::values() { return {this, bytes_, &lower, &lift}; }

void DynamicCall::lower(void* values, const detail::TransferArea& area, uint64_t* flat) {
  const auto& self = *static_cast<const DynamicCall*>(values);
  if (self.is_drop()) {
    flat[0] = self.arguments_[0].handle();
    return;
  }
  const FlatValues lowered =
      component::lower_values(self.function_->file->component.types, self.params_, self.arguments_,
                              ValueRole::kArgument, area.base, area.bytes);
  std::ranges::copy(lowered.values(), flat);
}

Result<void> DynamicCall::lift(void* values, std::span<const uint8_t> memory, uint64_t flat) {
  auto& self = *static_cast<DynamicCall*>(values);
  const component::TypeArena& types = self.function_->file->component.types;
  auto lifted =
      MAYFLY_TRY(component::lift_values(types, std::array{types.result(self.function_->type)},
                                        ValueRole::kResult, {&flat, 1}, memory));
  self.result_ = std::move(lifted.front());
  return {};
}

Result<ComponentOutcome> call_component(ImageRunner& runner,
                                        const linker::ComponentExport& function,
                                        std::span<const ComponentValue> arguments, uint32_t top) {
  DynamicCall call = MAYFLY_TRY(DynamicCall::create(function, arguments));
  const detail::TransferCall values = call.values();
  LoweredCall lowered = MAYFLY_TRY(lower_call(runner, function, values, top));
  const auto ended = MAYFLY_TRY(run_call(runner, values, lowered));
  ComponentOutcome outcome;
  if (ended != nullptr) outcome.call = std::move(*ended);
  outcome.value = call.take_result();
  return outcome;
}

}  // namespace mayfly::runtime
