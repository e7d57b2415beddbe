// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CPUID and XCR0 behind the names of /proc/cpuinfo. Intel SDM 2A, CPUID.
#include "image/cpu_features_x86_64.h"

#include <cpuid.h>

#include <cstdint>
#include <iterator>

namespace mayfly::image {
namespace {

enum class Register : uint8_t { kEbx, kEcx, kEdx };
enum class State : uint8_t { kNone, kAvx };  // what the operating system must save for it

struct FeatureBit {
  std::string_view name;
  uint32_t leaf;
  Register where;
  uint32_t bit;
  State state = State::kNone;
};

constexpr FeatureBit kFeatures[] = {
    {"cx16", 1, Register::kEcx, 13},
    {"pni", 1, Register::kEcx, 0},
    {"ssse3", 1, Register::kEcx, 9},
    {"sse4_1", 1, Register::kEcx, 19},
    {"sse4_2", 1, Register::kEcx, 20},
    {"popcnt", 1, Register::kEcx, 23},
    {"lahf_lm", 0x8000'0001, Register::kEcx, 0},
    {"movbe", 1, Register::kEcx, 22},
    {"avx", 1, Register::kEcx, 28, State::kAvx},
    {"f16c", 1, Register::kEcx, 29, State::kAvx},
    {"fma", 1, Register::kEcx, 12, State::kAvx},
    {"avx2", 7, Register::kEbx, 5, State::kAvx},
    {"bmi1", 7, Register::kEbx, 3},
    {"bmi2", 7, Register::kEbx, 8},
    {"abm", 0x8000'0001, Register::kEcx, 5},
};

// Whether XCR0 has the bits of SSE and AVX state.
bool saves_avx() {
  constexpr uint32_t kOsxsave = uint32_t{1} << 27;
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kOsxsave) == 0) return false;
  uint32_t low = 0, high = 0;
  // SAFETY: xgetbv of register 0 reads a processor register only; OSXSAVE says that it exists.
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low & 6) == 6;
}

bool ask(const FeatureBit& feature) {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid_count(feature.leaf, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  const uint32_t bits = feature.where == Register::kEbx   ? ebx
                        : feature.where == Register::kEcx ? ecx
                                                          : edx;
  if ((bits >> feature.bit & 1) == 0) return false;
  return feature.state == State::kNone || saves_avx();
}

// Asked once: in a virtual machine CPUID leaves it, which takes tens of microseconds on some.
bool has(const FeatureBit& feature) {
  static const uint32_t present = [] {
    static_assert(std::size(kFeatures) <= 32);
    uint32_t bits = 0;
    for (size_t i = 0; i < std::size(kFeatures); ++i) bits |= (ask(kFeatures[i]) ? 1U : 0U) << i;
    return bits;
  }();
  return (present >> (&feature - kFeatures) & 1) != 0;
}

}  // namespace

CpuFeature cpu_feature(std::string_view name) {
  for (const FeatureBit& feature : kFeatures) {
    if (feature.name == name) return has(feature) ? CpuFeature::kPresent : CpuFeature::kAbsent;
  }
  return CpuFeature::kUnknownName;
}

std::vector<std::string> present_cpu_features() {
  std::vector<std::string> names;
  for (const FeatureBit& feature : kFeatures) {
    if (has(feature)) names.emplace_back(feature.name);
  }
  return names;
}

}  // namespace mayfly::image
