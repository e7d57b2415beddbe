// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Saving, putting back and freezing a sandbox.
#include "mayfly/snapshot.h"

#include "api/moved_from.h"
#include "base/result.h"
#include "mayfly/sandbox.h"
#include "runtime/load_snapshot.h"
#include "runtime/sandbox_state.h"

namespace mayfly {
uint64_t Snapshot::page_count() const {
  return state_ == nullptr ? 0 : state_->state->page_count();
}

uint64_t Snapshot::own_page_count() const {
  return state_ == nullptr ? 0 : state_->state->own_page_count();
}

Result<void> Snapshot::save(std::string_view path) const {
  if (state_ == nullptr) return api::moved_from("snapshot");
  return runtime::save_snapshot(*state_, std::string(path));
}

Result<Snapshot> Sandbox::snapshot() {
  if (state_ == nullptr) return api::moved_from("sandbox");
  return Snapshot(MAYFLY_TRY(state_->snapshot()));
}

Result<void> Sandbox::restore(const Snapshot& snapshot) {
  if (state_ == nullptr) return api::moved_from("sandbox");
  if (snapshot.state() == nullptr) return api::moved_from("snapshot");
  return state_->restore(snapshot.state());
}

Result<void> Sandbox::reset() {
  if (state_ == nullptr) return api::moved_from("sandbox");
  return state_->reset();
}

Result<void> Sandbox::freeze() {
  if (state_ == nullptr) return api::moved_from("sandbox");
  return state_->freeze();
}

bool Sandbox::frozen() const { return state_ != nullptr && state_->is_frozen(); }

}  // namespace mayfly
