// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The process driver's Host: the child's program, and the thread that starts children.
#include "vmm/process_host.h"

#include "vmm/process/child_process.h"
#include "vmm/process/process_vm.h"
#include "vmm/vm_config.h"

namespace mayfly::vmm {
namespace process {
namespace {

class ProcessHost final : public Host {
 public:
  ProcessHost(Fd program, Weakness weakness) : program_(std::move(program)), weakness_(weakness) {}

  Driver driver() const override { return Driver::kProcess; }
  Result<std::unique_ptr<Vm>> create_vm(const VmConfig& config) override {
    MAYFLY_TRY(check_config(config));
    return ProcessVm::create(config, spawner_, program_, weakness_);
  }
  std::vector<HostFact> facts() const override {
    return {
        {"driver", "process", "a child process behind a seccomp filter, not a virtual machine"},
        {"exit method", "futex", "two context switches"},
        {"not enforced", "CPUID, RDTSC and the CPU's side channels",
         "the guest shares the host's kernel and its processor's state"},
    };
  }

 private:
  Fd program_;
  Weakness weakness_;
  Spawner spawner_;
};

}  // namespace
}  // namespace process

Result<std::unique_ptr<Host>> open_process_host(Weakness weakness) {
  Fd program = MAYFLY_TRY(process::child_program());
  return std::unique_ptr<Host>(
      std::make_unique<process::ProcessHost>(std::move(program), weakness));
}

bool process_host_knows(Weakness weakness) {
  switch (weakness) {
    case Weakness::kWritableText:
    case Weakness::kExecutableData:
    case Weakness::kNoStackGuard:
    case Weakness::kNoDeadline:
    case Weakness::kNoReserveLimit:
    case Weakness::kDirtyVectorState:
    case Weakness::kSystemCalls:
      return true;
    default:
      return false;
  }
}

}  // namespace mayfly::vmm
