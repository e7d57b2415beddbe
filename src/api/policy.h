// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a Policy holds, and how it becomes the configuration of a sandbox.
#pragma once

#include "mayfly/policy.h"
#include "runtime/sandbox_state.h"
#include "wasi/config.h"

namespace mayfly {

struct Policy::State {
  wasi::WasiConfig wasi;
  Limits limits;
  TrustDomain domain;
  bool measures_cpu_time = false;
  bool is_resettable = true;
  std::chrono::nanoseconds spin_time{0};
  void* user_data = nullptr;
};

namespace api {
runtime::SandboxConfig sandbox_config(const Policy& policy);
}

}  // namespace mayfly
