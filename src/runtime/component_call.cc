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
ComponentOutcome bad_value(const Error& error) {
  ComponentOutcome outcome;
  outcome.call.kind = CallOutcome::Kind::kTrapped;
  outcome.call.trap.code = guest_abi::TrapCode::kComponent;
  outcome.call.trap.message = error.message;
  return outcome;
}

// The slots of one call: free transfer memory, flat arguments, where the result goes.
class CallSlots {
 public:
  void push(uint64_t bits) { slots_.at(size_++) = {bits, 0}; }
  guest_abi::Slot* data() { return slots_.data(); }
  uint64_t result() const { return slots_[0].low; }

 private:
  std::array<guest_abi::Slot, component::kMaxFlatParams + 2> slots_{};
  size_t size_ = 0;
};

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

Result<ComponentOutcome> call_component(ImageRunner& runner,
                                        const linker::ComponentExport& function,
                                        std::span<const ComponentValue> arguments, uint32_t top) {
  const component::TypeArena& types = function.file->component.types;
  std::vector<ValType> params;
  for (const component::Member& param : types.params(function.type)) params.push_back(param.type);
  std::vector<ValType> results;
  if (types.result(function.type).exists()) results.push_back(types.result(function.type));
  const image::ImageExport* entry = runner.find_export(function.step, function.export_name);
  if (entry == nullptr || entry->kind != wasm::ExternKind::kFunc) {
    return invalid("the image has no function " + function.export_name);
  }
  TransferMemory transfer = MAYFLY_TRY(TransferMemory::find(runner));

  const uint64_t base = detail::align_up(top, detail::kTransferAlignment);
  const uint64_t bytes = detail::align_up(
      MAYFLY_TRY(component::lowered_bytes(types, params, arguments, ValueRole::kArgument)),
      detail::kTransferAlignment);
  const component::Layout area = component::tuple_layout(types, results);
  const bool in_memory = area.flat.size() > component::kMaxFlatResults;
  const uint64_t end = base + bytes + (in_memory ? area.size : 0);
  MAYFLY_TRY(transfer.reserve(end));
  const std::span<uint8_t> memory = MAYFLY_TRY(transfer.view());
  const FlatValues flat =
      component::lower_values(types, params, arguments, ValueRole::kArgument,
                              static_cast<uint32_t>(base), memory.subspan(base, bytes));
  CallSlots slots;
  slots.push(detail::align_up(end, detail::kTransferAlignment));
  for (const uint64_t value : flat.values()) slots.push(value);
  if (in_memory) slots.push(base + bytes);

  ComponentOutcome outcome;
  const auto ended = MAYFLY_TRY(runner.call_slots(entry->func, slots.data()));
  if (ended != nullptr) {
    outcome.call = std::move(*ended);
    return outcome;
  }
  if (results.empty()) return outcome;
  const uint64_t result = in_memory ? base + bytes : slots.result();
  auto values = component::lift_values(types, results, ValueRole::kResult, {&result, 1},
                                       MAYFLY_TRY(transfer.view()));
  if (!values) return bad_value(values.error());
  outcome.value = std::move(values->front());
  return outcome;
}

}  // namespace mayfly::runtime
