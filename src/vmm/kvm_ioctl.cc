// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The system call behind everything that this folder asks of KVM.
#include "vmm/kvm_ioctl.h"

#include <sys/ioctl.h>

namespace mayfly::vmm {

int kvm_ioctl(int fd, unsigned long request, void* argument) {
  // SAFETY: a request number fixes the struct behind its argument, and kvm_header.h asserts the
  // sizes of those structs; every caller passes the struct of its request, alive during the call.
  return ::ioctl(fd, request, argument);
}

int kvm_ioctl(int fd, unsigned long request, const void* argument) {
  // SAFETY: as above; the kernel only reads it.
  return ::ioctl(fd, request, argument);
}

int kvm_ioctl(int fd, unsigned long request, unsigned long value) {
  // SAFETY: requests whose argument is a number; the kernel follows no pointer.
  return ::ioctl(fd, request, value);
}

}  // namespace mayfly::vmm
