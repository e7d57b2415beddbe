// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ComponentCaller: calls of a component's functions with dynamic values, through the transfer
// memory (linker/state_module.h).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/image.h"
#include "linker/component_linker.h"
#include "mayfly/component_value.h"
#include "runtime/image_runner.h"

namespace mayfly::runtime {

struct ComponentOutcome {
  CallOutcome call;  // without values
  std::optional<ComponentValue> value;
};

// The transfer memory of a running image.
class TransferMemory {
 public:
  // Errors: kInvalid when the image has none.
  static Result<TransferMemory> find(ImageRunner& runner);

  // All of it that is there. Valid while the guest does not run and nothing reserves.
  Result<std::span<uint8_t>> view() const;
  // Makes at least so many bytes be there. Errors: kLimit.
  Result<void> reserve(uint64_t bytes);

 private:
  TransferMemory(ImageRunner& runner, const image::MemoryExport& memory)
      : runner_(&runner), memory_(&memory) {}
  uint64_t address() const { return runner_->image().regions()[memory_->region].address; }

  ImageRunner* runner_;
  const image::MemoryExport* memory_;
};

// Calls the function with free transfer memory from address `top` on (kTransferFirst outside of
// other calls). A result that cannot be lifted is a trap.
// Errors: kInvalid when arguments and types differ; kLimit when they are too large; kHost.
Result<ComponentOutcome> call_component(ImageRunner& runner,
                                        const linker::ComponentExport& function,
                                        std::span<const ComponentValue> arguments, uint32_t top);

}  // namespace mayfly::runtime
