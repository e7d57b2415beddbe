// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Intel SDM 3B #invariant-tsc, AMD APM 3 #fn80000007-edx.
#include "runtime/steady_ticks_x86_64.h"

#include <cpuid.h>

#include <cstdint>

namespace mayfly::runtime {

namespace {

bool ask_processor() {
  constexpr uint32_t kPowerManagement = 0x8000'0007;
  constexpr uint32_t kInvariantTsc = uint32_t{1} << 8;
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(kPowerManagement, &eax, &ebx, &ecx, &edx) != 0 && (edx & kInvariantTsc) != 0;
}

}  // namespace

// In a virtual machine CPUID is an exit, which takes longer than a reset: asked once.
bool has_steady_ticks() {
  static const bool is_steady = ask_processor();
  return is_steady;
}

}  // namespace mayfly::runtime
