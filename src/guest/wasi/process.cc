// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// proc_exit, proc_raise, sched_yield, and the marks of a benchmark.
#include "guest/wasi/functions.h"
#include "guest/wasi/linear_memory.h"
#include "guest/wasi/port_call.h"

using mayfly::guest::answer;
using mayfly::guest::hypercall;
using mayfly::guest::new_request;
using mayfly::guest_abi::Port;
using mayfly::guest_abi::wasi::Errno;

namespace {

[[noreturn]] void leave(uint32_t code) {
  new_request<mayfly::guest_abi::ExitRequest>().code = code;
  hypercall(Port::kExit);
  __builtin_trap();  // the host never resumes that call
}

// What POSIX does with a signal that nobody handles. witx: $signal
enum class SignalAction : uint8_t { kTerminate, kIgnore, kStop, kUnknown };

constexpr SignalAction action_of(uint32_t signal) {
  constexpr uint32_t kNone = 0, kChild = 16, kContinue = 17, kStop = 18, kTerminalOut = 21,
                     kUrgent = 22, kWindow = 27, kLast = 30;
  if (signal > kLast) return SignalAction::kUnknown;
  if (signal >= kStop && signal <= kTerminalOut) return SignalAction::kStop;
  if (signal == kNone || signal == kChild || signal == kContinue || signal == kUrgent ||
      signal == kWindow) {
    return SignalAction::kIgnore;
  }
  return SignalAction::kTerminate;
}

void mark(uint32_t number) {
  new_request<mayfly::guest_abi::BenchRequest>().mark = number;
  hypercall(Port::kBench);
}

}  // namespace

void mayfly_wasi_p1_proc_exit(MemoryInfo* /*memory*/, uint32_t code) { leave(code); }

uint32_t mayfly_wasi_p1_proc_raise(MemoryInfo* /*memory*/, uint32_t signal) {
  switch (action_of(signal)) {
    case SignalAction::kTerminate:
      leave(128 + signal);  // as a shell reports it
    case SignalAction::kIgnore:
      return answer(Errno::kSuccess);
    case SignalAction::kStop:
      return answer(Errno::kNotSup);
    case SignalAction::kUnknown:
      return answer(Errno::kInval);
  }
  return answer(Errno::kInval);
}

// One thread: there is nobody to yield to.
uint32_t mayfly_wasi_p1_sched_yield(MemoryInfo* /*memory*/) { return answer(Errno::kSuccess); }

void mayfly_bench_start(MemoryInfo* /*memory*/) { mark(0); }
void mayfly_bench_end(MemoryInfo* /*memory*/) { mark(1); }
