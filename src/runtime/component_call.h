// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls of a component's functions through the transfer memory (linker/state_module.h).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "component/flatten.h"
#include "image/image.h"
#include "linker/component_linker.h"
#include "mayfly/component_value.h"
#include "mayfly/transfer.h"
#include "runtime/image_runner.h"

namespace mayfly::runtime {

// The transfer memory of a running image.
class TransferMemory {
 public:
  // Errors: kInvalid when the image has none.
  static Result<TransferMemory> find(ImageRunner& runner);

  // All of it that is there. Valid while the guest does not run and nothing reserves.
  Result<std::span<uint8_t>> view() const;
  // Makes at least so many bytes be there. Errors: kLimit.
  Result<void> reserve(uint64_t bytes);
  // `bytes` bytes from the first aligned address that is not below `top`. Errors: kLimit.
  Result<detail::TransferArea> reserve_area(uint32_t top, uint64_t bytes);

 private:
  TransferMemory(ImageRunner& runner, const image::MemoryExport& memory)
      : runner_(&runner), memory_(&memory) {}
  uint64_t address() const { return runner_->image().regions()[memory_->region].address; }

  ImageRunner* runner_;
  const image::MemoryExport* memory_;
};

// A call whose arguments are in the transfer memory. The slots: where free transfer memory begins,
// flat arguments, where the result goes.
struct LoweredCall {
  const image::ImageExport* entry = nullptr;
  std::array<guest_abi::Slot, component::kMaxFlatParams + 2> slots{};
  bool has_result = false;
  std::optional<uint64_t> result_address;  // nullopt: it is flat
};

// With free transfer memory from address `top` on (kTransferFirst outside of other calls).
// Errors: kInvalid when the image has no such function; kLimit when the values are too large;
// kHost. The guest has not run then.
Result<LoweredCall> lower_call(ImageRunner& runner, const linker::ComponentExport& function,
                               const detail::TransferCall& values, uint32_t top);
// nullptr: it returned. A result that cannot be lifted is a trap. Errors: kHost.
Result<std::unique_ptr<CallOutcome>> run_call(ImageRunner& runner,
                                              const detail::TransferCall& values,
                                              LoweredCall& lowered);

// A call with dynamic values.
class DynamicCall {
 public:
  // The arguments outlive it. Errors: kInvalid when arguments and types differ; kLimit.
  static Result<DynamicCall> create(const linker::ComponentExport& function,
                                    std::span<const ComponentValue> arguments);
  // As long as this is where it is.
  detail::TransferCall values();
  std::optional<ComponentValue> take_result() { return std::move(result_); }

 private:
  DynamicCall(const linker::ComponentExport& function, std::span<const ComponentValue> arguments);
  bool is_drop() const;
  static void lower(void* values, const detail::TransferArea& area, uint64_t* flat);
  static Result<void> lift(void* values, std::span<const uint8_t> memory, uint64_t flat);

  const linker::ComponentExport* function_;
  std::span<const ComponentValue> arguments_;
  std::vector<component::ValType> params_;
  uint64_t bytes_ = 0;
  std::optional<ComponentValue> result_;
};

struct ComponentOutcome {
  CallOutcome call;  // without values
  std::optional<ComponentValue> value;
};

// A whole call. Errors: those of DynamicCall::create(), lower_call() and run_call().
Result<ComponentOutcome> call_component(ImageRunner& runner,
                                        const linker::ComponentExport& function,
                                        std::span<const ComponentValue> arguments, uint32_t top);

}  // namespace mayfly::runtime
