// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The smallest guest there is: what a host takes for it is the floor of what any sandbox takes.
#pragma once

#include <cstdint>
#include <span>

#include "base/fd.h"
#include "base/result.h"
#include "guest_abi/layout.h"
#include "vmm/vm.h"

namespace mayfly::vmm {

struct SmallestGuest {
  Fd file;          // config names it
  VmConfig config;  // of a VM with one page of code, at guest_abi::kImage

  // Errors: kLimit for more than a page of code; kHost.
  static Result<SmallestGuest> create(std::span<const uint8_t> code = {});
};

// hypercall as its own thunk: it leaves at once, with port 0.
inline constexpr Entry kEmptyCall{guest_abi::kHypercall, 0};

}  // namespace mayfly::vmm
