// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Policy: what one sandbox is given. What is not named here does not exist for it: no files, no
// streams, no arguments, no environment.
//
//   Policy().arg("greeter").preopen("data", "/data").inherit_stdio().deadline(50ms)
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "mayfly/export.h"
#include "mayfly/limits.h"
#include "mayfly/trust_domain.h"

namespace mayfly {

enum class Access : uint8_t { kReadWrite, kReadOnly };

// A value: copies are independent. Threads: one at a time, as any value.
class MAYFLY_API Policy {
 public:
  Policy();
  Policy(const Policy& other);
  Policy(Policy&& other) noexcept;
  Policy& operator=(const Policy& other);
  Policy& operator=(Policy&& other) noexcept;
  ~Policy();

  // Arguments of a WASI program; the first is its name.
  Policy& arg(std::string text);
  Policy& env(std::string name, std::string value);
  // A directory of the host under a name of the guest's own. It is opened at each instantiate.
  Policy& preopen(std::string host_path, std::string guest_path,
                  Access access = Access::kReadWrite);
  // The host process's own standard streams.
  Policy& inherit_stdio();
  // Descriptors of the caller, which stay the caller's; the sandbox uses duplicates. -1: none.
  Policy& stdio(int stdin_fd, int stdout_fd, int stderr_fd);

  Policy& limits(const Limits& limits);
  // Limits::deadline alone.
  Policy& deadline(std::chrono::nanoseconds per_call);
  Policy& trust_domain(TrustDomain domain);
  // Whether Usage::cpu_time is measured. Default: no. Cost: two system calls for each call.
  Policy& measure_cpu_time(bool is_measured);
  // Whether the sandbox can be saved and put back: snapshot(), restore(), reset(), pools. Default:
  // true. Cost: about 100 us at the start, and large pages of the guest's memory.
  Policy& resettable(bool is_resettable);
  // What Caller::user_data() gives to host functions. It outlives the sandbox.
  Policy& user_data(void* data);

  const Limits& limits() const;

  struct State;  // the library's own
  const State& state() const { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

}  // namespace mayfly
