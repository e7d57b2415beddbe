// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The processor that a guest is told it has: what KVM supports, without what Mayfly's guests may
// not use (Intel SDM 2A, CPUID). Where the hardware does not intercept CPUID, the guest sees the
// host's processor all the same.
#pragma once

#include <string>

#include "vmm/kvm_vcpu.h"

namespace mayfly::vmm {

// supported is KVM_GET_SUPPORTED_CPUID's answer; fills the model's cpuid, xcr0 and cr4.
void choose_processor(const CpuidTable& supported, VcpuModel& model);

// Leaf 7's EBX as the table has it.
uint32_t leaf7_ebx(const CpuidTable& table);
// The features that matter to compiled code, by name.
std::string describe_processor(const CpuidTable& table);

// Guest-physical addresses have this many bits.
unsigned physical_address_bits(const CpuidTable& table);

}  // namespace mayfly::vmm
