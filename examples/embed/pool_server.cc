// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Requests in a queue, threads that serve them, and a pool of sandboxes: each request gets one in
// its first state, whatever the one before it did.
//   pool_server FILE.wasm REQUESTS
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

#include "mayfly/mayfly.hh"

namespace {

constexpr int kThreads = 4;
constexpr int kSandboxesMax = 3;

struct Queue {
  std::mutex mutex;
  std::queue<int32_t> requests;

  std::optional<int32_t> take() {
    const std::lock_guard lock(mutex);
    if (requests.empty()) return std::nullopt;
    const int32_t request = requests.front();
    requests.pop();
    return request;
  }
};

struct Counts {
  std::atomic<int> answered = 0, trapped = 0;
};

// The guest counts the requests that it has seen, and crashes at request 0.
void serve(const mayfly::Pool& pool, Queue& queue, Counts& counts) {
  while (const auto request = queue.take()) {
    auto sandbox = pool.acquire(std::chrono::seconds(60));
    if (!sandbox) continue;
    const auto seen = (*sandbox)->call<int32_t>("handle", *request);
    if (seen && *seen == 1) ++counts.answered;
    if (seen.kind() == mayfly::CallOutcome::Kind::kTrapped) ++counts.trapped;
  }
}

int fail(const std::string& message) {
  std::fprintf(stderr, "pool_server: %s\n", message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return fail("give a file and a number of requests");
  auto engine = mayfly::Engine::create();
  if (!engine) return fail(engine.error().message);
  auto program = engine->load(argv[1]);
  if (!program) return fail(program.error().message);
  const auto policy = mayfly::Policy().deadline(std::chrono::seconds(1));
  auto pool = mayfly::Pool::create(mayfly::Linker(*engine), *program, policy,
                                   {.size_min = 1, .size_max = kSandboxesMax});
  if (!pool) return fail(pool.error().message);

  Queue queue;
  for (int i = 0; i < std::atoi(argv[2]); ++i) queue.requests.push(i % 10);
  Counts counts;
  std::vector<std::jthread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) threads.emplace_back([&] { serve(*pool, queue, counts); });
  threads.clear();  // waits for them
  std::printf("%d answered, %d trapped\n", counts.answered.load(), counts.trapped.load());
  const bool is_bounded = pool->usage().created <= kSandboxesMax;
  std::printf("%s than %d sandboxes were made\n", is_bounded ? "no more" : "more", kSandboxesMax);
  return 0;
}
