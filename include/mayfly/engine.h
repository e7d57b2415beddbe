// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Engine: the host's way to run virtual machines, opened once, and what all sandboxes share.
// Threads: any number at once. What is made from an engine keeps it alive.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mayfly/export.h"
#include "mayfly/program.h"
#include "mayfly/result.h"
#include "mayfly/trust_domain.h"

namespace mayfly {

namespace runtime {
class EngineState;
}

enum class Driver : uint8_t {
  kAuto,     // what $MAYFLY_DRIVER names (kvm, process), else kKvm where it works, else kProcess
  kKvm,      // a virtual machine for each sandbox
  kProcess,  // a jailed process for each sandbox: one wall less, and no /dev/kvm needed
};
MAYFLY_API std::string_view to_string(Driver driver);

// How much the compiler does. kFast halves the time to compile, for code that runs once.
enum class Optimize : uint8_t { kSpeed, kFast };

// Told of each phase at its end, on the thread that ran it. Of a program: "decode", "link",
// "compile"; of a sandbox: "create", "start", "call" and in it "host_call", "snapshot",
// "restore", "freeze", "thaw"; of a pool: "queue", of who had to wait. Threads: called by several
// at once.
class MAYFLY_API TraceSink {
 public:
  virtual ~TraceSink();
  virtual void span(std::string_view phase, std::chrono::steady_clock::time_point begin,
                    std::chrono::steady_clock::time_point end) = 0;
};

struct EngineOptions {
  Driver driver = Driver::kAuto;
  // Path of mayfly-compiler. Empty: $MAYFLY_COMPILER, else the file of that name next to the
  // running program, else the one installed with libmayfly.so, else one in $PATH.
  std::string compiler = {};
  Optimize optimize = Optimize::kSpeed;
  // Whether compiled programs are kept on disk and taken from there, in a folder that engines,
  // processes and the command line share: it makes linking a program of the same bytes, bindings
  // and options a matter of milliseconds. Where there is no such folder, nothing is kept.
  bool use_cache = true;
  // Empty: $XDG_CACHE_HOME/mayfly/images, else .cache/mayfly/images in $HOME. A folder that is
  // named here must be the user's own, and is made where it is missing.
  std::string cache_folder = {};
  // Whether programs count fuel, which Limits::fuel and Sandbox::set_fuel() need.
  // Cost: about 6% of a program's speed, and code of its own in the compile cache.
  bool count_fuel = false;
  // How long one compilation may take. Range: over 0.
  std::chrono::milliseconds compile_time_max{std::chrono::minutes(10)};
  // Threads for Linker::define_blocking. Range: 1 to 1,000. They are started when first needed;
  // calls past that number wait for a free one, within their deadline.
  uint32_t blocking_threads_max = 16;
  // Virtual machines that are kept when their sandbox ends, without its memory and cleared, for the
  // next sandbox of the same trust domain, of whatever program: it starts several times as fast.
  // Past that number the one that was idle longest ends. The process driver has nothing to keep.
  // Range: 0 to 10,000. Cost: two descriptors and up to 600 KiB of the kernel's memory for each.
  uint32_t idle_machines_max = 16;
  // Whether the counters guest_ns and host_ns are measured: time of calls inside machines, and in
  // the host for them. Cost: reading the clock twice each time that a guest leaves its machine.
  bool measure_time = false;
  // Outlives the engine and all that is made from it. Null: no tracing, and no cost.
  TraceSink* trace = nullptr;
};

// Who may have made an image, which is native code: around it the process driver has one wall only.
enum class ImageTrust : uint8_t {
  kInstallation,  // on the process driver: this user's Mayfly, as the image's mark of origin says
  kAnybody,
};

enum class CounterKind : uint8_t {
  kTotal,  // since the engine's begin: it only grows
  kNow,
};

// One number of Engine::counters().
struct Counter {
  std::string_view name;  // "calls", "traps.unreachable", "guest_ns"; part of the library
  uint64_t value = 0;
  std::string_view unit;  // "", "ns", "bytes"
  CounterKind kind = CounterKind::kTotal;
};

class MAYFLY_API Engine {
 public:
  // Errors: kUnsupported or kHost with what to do next (permissions, another driver);
  // kInvalid for an option out of its range.
  static Result<Engine> create(const EngineOptions& options = {});

  // Reads, decodes and validates a core module or a component; it is compiled when it is linked.
  // Errors: kHost with the path; kInvalid with the offset of the byte; kUnsupported.
  Result<Program> load(std::string_view path) const;
  // name is for messages and backtraces.
  Result<Program> load(std::span<const uint8_t> bytes, std::string name = "module") const;

  // An image that `mayfly compile` made: linked already, so it can neither be linked to others nor
  // be linked anew. Takes milliseconds, and no compiler.
  // Errors: kHost with the path; kInvalid for a file that is no image, or a broken one;
  // kUnsupported for what this processor or driver must not run, with the reason.
  Result<Program> load_image(std::string_view path,
                             ImageTrust trust = ImageTrust::kInstallation) const;

  // Makes as many machines ahead, which the next sandboxes of the domain start in; not those with
  // Policy::resettable(false). Takes about a millisecond for each.
  // Errors: kLimit past idle_machines_max; kHost.
  Result<void> prepare_machines(size_t count, TrustDomain domain = {}) const;

  Driver driver() const;           // kKvm or kProcess
  std::string why_driver() const;  // "kvm: /dev/kvm works"

  // Counted since create(), in a fixed order. Each number is of its own moment, all are of now.
  // Cost: about 1 us, and 0.1 us for each live sandbox.
  std::vector<Counter> counters() const;

  // The library's own.
  explicit Engine(std::shared_ptr<runtime::EngineState> state);
  const std::shared_ptr<runtime::EngineState>& state() const { return state_; }

 private:
  std::shared_ptr<runtime::EngineState> state_;
};

}  // namespace mayfly
