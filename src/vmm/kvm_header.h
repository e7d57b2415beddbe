// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one place that includes <linux/kvm.h>. In C++ some versions of <linux/stddef.h> put an empty
// struct of size 1 before a flexible array, which moves the array and changes ioctl numbers.
#pragma once

// Must come first: <linux/kvm.h> reaches it too, and its include guard keeps the macro from
// coming back.
#include <linux/stddef.h>

#undef __DECLARE_FLEX_ARRAY
#define __DECLARE_FLEX_ARRAY(TYPE, NAME) TYPE NAME[]

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpedantic"
#include <linux/kvm.h>
#pragma clang diagnostic pop

#include <cstddef>

// The sizes that the kernel, written in C, compiles into its ioctl numbers.
static_assert(sizeof(kvm_cpuid2) == 8 && offsetof(kvm_cpuid2, entries) == 8);
static_assert(sizeof(kvm_cpuid_entry2) == 40);
static_assert(sizeof(kvm_msrs) == 8 && offsetof(kvm_msrs, entries) == 8);
static_assert(sizeof(kvm_signal_mask) == 4 && offsetof(kvm_signal_mask, sigset) == 4);
static_assert(sizeof(kvm_irq_routing) == 8 && offsetof(kvm_irq_routing, entries) == 8);
static_assert(sizeof(kvm_reg_list) == 8 && offsetof(kvm_reg_list, reg) == 8);
static_assert(sizeof(kvm_userspace_memory_region) == 32);
static_assert(sizeof(kvm_regs) == 144 && sizeof(kvm_sregs) == 312);
static_assert(sizeof(kvm_vcpu_events) == 64);
