// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A component's resources that the host has end with a call of the component, whoever lets them go,
// on whichever thread.
#include <utility>

#include "runtime/component_call.h"
#include "runtime/sandbox_state.h"

namespace mayfly::runtime {
namespace {

// The one argument: the handle.
detail::TransferCall handle_of(uint32_t& number) {
  return {&number, 0,
          [](void* values, const detail::TransferArea&, uint64_t* flat) {
            *flat = *static_cast<const uint32_t*>(values);
          },
          nullptr};
}

}  // namespace

Result<std::unique_ptr<CallOutcome>> SandboxState::drop_guest(const GuestDrop& drop) {
  if (drop.epoch != epoch() || is_poisoned()) return std::unique_ptr<CallOutcome>();
  uint32_t number = drop.number;
  return call(*drop.target, handle_of(number));
}

void SandboxState::drop_guest_soon(const GuestDrop& drop) {
  // Inside a call the component may not be entered.
  if (owner_.load() == std::thread::id()) {
    const auto ended = drop_guest(drop);
    if (ended || ended.error().kind != ErrorKind::kState || is_poisoned()) return;
  }
  const std::lock_guard lock(drops_mutex_);
  drops_.push_back(drop);
  has_drops_ = true;
}

Result<std::unique_ptr<CallOutcome>> SandboxState::run_drops() {
  std::vector<GuestDrop> drops;
  {
    const std::lock_guard lock(drops_mutex_);
    drops = std::exchange(drops_, {});
    has_drops_ = false;
  }
  for (const GuestDrop& drop : drops) {
    if (drop.epoch != epoch()) continue;
    uint32_t number = drop.number;
    auto ended = MAYFLY_TRY(run_lowered(*drop.target, handle_of(number)));
    if (ended != nullptr) return ended;
  }
  return std::unique_ptr<CallOutcome>();
}

}  // namespace mayfly::runtime
