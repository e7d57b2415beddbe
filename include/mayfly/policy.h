// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Policy: what one sandbox is given. What is not named here does not exist for it: no files, no
// streams, no arguments, no environment.
//
//   Policy().arg("greeter").preopen("data", "/data").inherit_stdio().deadline(50ms)
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "mayfly/export.h"
#include "mayfly/limits.h"
#include "mayfly/trust_domain.h"

namespace mayfly {

enum class Access : uint8_t { kReadWrite, kReadOnly };

// Of wasi:logging.
enum class LogLevel : uint8_t { kTrace, kDebug, kInfo, kWarn, kError, kCritical };
using LogSink =
    std::function<void(LogLevel level, std::string_view context, std::string_view message)>;

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
  // A directory in memory under a name of the guest's own, after the preopened ones, for up to
  // bytes_max bytes of files (from 1; rounded up to pages) and 10,000 files; then writing fails
  // with ENOSPC. It is empty at each instantiate, restore and reset, its memory is gone with the
  // sandbox, and no state can be saved while a file in it is open. Cost: about 1 ms at the start,
  // and at a reset after which it has to be emptied. Errors of instantiate(): kUnsupported where
  // the process has neither CAP_SYS_ADMIN nor user namespaces.
  Policy& tmpfs(std::string guest_path, uint64_t bytes_max = uint64_t{64} << 20);
  // The host process's own standard streams.
  Policy& inherit_stdio();
  // Descriptors of the caller, which stay the caller's; the sandbox uses duplicates. -1: none.
  Policy& stdio(int stdin_fd, int stdout_fd, int stderr_fd);

  // What sockets of a component (wasi:sockets) may be used for; without these, nothing. HOST is a
  // name, an address, [an IPv6 one], an address with a prefix as 10.0.0.0/8, or *; PORT is a
  // number, LOW-HIGH, or *. A name is looked up at each instantiate, which takes as long as the
  // host's resolver does, and then stands for the addresses found, whatever is answered for it
  // later; the program, too, may look it up, and finds these. Errors of instantiate(): kInvalid for
  // what has not this form; kHost for a name that cannot be looked up.
  Policy& tcp(std::string host_port);         // to connect there
  Policy& tcp_listen(std::string host_port);  // to bind there, and listen; port 0: any free one
  Policy& udp(std::string host_port);         // to send there, and to receive from there
  Policy& udp_listen(std::string host_port);  // to bind there, receive from anybody, and answer
  Policy& allow_dns();                        // to look up any name
  Policy& inherit_network();                  // all of this, everywhere
  // A server that the program may send HTTP requests to (wasi:http): a name, an address, or names
  // with *, with a port or for all; docs/cli.md has the forms. Repeat it for more. Private
  // addresses are reached only where a grant names them. Errors of instantiate(): kInvalid for
  // other texts. libcurl (libcurl.so.4) is loaded at the first request.
  Policy& http(std::string host);
  // The certificates that HTTPS trusts, a PEM file. Default: the system's.
  Policy& http_ca_file(std::string path);

  // Where messages of a component (wasi:logging) of this level and above go; without it they are
  // dropped. Texts are the component's own, control characters included; a context is cut after
  // 1 KiB, a message after 64 KiB. Called on the thread of the call, which it does not enter again;
  // copies of the policy share it, so sandboxes on several threads call it on all of them. It must
  // not throw.
  Policy& logging(LogSink sink, LogLevel from = LogLevel::kTrace);
  // A value that a component finds in wasi:config, in UTF-8. The last one for a key holds.
  Policy& config(std::string key, std::string value);

  // Entries for wasi:keyvalue, at most bytes_max bytes with 512 for each; without either of these
  // opening a bucket is denied. In memory they are gone at each restore and reset.
  Policy& keyvalue_in_memory(uint64_t bytes_max = uint64_t{16} << 20);
  // In a file of SQLite's of at most bytes_max bytes, which is made where there is none, and which
  // other sandboxes and processes may use at the same time. A process that has an SQLite of its own
  // must not open it with that: closing it there would let go of this one's locks. The deadline
  // holds for waiting, too. Errors of instantiate(): kHost; kInvalid for a file that is no store.
  Policy& keyvalue_file(std::string path, uint64_t bytes_max = uint64_t{1} << 30);

  Policy& limits(const Limits& limits);
  // Limits::deadline alone.
  Policy& deadline(std::chrono::nanoseconds per_call);
  Policy& trust_domain(TrustDomain domain);
  // Whether Usage::cpu_time is measured. Default: no. Cost: two system calls for each call.
  Policy& measure_cpu_time(bool is_measured);
  // Whether the sandbox can be saved and put back: snapshot(), restore(), reset(), pools. Default:
  // true. Cost: about 100 us at the start, and large pages of the guest's memory.
  Policy& resettable(bool is_resettable);
  // Calls without exits: caller and guest poll for each other's next turn for so long before they
  // sleep. With a free processor a warm call takes about 1 us, and each host function's answer
  // likewise. Where that does not help (no processor is free, calls are long or seldom) polling
  // stops after a few calls, which then cost what they cost without it, and is tried again later.
  // Range: 0 (off) to 10 ms. Default, without spin(): off. Off, too, where the thread that makes
  // the sandbox may use one processor only. Usage::exitless tells.
  // Nothing else changes: host functions run on the calling thread, calls end at deadlines, traps
  // and interrupt() as ever. But the guest runs on a thread of its own: what a host function reads
  // of the guest's memory twice, a hostile guest may change in between.
  // Cost: a thread for each sandbox (driver kvm), which sleeps when nobody calls; up to that time
  // of two processors after each call; and an exit for each reset, snapshot, callback into the
  // sandbox, growth of memory, and for each use of files, streams and sockets.
  Policy& spin(std::chrono::nanoseconds time = std::chrono::microseconds(50));
  // What Caller::user_data() gives to host functions. It outlives the sandbox.
  Policy& user_data(void* data);

  const Limits& limits() const;

  struct State;  // the library's own
  const State& state() const { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

}  // namespace mayfly
