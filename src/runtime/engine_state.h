// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// EngineState: what all sandboxes of an engine share: the opened driver, the way to the compiler,
// the images that are in use, and what is counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/mapping.h"
#include "base/result.h"
#include "image/build_request.h"
#include "image/image.h"
#include "mayfly/engine.h"
#include "runtime/blocking_pool.h"
#include "runtime/build.h"
#include "runtime/call_outcome.h"
#include "runtime/compile_cache.h"
#include "runtime/engine_counters.h"
#include "vmm/deadline_timer.h"
#include "vmm/vm.h"

namespace mayfly::runtime {

struct EngineConfig {
  std::unique_ptr<vmm::Host> host;
  std::string why;  // which driver, and the reason
  BuildEnvironment build;
  image::BuildOptions options;
  std::optional<CompileCache> cache;
  std::string builders;  // which compiler and which planner make the images, for keys of the cache
  uint32_t blocking_threads_max = 16;
  bool measures_time = false;
  TraceSink* trace = nullptr;
};

// Shareable between threads.
class EngineState {
  struct Key {
    explicit Key() = default;
  };

 public:
  static Result<std::shared_ptr<EngineState>> create(EngineConfig config);
  // Use create().
  EngineState(Key, EngineConfig config, Mapping mark)
      : config_(std::move(config)),
        process_mark_(std::move(mark)),
        blocking_pool_(config_.blocking_threads_max) {}

  vmm::Host& host() const { return *config_.host; }
  const EngineConfig& config() const { return config_; }
  EngineCounters& counters() { return counters_; }
  BlockingPool& blocking_pool() { return blocking_pool_; }
  // Of stop tokens of host functions; its thread starts with the first of them.
  vmm::DeadlineTimer& stop_timer() { return stop_timer_; }
  uint64_t next_program_number() { return ++program_number_; }

  // The image that `key` stands for, made by `build` unless somebody still uses it. Two threads
  // that ask for the same image at once build it once.
  Result<std::shared_ptr<const image::Image>> image_for(
      const std::string& key,
      const std::function<Result<std::shared_ptr<const image::Image>>()>& build);

  // The image with that content (image_content_hash()) and size, if somebody uses it, else what
  // `open` answers, which may have another content: only what is found is compared.
  Result<std::shared_ptr<const image::Image>> image_with(
      const Hash& content, uint64_t bytes,
      const std::function<Result<std::shared_ptr<const image::Image>>()>& open);

  // kState in a process that was forked from the one that made the engine: its virtual machines
  // and threads did not come along.
  Result<void> check_process() const;

 private:
  struct CachedImage {
    std::mutex building;
    std::weak_ptr<const image::Image> image;
    std::optional<Hash> content;  // once it was asked for
  };
  std::shared_ptr<const image::Image> find_image(const Hash& content, uint64_t bytes);

  EngineConfig config_;
  EngineCounters counters_;
  Mapping process_mark_;  // one byte that is 0 after fork()
  BlockingPool blocking_pool_;
  vmm::DeadlineTimer stop_timer_;
  std::atomic<uint64_t> program_number_ = 0;
  std::mutex opening_;  // one image_with() at a time, so that two never open the same
  uint64_t opened_count_ = 0;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<CachedImage>> images_;
};

// The time of one phase, told to the trace sink when it ends.
class TraceSpan {
 public:
  TraceSpan(const EngineState& engine, std::string_view phase)
      : sink_(engine.config().trace), phase_(phase) {
    if (sink_ != nullptr) begin_ = std::chrono::steady_clock::now();
  }
  ~TraceSpan() {
    if (sink_ != nullptr) sink_->span(phase_, begin_, std::chrono::steady_clock::now());
  }
  TraceSpan(const TraceSpan&) = delete;
  TraceSpan& operator=(const TraceSpan&) = delete;

 private:
  TraceSink* sink_;
  std::string_view phase_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace mayfly::runtime
