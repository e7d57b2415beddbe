// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Interrupt: Ctrl-C and a polite kill end the guest, not this process, so that what the guest has
// written is out and the exit status says which signal it was.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "base/fd.h"
#include "base/result.h"

namespace mayfly::cli {

// From create() on SIGINT and SIGTERM are this object's, on this thread and those it starts.
// One at a time.
class Interrupt {
  struct Key {  // only create() makes one
    explicit Key() = default;
  };

 public:
  Interrupt(Key, Fd signals, Fd cancelled)
      : signals_(std::move(signals)), cancelled_(std::move(cancelled)) {}
  // Errors: kHost.
  static Result<std::unique_ptr<Interrupt>> create();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Readable once a watch has seen a signal, for what waits in poll().
  int cancel_fd() const { return cancelled_.get(); }
  // The signal that a watch has seen.
  std::optional<int> signal() const;

 private:
  friend class InterruptWatch;
  Fd signals_;
  Fd cancelled_;
  std::atomic<int> signal_ = 0;
};

// Calls `cancel` on a thread of its own while it lives, again and again from the first signal on:
// a call may start just after it was cancelled. The second signal ends this process.
class InterruptWatch {
 public:
  // Both outlive the watch.
  InterruptWatch(Interrupt& interrupt, const std::function<void()>& cancel);
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

 private:
  void run();
  void take_signal();

  Interrupt& interrupt_;
  const std::function<void()>& cancel_;
  Fd stop_;
  std::thread thread_;
};

}  // namespace mayfly::cli
