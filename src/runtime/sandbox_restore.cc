// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Going back: a sandbox takes a snapshot, becomes one, or becomes what it was when it was new.
#include <utility>

#include "runtime/sandbox_state.h"

namespace mayfly::runtime {
namespace {

Error in_a_call() {
  return Error{ErrorKind::kState,
               "the sandbox is in a call: its state can be saved and put back "
               "between calls only",
               0};
}

}  // namespace

// Claims the sandbox between calls.
class SandboxState::Pause {
 public:
  static Result<Pause> take(SandboxState& state) {
    std::thread::id owner;
    if (!state.owner_.compare_exchange_strong(owner, std::this_thread::get_id(),
                                              std::memory_order_acquire)) {
      return in_a_call();
    }
    Pause pause(state);
    MAYFLY_TRY(state.engine_->check_process());
    return pause;
  }
  Pause(Pause&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Pause& operator=(Pause&&) = delete;
  ~Pause() {
    if (state_ != nullptr) state_->owner_.store({}, std::memory_order_release);
  }

 private:
  explicit Pause(SandboxState& state) : state_(&state) {}
  SandboxState* state_;
};

Result<std::shared_ptr<const SandboxSnapshot>> SandboxState::snapshot() {
  const TraceSpan span(*engine_, "snapshot");
  const Pause pause = MAYFLY_TRY(Pause::take(*this));
  if (is_poisoned()) {
    return Error{ErrorKind::kState,
                 "no snapshot of a poisoned sandbox: a call ended with " + poison_, 0};
  }
  MAYFLY_TRY(check_resettable());
  auto taken = std::make_shared<SandboxSnapshot>();
  taken->program = program_;
  taken->state = MAYFLY_TRY(runner_->snapshot());
  ++engine_->counters().snapshots;
  return std::shared_ptr<const SandboxSnapshot>(std::move(taken));
}

Result<void> SandboxState::restore(const std::shared_ptr<const SandboxSnapshot>& snapshot) {
  const TraceSpan span(*engine_, "restore");
  const Pause pause = MAYFLY_TRY(Pause::take(*this));
  MAYFLY_TRY(check_resettable());
  if (snapshot->program->image != program_->image) {
    return invalid("the snapshot is of another program than the sandbox's");
  }
  MAYFLY_TRY(runner_->check_restore(*snapshot->state));
  auto restored = runner_->restore(snapshot->state);
  if (!restored) {
    // The machine is lost, or its guest broke it: a new one takes its place.
    poison_ = restored.error().message;
    poisoned_ = true;
    MAYFLY_TRY(make_machine());
    restored = runner_->restore(snapshot->state);
    if (!restored) return std::move(restored).error();
  }
  engine_->counters().pages_copied += restored->pages_copied;
  pages_copied_.fetch_add(restored->pages_copied, std::memory_order_relaxed);
  restores_.fetch_add(1, std::memory_order_relaxed);
  ++engine_->counters().restores;
  poison_.clear();
  poisoned_ = false;
  count_memory();
  return {};
}

Result<void> SandboxState::reset() {
  if (first_ == nullptr) {
    MAYFLY_TRY(check_resettable());
    return Error{ErrorKind::kState, "the sandbox has no state to go back to: its start failed", 0};
  }
  return restore(first_);
}

Result<void> SandboxState::keep_first(std::shared_ptr<const SandboxSnapshot> snapshot) {
  if (!config_.is_resettable) return {};
  first_ = snapshot == nullptr ? MAYFLY_TRY(this->snapshot()) : std::move(snapshot);
  return {};
}

Result<void> SandboxState::check_resettable() const {
  if (config_.is_resettable) return {};
  return Error{ErrorKind::kState, "the sandbox cannot go back: Policy::resettable(false)", 0};
}

}  // namespace mayfly::runtime
