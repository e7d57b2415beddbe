// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opening KVM and choosing the way out of the VM.
#include "vmm/kvm_host.h"

#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "vmm/kick_signal.h"
#include "vmm/kvm_cpuid.h"
#include "vmm/kvm_ioctl.h"
#include "vmm/vm_config.h"

namespace mayfly::vmm {
namespace {

constexpr char kDevice[] = "/dev/kvm";

Error device_error(Error error) {
  switch (error.errno_value) {
    case ENOENT:
      error.message = "/dev/kvm is missing: this machine has no KVM; use --driver process";
      error.kind = ErrorKind::kUnsupported;
      break;
    case EACCES:
    case EPERM:
      error.message =
          "/dev/kvm may not be opened: add this user to the group kvm, or use --driver process";
      break;
    default:
      break;
  }
  return error;
}

// What CPL 3 can use whether or not XCR0 allows it, where XCR0 is not enforced.
bool host_has_avx512() { return __builtin_cpu_supports("avx512f") != 0; }

// From Linux 6.13 on a vCPU changes its thread without a grace period.
bool moves_vcpus_freely() {
  utsname names{};
  int major = 0;
  int minor = 0;
  if (::uname(&names) != 0 || std::sscanf(names.release, "%d.%d", &major, &minor) != 2)
    return false;
  return major > 6 || (major == 6 && minor >= 13);
}

bool is_kvm_pvm() { return ::access("/sys/module/kvm_pvm", F_OK) == 0; }

}  // namespace

Result<std::unique_ptr<KvmHost>> KvmHost::open(const KvmHostOptions& options) {
  KvmHostOptions chosen = options;
  if (chosen.kick_signal == 0) chosen.kick_signal = default_kick_signal();
  auto host = std::make_unique<KvmHost>(Private(), chosen);
  auto device = open_file(kDevice, O_RDWR);
  if (!device) return device_error(std::move(device).error());
  host->kvm_ = *std::move(device);
  MAYFLY_TRY(host->probe());
  MAYFLY_TRY(install_kick_signal(chosen.kick_signal));
  return host;
}

Result<void> KvmHost::probe() {
  const int fd = kvm_.get();
  const int version = kvm_ioctl(fd, KVM_GET_API_VERSION);
  if (version != KVM_API_VERSION) {
    return unsupported("/dev/kvm has API version " + std::to_string(version) + ", not 12");
  }
  struct Needed {
    unsigned long capability;
    int bits;
    const char* name;
  };
  constexpr int kSyncAll = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS;
  constexpr Needed kNeeded[] = {{KVM_CAP_USER_MEMORY, 1, "KVM_CAP_USER_MEMORY"},
                                {KVM_CAP_READONLY_MEM, 1, "KVM_CAP_READONLY_MEM"},
                                {KVM_CAP_SYNC_REGS, kSyncAll, "KVM_CAP_SYNC_REGS"},
                                {KVM_CAP_IMMEDIATE_EXIT, 1, "KVM_CAP_IMMEDIATE_EXIT"}};
  for (const Needed& needed : kNeeded) {
    const int value = kvm_ioctl(fd, KVM_CHECK_EXTENSION, needed.capability);
    if (value < 0 || (value & needed.bits) != needed.bits) {
      return unsupported(std::string("this KVM lacks ") + needed.name +
                         "; use a kernel from 4.17 on, or --driver process");
    }
  }
  const int run_bytes = kvm_ioctl(fd, KVM_GET_VCPU_MMAP_SIZE);
  if (run_bytes < static_cast<int>(sizeof(kvm_run))) return host_error("KVM_GET_VCPU_MMAP_SIZE");
  model_.run_bytes = static_cast<size_t>(run_bytes);
  slot_count_max_ =
      static_cast<uint32_t>(std::max(8, kvm_ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS)));

  CpuidTable supported;
  supported.count = CpuidTable::kEntriesMax;
  if (kvm_ioctl(fd, KVM_GET_SUPPORTED_CPUID, &supported) != 0) {
    return host_error("KVM_GET_SUPPORTED_CPUID");
  }
  choose_processor(supported, model_);
  physical_bits_ = physical_address_bits(supported);
  shells_.set_moves_freely(moves_vcpus_freely());
  return {};
}

