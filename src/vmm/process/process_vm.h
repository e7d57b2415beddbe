// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ProcessVm: a guest in a child process, behind the interface of Vm.
//
// Its memory is files: one holds the call page, the stack and every region that cannot grow; each
// region that can has one of its own, whose size is the region's. What lies past the end of a file
// is mapped in the child, and faults.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/fd.h"
#include "base/mapping.h"
#include "vmm/process/child_process.h"
#include "vmm/spin_choice.h"
#include "vmm/vm.h"

namespace mayfly::vmm::process {

class ProcessVm final : public Vm {
 public:
  // The spawner and the program outlive the Vm.
  static Result<std::unique_ptr<Vm>> create(const VmConfig& config, Spawner& spawner,
                                            const Fd& program, Weakness weakness);

  Result<Exit> enter(const Entry& entry) override;
  Result<Exit> resume() override;
  Result<Exit> enter_nested(const Entry& entry) override;
  void set_deadline(std::optional<std::chrono::steady_clock::time_point> deadline) override;
  bool cancel() override;
  Result<void> look_at(std::chrono::steady_clock::time_point when, GuestWatch& watch) override;
  std::chrono::nanoseconds cpu_time() const override;
  Result<void> read(uint64_t address, std::span<uint8_t> to) const override;
  Result<void> write(uint64_t address, std::span<const uint8_t> from) override;
  Result<std::span<uint8_t>> view(uint64_t address, uint64_t bytes) override;
  Result<std::span<const uint8_t>> read_view(uint64_t address, uint64_t bytes) override;
  Result<void> resize(size_t region, uint64_t bytes) override;
  uint64_t region_bytes(size_t region) const override;
  guest_abi::CallPage& call_page() override;
  Result<std::vector<PageView>> touched_pages() override;
  Result<void> set_reference(const SavedMemory& state) override;
  Result<RestoreCount> restore(const SavedMemory& state) override;

 private:
  // One range of the guest: where it is in the host, and how the child maps it.
  struct Range {
    uint64_t address = 0;
    uint64_t bytes = 0;
    uint64_t bytes_reserved = 0;
    bool writable = false;
    uint8_t* host = nullptr;
    Fd own_file;  // of a region that can grow
    ChildMapping child{};
  };

  ProcessVm(Spawner& spawner, const Fd& program, Weakness weakness)
      : spawner_(spawner), program_(program), weakness_(weakness) {}
  Result<void> place_fixed(const VmConfig& config);
  Result<void> place_region(const RegionSpec& spec, Range& range, uint64_t& fixed_used);
  Result<void> start_child();
  Result<Exit> run(Command command);
  bool poll() const;
  Result<Exit> stop(Exit::Kind kind);
  void drop_child();
  Exit end_call(Exit exit);
  Exit read_report();
  bool is_memory(uint64_t address) const;
  bool deadline_passed() const;
  void look_if_due();
  Access child_access(Protection protection) const;
  const Range* find(uint64_t address, uint64_t bytes) const;
  using PageVisitor = std::function<Result<void>(const Range& range, uint64_t page, uint8_t* host)>;
  Result<void> for_each_resident_page(const PageVisitor& visit);

  Spawner& spawner_;
  const Fd& program_;
  const Weakness weakness_;
  std::chrono::nanoseconds spin_time_{0};
  uint64_t spin_ticks_ = 0;  // the same for the child
  SpinChoice spin_choice_;
  Fd fixed_file_;
  std::vector<Fd> image_files_;
  std::vector<Mapping> host_mappings_;
  std::vector<Range> ranges_;  // the regions in their order, then stack and call page
  size_t region_count_ = 0;
  guest_abi::CallPage* call_page_ = nullptr;
  std::optional<ChildProcess> child_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  std::optional<std::chrono::steady_clock::time_point> look_at_;
  GuestWatch* watch_ = nullptr;
  // in_call_, the start and the end of child_, and ended_cpu_time_
  mutable std::mutex cancel_mutex_;
  std::chrono::nanoseconds ended_cpu_time_{0};  // of earlier children
  bool in_call_ = false;
  uint32_t nested_ = 0;  // calls inside the one in progress
  std::atomic<bool> cancelled_ = false;
};

}  // namespace mayfly::vmm::process
