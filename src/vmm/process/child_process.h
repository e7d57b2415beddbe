// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ChildProcess: one started child (child_x86_64.cc), its control memory, and how to stop it.
// Spawner: the one thread that starts children, because a child dies with the thread that did.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <ctime>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "base/mapping.h"
#include "base/result.h"
#include "vmm/process/control.h"

namespace mayfly::vmm::process {

struct ChildOptions {
  Weakness weakness = Weakness::kNone;
  uint64_t spin_ticks = 0;  // how long it polls for its turn before it sleeps
};

class ChildProcess {
 public:
  ChildProcess() = default;
  ChildProcess(ChildProcess&&) = default;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();

  // The files of the mappings stay open in the child only until it has mapped them.
  // Errors: kHost with the step that failed.
  static Result<ChildProcess> start(const Fd& program, const std::vector<ChildMapping>& mappings,
                                    const ChildOptions& options);

  Control& control() { return *control_; }
  const Control& control() const { return *control_; }

  // Hands the turn to the child, which then runs.
  void give_turn();
  // Whether the turn came back before the moment passed, or somebody called wake().
  bool wait_turn(std::chrono::steady_clock::time_point until);
  bool has_turn() const;
  void wake();
  bool is_dead() const;
  // Since it was ready.
  std::chrono::nanoseconds cpu_time() const;
  void interrupt();
  void kill();

 private:
  Mapping control_memory_;
  Control* control_ = nullptr;
  Fd pidfd_;
  pid_t maker_ = 0;  // whose child it is
  clockid_t cpu_clock_ = 0;
  std::chrono::nanoseconds cpu_time_at_start_{0};
};

// Runs functions on one thread of its own, one after another; the first starts it.
class Spawner {
 public:
  Spawner() = default;
  ~Spawner();
  // Runs the function there and waits for it. Threads: any.
  void run(const std::function<void()>& function);

 private:
  void work();
  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void()>* next_ = nullptr;
  bool done_ = false;
  bool stopping_ = false;
  std::mutex callers_;
  std::thread thread_;
};

// The child's program as a sealed memfd.
Result<Fd> child_program();

}  // namespace mayfly::vmm::process
