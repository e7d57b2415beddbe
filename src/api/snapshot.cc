// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Saving and putting back a sandbox.
#include "mayfly/snapshot.h"

#include "base/result.h"
#include "mayfly/sandbox.h"
#include "runtime/sandbox_state.h"

namespace mayfly {
namespace {

Error moved_from(const char* what) {
  return Error{ErrorKind::kState, std::string("the ") + what + " was moved from", 0};
}

}  // namespace

uint64_t Snapshot::page_count() const {
  return state_ == nullptr ? 0 : state_->state->page_count();
}

uint64_t Snapshot::own_page_count() const {
  return state_ == nullptr ? 0 : state_->state->own_page_count();
}

Result<Snapshot> Sandbox::snapshot() {
  if (state_ == nullptr) return moved_from("sandbox");
  return Snapshot(MAYFLY_TRY(state_->snapshot()));
}

Result<void> Sandbox::restore(const Snapshot& snapshot) {
  if (state_ == nullptr) return moved_from("sandbox");
  if (snapshot.state() == nullptr) return moved_from("snapshot");
  return state_->restore(snapshot.state());
}

Result<void> Sandbox::reset() {
  if (state_ == nullptr) return moved_from("sandbox");
  return state_->reset();
}

}  // namespace mayfly
