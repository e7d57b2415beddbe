// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The threads are detached and share the pool's state: a function that never returns costs its
// thread, and nothing waits for it.
#include "runtime/blocking_pool.h"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace mayfly::runtime {
namespace {

// One job, and who waits for it.
struct Job {
  std::function<void()> work;
  std::mutex mutex;
  std::condition_variable_any changed;
  bool is_abandoned = false;
  bool is_done = false;

  void run() {
    {
      const std::lock_guard lock(mutex);
      if (is_abandoned) return;
    }
    work();
    const std::lock_guard lock(mutex);
    is_done = true;
    changed.notify_all();
  }
};

}  // namespace

struct BlockingPool::State {
  explicit State(uint32_t max) : threads_max(max) {}
  const uint32_t threads_max;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<Job>> waiting;
  uint32_t threads = 0;
  uint32_t idle = 0;
  bool is_closed = false;

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      ++idle;
      changed.wait(lock, [this] { return is_closed || !waiting.empty(); });
      --idle;
      if (is_closed) break;
      const std::shared_ptr<Job> job = std::move(waiting.front());
      waiting.pop_front();
      lock.unlock();
      job->run();
      lock.lock();
    }
    --threads;
  }

  static void* thread_main(void* argument) {
    const std::unique_ptr<std::shared_ptr<State>> state(
        static_cast<std::shared_ptr<State>*>(argument));
    (*state)->work();
    return nullptr;
  }
};

namespace {

// pthread_create, because std::thread answers a refusal with an exception.
template <typename State>
Result<void> start_thread(const std::shared_ptr<State>& state) {
  auto argument = std::make_unique<std::shared_ptr<State>>(state);
  pthread_t thread{};
  const int failed = ::pthread_create(&thread, nullptr, &State::thread_main, argument.get());
  if (failed != 0) {
    errno = failed;
    return host_error("starting a thread for blocking host functions");
  }
  static_cast<void>(argument.release());
  ::pthread_detach(thread);
  return {};
}

}  // namespace

BlockingPool::BlockingPool(uint32_t threads_max) : state_(std::make_shared<State>(threads_max)) {}

BlockingPool::~BlockingPool() {
  const std::lock_guard lock(state_->mutex);
  state_->is_closed = true;
  state_->changed.notify_all();
}

Result<BlockingPool::End> BlockingPool::run(
    std::function<void()> job, std::optional<std::chrono::steady_clock::time_point> deadline,
    const std::stop_token& stop) {
  auto own = std::make_shared<Job>();
  own->work = std::move(job);
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->idle <= state_->waiting.size() && state_->threads < state_->threads_max) {
      auto started = start_thread(state_);
      if (started) {
        ++state_->threads;
      } else if (state_->threads == 0) {
        return std::move(started).error();
      }
    }
    state_->waiting.push_back(own);
    state_->changed.notify_one();
  }
  std::unique_lock lock(own->mutex);
  const auto is_done = [&] { return own->is_done; };
  if (deadline) {
    own->changed.wait_until(lock, stop, *deadline, is_done);
  } else {
    own->changed.wait(lock, stop, is_done);
  }
  if (own->is_done) return End::kDone;
  own->is_abandoned = true;
  return stop.stop_requested() && !(deadline && std::chrono::steady_clock::now() >= *deadline)
             ? End::kStopped
             : End::kDeadline;
}

}  // namespace mayfly::runtime
