// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls of a component's functions through the transfer memory (linker/state_module.h).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/result.h"
#include "component/flatten.h"
#include "mayfly/component_value.h"
#include "mayfly/transfer.h"
#include "runtime/component_target.h"
#include "runtime/image_runner.h"

namespace mayfly::runtime {

// The transfer memory of a running image.
class TransferMemory {
 public:
  // Both outlive it.
  TransferMemory(ImageRunner& runner, const TransferPlace& place)
      : runner_(&runner), place_(&place) {}

  // All of it that is there, to be read. Valid while the guest does not run and nothing reserves.
  Result<std::span<const uint8_t>> view() const;
  // Makes at least so many bytes be there. Errors: kLimit.
  Result<void> reserve(uint64_t bytes);
  // `bytes` bytes from the first aligned address that is not below `top`. Errors: kLimit.
  Result<detail::TransferArea> reserve_area(uint32_t top, uint64_t bytes);

 private:
  ImageRunner* runner_;
  const TransferPlace* place_;
};

// A call whose arguments are in the transfer memory. The slots: where free transfer memory begins,
// flat arguments, where the result goes.
struct LoweredCall {
  std::array<guest_abi::Slot, component::kMaxFlatParams + 2> slots;
  uint32_t result_address = 0;  // of a result in memory
};

// With free transfer memory from address `top` on (kTransferFirst outside of other calls).
// Errors: kLimit when the values are too large; kHost. The guest has not run then.
Result<LoweredCall> lower_call(ImageRunner& runner, const ComponentTarget& target,
                               const detail::TransferCall& values, uint32_t top);
// nullptr: it returned. A result that cannot be lifted is a trap. Errors: kHost.
Result<std::unique_ptr<CallOutcome>> run_call(ImageRunner& runner, const ComponentTarget& target,
                                              const detail::TransferCall& values,
                                              LoweredCall& lowered);

// A call with dynamic values.
class DynamicCall {
 public:
  // Target and arguments outlive it. Errors: kInvalid when arguments and types differ; kLimit.
  static Result<DynamicCall> create(const ComponentTarget& target,
                                    std::span<const ComponentValue> arguments,
                                    uint64_t lifted_bytes_max = detail::kLiftedBytesMax);
  // As long as this is where it is.
  detail::TransferCall values();
  std::optional<ComponentValue> take_result() { return std::move(result_); }

 private:
  DynamicCall(const ComponentTarget& target, std::span<const ComponentValue> arguments)
      : target_(&target), arguments_(arguments) {}
  const component::TypeArena& types() const { return target_->function.file->component.types; }
  static void lower(void* values, const detail::TransferArea& area, uint64_t* flat);
  static Result<void> lift(void* values, std::span<const uint8_t> memory, uint64_t flat);

  const ComponentTarget* target_;
  std::span<const ComponentValue> arguments_;
  uint64_t bytes_ = 0;
  uint64_t lifted_bytes_max_ = detail::kLiftedBytesMax;
  std::optional<ComponentValue> result_;
};

struct ComponentOutcome {
  CallOutcome call;  // without values
  std::optional<ComponentValue> value;
};

// A whole call. Errors: those of ComponentTarget::find(), DynamicCall::create(), lower_call() and
// run_call().
Result<ComponentOutcome> call_component(ImageRunner& runner,
                                        const linker::ComponentExport& function,
                                        std::span<const ComponentValue> arguments, uint32_t top);

}  // namespace mayfly::runtime
