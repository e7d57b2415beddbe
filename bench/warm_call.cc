// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A warm call through Vm next to the raw exit by `out`, in nanoseconds. In QEMU with -icount a
// nanosecond is an instruction, so the difference is what Mayfly adds (instructions_bench.py).
#include <cstdint>
#include <cstdio>

#include "base/check.h"
#include "base/fd.h"
#include "bench/paired.h"
#include "bench/raw_kvm.h"
#include "vmm/vm.h"

namespace mayfly::bench {
namespace {

constexpr int kCalls = 2000;

// A guest whose one function returns at once.
std::unique_ptr<vmm::Vm> returning_guest(vmm::Host& host, const Fd& file) {
  constexpr uint8_t kReturn[] = {0xc3};
  CHECK(write_whole(file.get(), kReturn).has_value());
  vmm::VmConfig config;
  vmm::RegionSpec text;
  text.address = guest_abi::kImage;
  text.bytes = text.bytes_reserved = text.file_bytes = guest_abi::kPageBytes;
  text.protection = vmm::Protection::kReadExecute;
  text.file = file.get();
  config.regions.push_back(text);
  return host.create_vm(config).value();
}

int run() {
  const RawKvm kvm = RawKvm::open().value();
  RawVm raw = RawVm::create(kvm, RawExit::kOut).value();
  const auto host = vmm::Host::open(vmm::Driver::kKvm).value();
  const Fd file = create_memfd("guest", guest_abi::kPageBytes).value();
  const auto vm = returning_guest(*host, file);
  const auto floor = [&] {
    for (int i = 0; i < kCalls; ++i) CHECK(raw.call().has_value());
  };
  const auto subject = [&] {
    for (int i = 0; i < kCalls; ++i) {
      const auto exit = vm->enter({guest_abi::kImage, 0});
      CHECK(exit.has_value() && exit->kind == vmm::Exit::Kind::kPort);
    }
  };
  const Paired result = measure_paired(3, floor, subject);
  const double raw_ns = result.floor_us * 1000 / kCalls;
  const double call_ns = result.subject_us * 1000 / kCalls;
  std::printf("warm-call: raw %.0f, call %.0f, Mayfly's own %.0f, ratio %.2f\n", raw_ns, call_ns,
              call_ns - raw_ns, call_ns / raw_ns);
  return 0;
}

}  // namespace
}  // namespace mayfly::bench

int main() { return mayfly::bench::run(); }
