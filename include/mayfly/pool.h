// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pool: sandboxes that are made ahead, all in the same state, and put back to it after each use.
//
//   auto pool = Pool::create(linker, program, Policy().deadline(50ms), {.size_max = 8});
//   auto sandbox = pool->acquire(1s);                 // waits in a queue for a free one
//   auto answer = (*sandbox)->call<int32_t>("f", 1);
//   // The end of `sandbox` resets it and gives it back.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "mayfly/export.h"
#include "mayfly/linker.h"
#include "mayfly/policy.h"
#include "mayfly/result.h"
#include "mayfly/sandbox.h"
#include "mayfly/snapshot.h"

namespace mayfly {

namespace runtime {
class PoolState;
}

struct PoolOptions {
  // Sandboxes that are there from the start and stay. Range: up to size_max. Cost: memory of each.
  size_t size_min = 1;
  // Sandboxes at once, in use or not. Range: from 1.
  size_t size_max = 16;
  // A sandbox past size_min that nobody used for so long ends with the next one given back.
  std::chrono::nanoseconds idle_time = std::chrono::seconds(10);
};

struct PoolUsage {
  size_t idle = 0;
  size_t in_use = 0;
  size_t waiting = 0;     // threads in acquire()
  uint64_t acquired = 0;  // so far
  uint64_t created = 0;   // sandboxes, so far
  uint64_t dropped = 0;   // sandboxes that could not be given back, so far
};

// A sandbox of a pool, in the pool's state, for one owner. Its end resets it, whatever a call did
// to it, and gives it back; functions and memories of it that somebody still holds then would
// reach the next owner, so such a sandbox ends instead.
// Threads: as Sandbox.
class MAYFLY_API PooledSandbox {
 public:
  PooledSandbox(PooledSandbox&& other) noexcept;
  PooledSandbox& operator=(PooledSandbox&& other) noexcept;
  ~PooledSandbox();

  Sandbox& operator*() { return sandbox_; }
  Sandbox* operator->() { return &sandbox_; }

  // The library's own.
  PooledSandbox(std::shared_ptr<runtime::PoolState> pool, Sandbox sandbox);

 private:
  void give_back();
  std::shared_ptr<runtime::PoolState> pool_;
  Sandbox sandbox_;
};

// Any number of threads at once. All sandboxes of a pool have its policy, and so its trust domain:
// no machine goes from one domain to another.
class MAYFLY_API Pool {
 public:
  // Of a program as its start functions leave it, or of a snapshot.
  // Errors: kInvalid for sizes that cannot be; those of Linker::instantiate().
  static Result<Pool> create(const Linker& linker, const Program& program,
                             const Policy& policy = Policy(), const PoolOptions& options = {});
  static Result<Pool> create(const Linker& linker, const Snapshot& snapshot,
                             const Policy& policy = Policy(), const PoolOptions& options = {});
  Pool(Pool&& other) noexcept;
  Pool& operator=(Pool&& other) noexcept;
  ~Pool();

  // One that this thread had before, else any idle one, else a new one, else the first that is
  // given back: who waits longest is served first.
  // Errors: kTimeout after `wait`, with the size that decides; those of Linker::instantiate().
  Result<PooledSandbox> acquire(std::chrono::nanoseconds wait = std::chrono::seconds(1)) const;

  PoolUsage usage() const;

 private:
  explicit Pool(std::shared_ptr<runtime::PoolState> state);
  std::shared_ptr<runtime::PoolState> state_;
};

}  // namespace mayfly
