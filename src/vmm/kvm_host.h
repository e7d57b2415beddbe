// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// KvmHost: /dev/kvm, what it can do, and the way out of the VM that works on it.
// The way out is tried on the first VM, which then serves its caller: no VM is made for probing.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "vmm/deadline_timer.h"
#include "vmm/host_pages_x86_64.h"
#include "vmm/kvm_environment.h"
#include "vmm/kvm_shell.h"
#include "vmm/kvm_vcpu.h"
#include "vmm/kvm_vm.h"
#include "vmm/vm.h"
#include "vmm/weakness.h"

namespace mayfly::vmm {

struct KvmHostOptions {
  int kick_signal = 0;  // 0: default_kick_signal()
  Weakness weakness = Weakness::kNone;
};

class KvmHost final : public Host {
  struct Private {
    explicit Private() = default;
  };

 public:
  // Use open().
  KvmHost(Private, const KvmHostOptions& options) : options_(options) {}
  static Result<std::unique_ptr<KvmHost>> open(const KvmHostOptions& options);

  Driver driver() const override { return Driver::kKvm; }
  Result<std::unique_ptr<Vm>> create_vm(const VmConfig& config) override;
  std::vector<HostFact> facts() const override;
  void keep_idle(size_t max) override { shells_.set_max(max); }
  Result<void> make_idle(size_t count, uint64_t domain, Tracking tracking) override;

  // How guests leave here; makes a VM to find out.
  Result<ExitMethod> exit_method() const;

 private:
  Result<void> probe();
  std::vector<HostPagesOptions> candidates() const;
  Result<std::unique_ptr<KvmVm>> make(const VmConfig& config) const;
  Result<std::unique_ptr<KvmVm>> create_first(const VmConfig& config) const;
  KvmEnvironment environment(const HostPages& pages) const;

  const KvmHostOptions options_;
  Fd kvm_;
  VcpuModel model_;
  uint32_t slot_count_max_ = 0;
  unsigned physical_bits_ = 0;
  mutable DeadlineTimer timer_;
  mutable ShellStore shells_;

  mutable std::mutex mutex_;
  // Set with the first VM, under mutex_; never changed afterwards.
  mutable std::optional<HostPages> pages_;
};

}  // namespace mayfly::vmm
