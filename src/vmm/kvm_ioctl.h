// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one place that calls ioctl() on KVM's descriptors. Each returns what the kernel returns, or
// -1 with errno set.
#pragma once

namespace mayfly::vmm {

int kvm_ioctl(int fd, unsigned long request, void* argument);
// A request that only reads its argument.
int kvm_ioctl(int fd, unsigned long request, const void* argument);
int kvm_ioctl(int fd, unsigned long request, unsigned long value = 0);

}  // namespace mayfly::vmm
