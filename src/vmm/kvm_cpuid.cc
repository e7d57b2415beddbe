// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CPUID leaves and the control register bits that go with them.
#include "vmm/kvm_cpuid.h"

namespace mayfly::vmm {
namespace {

constexpr uint32_t bit(unsigned number) { return uint32_t{1} << number; }

const kvm_cpuid_entry2* find(const CpuidTable& table, uint32_t function, uint32_t index) {
  for (uint32_t i = 0; i < table.count; ++i) {
    if (table.entries[i].function == function && table.entries[i].index == index) {
      return &table.entries[i];
    }
  }
  return nullptr;
}

// Leaf 1, ECX.
constexpr uint32_t kXsave = bit(26);
constexpr uint32_t kAvx = bit(28);
// MONITOR, DS-CPL, VMX, SMX, EST, TM2, PDCM, PCID, DCA, x2APIC, TSC deadline.
constexpr uint32_t kLeaf1EcxHidden = bit(3) | bit(4) | bit(5) | bit(6) | bit(7) | bit(8) | bit(15) |
                                     bit(17) | bit(18) | bit(21) | bit(24);
// Leaf 7, EBX: FSGSBASE, TSC_ADJUST, SGX, HLE, RTM, MPX, PQE, PT and all of AVX-512.
constexpr uint32_t kLeaf7EbxHidden = bit(0) | bit(1) | bit(2) | bit(4) | bit(11) | bit(12) |
                                     bit(14) | bit(15) | bit(16) | bit(17) | bit(21) | bit(25) |
                                     bit(26) | bit(27) | bit(28) | bit(30) | bit(31);
constexpr uint32_t kSmep = bit(7);
constexpr uint32_t kSmap = bit(20);
// Leaf 7, ECX: AVX-512, PKU, WAITPKG, shadow stacks, 5-level paging, PKS.
constexpr uint32_t kLeaf7EcxHidden = bit(1) | bit(3) | bit(4) | bit(5) | bit(6) | bit(7) | bit(11) |
                                     bit(12) | bit(14) | bit(16) | bit(31);
constexpr uint32_t kUmip = bit(2);
// Leaf 7, EDX: AVX-512, user interrupts, AMX, indirect branch tracking.
constexpr uint32_t kLeaf7EdxHidden =
    bit(2) | bit(3) | bit(5) | bit(8) | bit(20) | bit(22) | bit(23) | bit(24) | bit(25);
// KVM's own signature. Without it KVM_SET_CPUID2 looks for one at 256 places.
constexpr uint32_t kHypervisor = 0x4000'0000;
constexpr uint64_t kXcr0Sse = 3;
constexpr uint64_t kXcr0Avx = 7;

bool is_kept(uint32_t function) {
  switch (function) {
    case 0x0:
    case 0x1:
    case 0x7:
    case 0xd:
    case kHypervisor:
    case 0x8000'0000:
    case 0x8000'0001:
    case 0x8000'0008:
      return true;
    default:
      return false;
  }
}

// false: the guest does not get this entry.
bool mask_entry(kvm_cpuid_entry2& entry, uint64_t xcr0) {
  if (!is_kept(entry.function)) return false;
  if (entry.function == 0x1) entry.ecx &= ~kLeaf1EcxHidden;
  if (entry.function == 0x7) {
    if (entry.index != 0) return false;
    entry.eax = 0;
    entry.ebx &= ~kLeaf7EbxHidden;
    entry.ecx &= ~kLeaf7EcxHidden;
    entry.edx &= ~kLeaf7EdxHidden;
  }
  if (entry.function == 0xd) {
    if (entry.index > 2) return false;
    if (entry.index == 0) {
      entry.eax = static_cast<uint32_t>(xcr0);
      entry.edx = 0;
    }
    if (entry.index == 1) entry.eax = entry.ebx = entry.ecx = entry.edx = 0;
  }
  if (entry.function == kHypervisor) entry.eax = kHypervisor;  // and no leaf of features
  if (entry.function == 0x8000'0000) entry.eax = 0x8000'0008;
  return true;
}

}  // namespace

void choose_processor(const CpuidTable& supported, VcpuModel& model) {
  const kvm_cpuid_entry2* const leaf1 = find(supported, 1, 0);
  const kvm_cpuid_entry2* const leaf7 = find(supported, 7, 0);
  const bool has_xsave = leaf1 != nullptr && (leaf1->ecx & kXsave) != 0;
  const bool has_avx = has_xsave && (leaf1->ecx & kAvx) != 0;
  model.xcr0 = has_avx ? kXcr0Avx : has_xsave ? kXcr0Sse : 0;

  // Intel SDM 3A, 2.5: PAE, OSFXSR, OSXMMEXCPT always; FSGSBASE, PCE, DE and PGE never.
  model.cr4 = bit(5) | bit(9) | bit(10);
  if (has_xsave) model.cr4 |= bit(18);
  if (leaf7 != nullptr && (leaf7->ebx & kSmep) != 0) model.cr4 |= bit(20);
  if (leaf7 != nullptr && (leaf7->ebx & kSmap) != 0) model.cr4 |= bit(21);
  if (leaf7 != nullptr && (leaf7->ecx & kUmip) != 0) model.cr4 |= bit(11);

  model.cpuid.count = 0;
  for (uint32_t i = 0; i < supported.count; ++i) {
    kvm_cpuid_entry2 entry = supported.entries[i];
    if (mask_entry(entry, model.xcr0)) model.cpuid.entries[model.cpuid.count++] = entry;
  }
}

uint32_t leaf7_ebx(const CpuidTable& table) {
  const kvm_cpuid_entry2* const leaf = find(table, 7, 0);
  return leaf == nullptr ? 0 : leaf->ebx;
}

std::string describe_processor(const CpuidTable& table) {
  struct Feature {
    uint32_t function;
    uint32_t kvm_cpuid_entry2::* word;
    unsigned bit;
    const char* name;
  };
  constexpr Feature kFeatures[] = {
      {1, &kvm_cpuid_entry2::ecx, 0, "sse3"},    {1, &kvm_cpuid_entry2::ecx, 9, "ssse3"},
      {1, &kvm_cpuid_entry2::ecx, 19, "sse4.1"}, {1, &kvm_cpuid_entry2::ecx, 20, "sse4.2"},
      {1, &kvm_cpuid_entry2::ecx, 23, "popcnt"}, {1, &kvm_cpuid_entry2::ecx, 28, "avx"},
      {1, &kvm_cpuid_entry2::ecx, 12, "fma"},    {7, &kvm_cpuid_entry2::ebx, 5, "avx2"},
      {7, &kvm_cpuid_entry2::ebx, 3, "bmi1"},    {7, &kvm_cpuid_entry2::ebx, 8, "bmi2"}};
  std::string text;
  for (const Feature& feature : kFeatures) {
    const kvm_cpuid_entry2* const entry = find(table, feature.function, 0);
    if (entry == nullptr || (entry->*feature.word & bit(feature.bit)) == 0) continue;
    text += (text.empty() ? "" : " ") + std::string(feature.name);
  }
  return text;
}

unsigned physical_address_bits(const CpuidTable& table) {
  const kvm_cpuid_entry2* const leaf = find(table, 0x8000'0008, 0);
  constexpr unsigned kBitsWithoutLeaf = 36;
  return leaf == nullptr ? kBitsWithoutLeaf : leaf->eax & 0xff;
}

}  // namespace mayfly::vmm
