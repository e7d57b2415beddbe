// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What `mayfly doctor` says about KVM: measured on a few VMs of one page of code, in some
// milliseconds.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "vmm/kvm_cpuid.h"
#include "vmm/kvm_host.h"
#include "vmm/smallest_guest.h"

namespace mayfly::vmm {
namespace {

using Clock = std::chrono::steady_clock;

std::string microseconds(Clock::duration time) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f",
                std::chrono::duration<double, std::micro>(time).count());
  return text.data();
}

Clock::duration median(std::vector<Clock::duration>& times) {
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

std::string kvm_module() {
  for (const char* name : {"kvm_pvm", "kvm_amd", "kvm_intel"}) {
    if (::access((std::string("/sys/module/") + name).c_str(), F_OK) == 0) return name;
  }
  return "unknown";
}

// A thunk that stores CPUID leaf 7's EBX and ECX: push rbx; mov eax, 7; xor ecx, ecx; cpuid;
// mov [rsi], ebx; mov [rsi + 8], ecx; pop rbx; ret.
constexpr std::array<uint8_t, 17> kReadCpuid = {
    0x53, 0xb8, 7, 0, 0, 0, 0x31, 0xc9, 0x0f, 0xa2, 0x89, 0x1e, 0x89, 0x4e, 0x08, 0x5b, 0xc3};

constexpr Entry kCode{guest_abi::kImage, 0};

struct Measured {
  std::string vm_floor = "?";
  std::string exit_cost = "?";
  bool cpuid_is_masked = false;
};

}  // namespace

std::vector<HostFact> KvmHost::facts() const {
  std::vector<HostFact> facts;
  const std::string module = kvm_module();
  facts.push_back({"/dev/kvm", "works", "KVM API 12"});
  facts.push_back({"driver", "kvm", ""});
  facts.push_back({"kvm module", module,
                   module == "kvm_intel" ? "VMX: the same code as SVM, but untested" : ""});

  Measured measured;
  const auto measure = [&]() -> Result<void> {
    const auto guest = MAYFLY_TRY(SmallestGuest::create(kReadCpuid));
    std::vector<Clock::duration> floors;
    std::vector<Clock::duration> exits;
    for (int i = 0; i < 4; ++i) {
      const auto start = Clock::now();
      const auto vm = MAYFLY_TRY(make(guest.config));
      MAYFLY_TRY(vm->enter(kEmptyCall));
      if (i != 0) floors.push_back(Clock::now() - start);  // the first one is a trial
      for (int call = 0; call < 30; ++call) {
        const auto before = Clock::now();
        MAYFLY_TRY(vm->enter(kEmptyCall));
        exits.push_back(Clock::now() - before);
      }
      MAYFLY_TRY(vm->enter(kCode));
      const uint64_t ebx = vm->call_page().slots[0].low;
      measured.cpuid_is_masked = ebx == leaf7_ebx(model_.cpuid);
    }
    measured.vm_floor = microseconds(median(floors));
    measured.exit_cost = microseconds(median(exits));
    return {};
  };
  const Result<void> result = measure();
  if (!result) {
    facts.push_back({"sandbox", "fails", result.error().message});
    return facts;
  }

  const HostPagesOptions& options = pages_->options();
  const bool is_store = options.exit_method == ExitMethod::kMmioStore;
  facts.push_back({"exit method", std::string(to_string(options.exit_method)),
                   is_store ? "a store to an absent page, as kvm_pvm emulates every out"
                            : "out to the one port that the I/O bitmap opens"});
  facts.push_back({"VM floor", measured.vm_floor + " us", "a new VM to its first exit, median"});
  facts.push_back({"exit cost", measured.exit_cost + " us", "an empty call, median"});
  facts.push_back({"processor",
                   measured.cpuid_is_masked ? describe_processor(model_.cpuid) : "the host's",
                   std::to_string(physical_bits_) + " guest-physical address bits"});
  facts.push_back(
      {"vector state", std::string(to_string(options.vector_state)), "cleared at each call"});
  if (!measured.cpuid_is_masked) {
    facts.push_back({"not enforced", "CPUID", "not intercepted: guests see the host's processor"});
  }
  if (options.vector_state == VectorState::kAvx512) {
    facts.push_back({"not enforced", "XCR0", "guests can use AVX-512 although it is not offered"});
  }
  facts.push_back({"not enforced", "RDTSC, RDRAND, caches and predictors",
                   "side channels are the host's; see docs/security.md"});
  return facts;
}

}  // namespace mayfly::vmm
