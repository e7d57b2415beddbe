// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Between calls: a sandbox takes a snapshot, becomes one, or becomes what it was when it was new;
// and lets its machine go until it is needed.
#include <utility>

#include "runtime/sandbox_state.h"

namespace mayfly::runtime {
namespace {

Error in_a_call() {
  return Error{ErrorKind::kState,
               "the sandbox is in a call: its state can be saved, put back and frozen between "
               "calls only",
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
  MAYFLY_TRY(thaw());
  auto taken = std::make_shared<SandboxSnapshot>();
  taken->program = program_;
  taken->state = MAYFLY_TRY(runner_->snapshot());
  taken->resources = resources_.mark();
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
  if (frozen_ != nullptr) {
    auto runner = MAYFLY_TRY(make_runner(ports_.get()));
    MAYFLY_TRY(runner->check_restore(*snapshot->state));
    take_machine(std::move(runner));
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
  counts_.pages_copied.add(restored->pages_copied);
  counts_.restores.add(1);
  poison_.clear();
  poisoned_ = false;
  ++epoch_;
  resources_.restore(snapshot->resources);
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

Result<void> SandboxState::freeze() {
  const Pause pause = MAYFLY_TRY(Pause::take(*this));
  if (frozen_ != nullptr) return {};
  if (is_poisoned()) {
    return Error{ErrorKind::kState,
                 "a poisoned sandbox is not frozen: a call ended with " + poison_, 0};
  }
  MAYFLY_TRY(check_resettable());
  const TraceSpan span(*engine_, "freeze");
  frozen_ = std::make_unique<const FrozenRun>(MAYFLY_TRY(runner_->freeze()));
  frozen_bytes_ = frozen_->changes.stored_pages * guest_abi::kPageBytes;
  is_frozen_ = true;  // nobody interrupts between calls
  runner_.reset();
  ++engine_->counters().freezes;
  ++engine_->counters().sandboxes_frozen;
  return {};
}

Result<void> SandboxState::thaw() {
  if (frozen_ == nullptr) return {};
  const TraceSpan span(*engine_, "thaw");
  auto runner = MAYFLY_TRY(make_runner(ports_.get()));
  MAYFLY_TRY(runner->thaw(*frozen_));
  take_machine(std::move(runner));
  return {};
}

// Of a sandbox that is frozen until now.
void SandboxState::take_machine(std::unique_ptr<ImageRunner> runner) {
  runner_ = std::move(runner);
  frozen_.reset();
  frozen_bytes_ = 0;
  is_frozen_ = false;
  ++engine_->counters().thaws;
  --engine_->counters().sandboxes_frozen;
}

Result<void> SandboxState::check_access() {
  const std::thread::id owner = owner_.load(std::memory_order_acquire);
  if (owner == std::this_thread::get_id()) return engine_->check_process();
  if (owner != std::thread::id()) {
    return Error{ErrorKind::kState, "the sandbox is in a call on another thread", 0};
  }
  if (!is_frozen()) return engine_->check_process();
  const Pause pause = MAYFLY_TRY(Pause::take(*this));
  return thaw();
}

Result<void> SandboxState::check_resettable() const {
  if (config_.is_resettable) return {};
  return Error{ErrorKind::kState, "the sandbox cannot go back: Policy::resettable(false)", 0};
}

}  // namespace mayfly::runtime
