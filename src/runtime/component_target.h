// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ComponentTarget: a function of a component as its image has it. What each call of it needs is
// found once, when the component is linked.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "image/image.h"
#include "linker/component_linker.h"

namespace mayfly::runtime {

// Where the transfer memory of an image lies (linker/state_module.h).
struct TransferPlace {
  uint32_t region = 0;
  uint64_t address = 0;
  uint64_t info = 0;  // of its MemoryInfo

  // Errors: kInvalid when the image is not of a component.
  static Result<TransferPlace> find(const image::Image& image);
};

struct ComponentTarget {
  linker::ComponentExport function;
  image::FuncExport entry;
  std::vector<component::ValType> params;  // none of a drop
  uint32_t flat_params = 0;  // besides where free transfer memory begins, and where the result goes
  bool has_result = false;
  uint32_t result_bytes = 0;  // in memory; 0: it is flat, or there is none
  TransferPlace transfer;

  bool is_drop() const { return function.type == component::TypeId{component::kNoIndex}; }

  // Errors: kInvalid when the image has no such function.
  static Result<ComponentTarget> find(const image::Image& image,
                                      const linker::ComponentExport& function);
};

}  // namespace mayfly::runtime