// The likely one first. A store to the exit page works everywhere, `out` is cheaper where the
// bitmap counts. Instructions that the host refuses raise #UD in the trial.
std::vector<HostPagesOptions> KvmHost::candidates() const {
  constexpr uint64_t kXcr0Avx = 4;
  const VectorState allowed = (model_.xcr0 & kXcr0Avx) != 0 ? VectorState::kAvx : VectorState::kSse;
  const HostPagesOptions out{ExitMethod::kPortOut, allowed};
  const HostPagesOptions out_emulated{ExitMethod::kPortOut, allowed, TaskState::kAvailable};
  const HostPagesOptions store{ExitMethod::kMmioStore, allowed};
  const HostPagesOptions store_wide{ExitMethod::kMmioStore, VectorState::kAvx512};
  std::vector<HostPagesOptions> all = {out, out_emulated, store};
  if (is_kvm_pvm()) all = {store, out};
  if (is_kvm_pvm() && host_has_avx512()) all.insert(all.begin(), store_wide);
  // Instructions at CPL 0 are emulated on kvm_pvm, which knows no vector ones.
  const bool clears_nothing = options_.weakness == Weakness::kDirtyVectorState ||
                              options_.weakness == Weakness::kDirtyShell ||
                              options_.weakness == Weakness::kKernelMode;
  for (HostPagesOptions& candidate : all) {
    candidate.weakness = options_.weakness;
    if (clears_nothing) candidate.vector_state = VectorState::kNone;
  }
  return all;
}

KvmEnvironment KvmHost::environment(const HostPages& pages) const {
  KvmEnvironment result;
  result.kvm_fd = kvm_.get();
  result.host_pages = &pages;
  result.vcpu_model = &model_;
  result.timer = &timer_;
  result.shells = &shells_;
  result.kick_signal = options_.kick_signal;
  result.slot_count_max = slot_count_max_;
  result.gpa_end = uint64_t{1} << physical_bits_;
  result.weakness = options_.weakness;
  return result;
}

Result<std::unique_ptr<Vm>> KvmHost::create_vm(const VmConfig& config) {
  return std::unique_ptr<Vm>(MAYFLY_TRY(make(config)));
}

Result<ExitMethod> KvmHost::exit_method() const {
  MAYFLY_TRY(make(VmConfig{}));
  return pages_->options().exit_method;
}

Result<std::unique_ptr<KvmVm>> KvmHost::make(const VmConfig& config) const {
  MAYFLY_TRY(check_config(config));
  {
    const std::lock_guard lock(mutex_);
    if (!pages_.has_value()) return create_first(config);
  }
  return KvmVm::create(environment(*pages_), config);
}

Result<void> KvmHost::make_idle(size_t count, uint64_t domain, Tracking tracking) {
  if (count > shells_.max()) {
    return limit("at most " + std::to_string(shells_.max()) + " idle machines are kept, not " +
                 std::to_string(count));
  }
  MAYFLY_TRY(exit_method());  // how guests leave is part of a shell
  std::vector<KvmShell> made;
  made.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    made.push_back(MAYFLY_TRY(KvmShell::create(environment(*pages_), {domain, tracking})));
  }
  for (KvmShell& shell : made) shells_.put(std::move(shell));
  return {};
}

// Calls hypercall itself as the thunk, which leaves with the number that it is given.
Result<std::unique_ptr<KvmVm>> KvmHost::create_first(const VmConfig& config) const {
  constexpr uint32_t kTrialPort = 7;
  std::string tried;
  for (const HostPagesOptions& candidate : candidates()) {
    pages_ = MAYFLY_TRY(HostPages::create(candidate));
    auto vm = KvmVm::create(environment(*pages_), config);
    if (!vm) {
      pages_.reset();
      return vm;
    }
    const auto exit = (*vm)->enter(Entry{guest_abi::kHypercall, kTrialPort});
    if (exit && exit->kind == Exit::Kind::kPort && exit->port == kTrialPort) return vm;
    vm->reset();
    shells_.clear();
    tried += std::string(tried.empty() ? "" : ", ") + std::string(to_string(candidate.exit_method));
  }
  pages_.reset();
  return unsupported("no way out of the VM works on this host's KVM (tried " + tried +
                     "); use --driver process");
}

}  // namespace mayfly::vmm
