// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The public side of pools.
#include "mayfly/pool.h"

#include <utility>

#include "api/moved_from.h"
#include "api/policy.h"
#include "base/result.h"
#include "runtime/pool_state.h"

namespace mayfly {
PooledSandbox::PooledSandbox(std::shared_ptr<runtime::PoolState> pool, Sandbox sandbox)
    : pool_(std::move(pool)), sandbox_(std::move(sandbox)) {}
PooledSandbox::PooledSandbox(PooledSandbox&& other) noexcept = default;
PooledSandbox& PooledSandbox::operator=(PooledSandbox&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  pool_ = std::move(other.pool_);
  sandbox_ = std::move(other.sandbox_);
  return *this;
}
PooledSandbox::~PooledSandbox() { give_back(); }

void PooledSandbox::give_back() {
  if (pool_ == nullptr) return;
  std::shared_ptr<runtime::SandboxState> state = sandbox_.state();
  sandbox_ = Sandbox(nullptr);
  std::exchange(pool_, nullptr)->give_back(std::move(state));
}

Pool::Pool(std::shared_ptr<runtime::PoolState> state) : state_(std::move(state)) {}
Pool::Pool(Pool&& other) noexcept = default;
Pool& Pool::operator=(Pool&& other) noexcept = default;
Pool::~Pool() = default;

Result<Pool> Pool::create(const Linker& linker, const Program& program, const Policy& policy,
                          const PoolOptions& options) {
  Sandbox first = MAYFLY_TRY(linker.instantiate(program, policy));
  const Snapshot snapshot = MAYFLY_TRY(first.snapshot());
  std::shared_ptr<runtime::SandboxState> state = first.state();
  return Pool(MAYFLY_TRY(runtime::PoolState::create(state->shared_engine(), snapshot.state(),
                                                    api::sandbox_config(policy), options, state)));
}

Result<Pool> Pool::create(const Linker& linker, const Snapshot& snapshot, const Policy& policy,
                          const PoolOptions& options) {
  const Sandbox first = MAYFLY_TRY(linker.instantiate(snapshot, policy));
  return Pool(
      MAYFLY_TRY(runtime::PoolState::create(first.state()->shared_engine(), snapshot.state(),
                                            api::sandbox_config(policy), options, first.state())));
}

Result<PooledSandbox> Pool::acquire(std::chrono::nanoseconds wait) const {
  if (state_ == nullptr) return api::moved_from("pool");
  return PooledSandbox(state_, Sandbox(MAYFLY_TRY(state_->acquire(wait))));
}

PoolUsage Pool::usage() const { return state_ == nullptr ? PoolUsage() : state_->usage(); }

}  // namespace mayfly
