// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the adapters of host functions call, and the marks of `mayfly run --bench`.
#include "guest/port.h"
#include "guest_abi/instance.h"

using mayfly::guest_abi::BenchRequest;
using mayfly::guest_abi::HostCallRequest;
using mayfly::guest_abi::MemoryInfo;
using mayfly::guest_abi::Port;

extern "C" {

// The arguments are in the slots already, and the results are there afterwards.
void mayfly_host_call(uint32_t import_index) {
  mayfly::guest::call_port(Port::kHostCall, HostCallRequest{import_index, 0});
}

void mayfly_bench_start(MemoryInfo* /*memory*/) {
  mayfly::guest::call_port(Port::kBench, BenchRequest{0});
}
void mayfly_bench_end(MemoryInfo* /*memory*/) {
  mayfly::guest::call_port(Port::kBench, BenchRequest{1});
}

}  // extern "C"
