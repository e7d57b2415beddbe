// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// FakeVm: a Vm for unit tests that runs nothing. Its memory is one range of bytes, its regions are
// sizes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "vmm/vm.h"

namespace mayfly::runtime {

class FakeVm final : public vmm::Vm {
 public:
  struct Size {
    uint64_t bytes = 0;
    uint64_t bytes_reserved = 0;
  };
  FakeVm(uint64_t address, size_t bytes, std::vector<Size> regions)
      : address_(address), memory_(bytes), regions_(std::move(regions)) {}

  std::vector<uint8_t>& memory() { return memory_; }

  Result<vmm::Exit> enter(const vmm::Entry& /*entry*/) override { return vmm::Exit{}; }
  Result<vmm::Exit> resume() override { return vmm::Exit{}; }
  Result<vmm::Exit> enter_nested(const vmm::Entry& /*entry*/) override { return vmm::Exit{}; }
  void set_deadline(std::optional<std::chrono::steady_clock::time_point> /*deadline*/) override {}
  bool cancel() override { return false; }
  Result<void> look_at(std::chrono::steady_clock::time_point /*when*/,
                       vmm::GuestWatch& watch) override {
    watch_ = &watch;
    return {};
  }
  // Who asked to look at the guest last.
  vmm::GuestWatch* watch() const { return watch_; }
  std::chrono::nanoseconds cpu_time() const override { return {}; }
  Result<void> read(uint64_t address, std::span<uint8_t> to) const override {
    if (!contains(address, to.size())) return invalid("outside");
    std::copy_n(memory_.begin() + static_cast<int64_t>(address - address_), to.size(), to.begin());
    return {};
  }
  Result<void> write(uint64_t address, std::span<const uint8_t> from) override {
    if (!contains(address, from.size())) return invalid("outside");
    std::ranges::copy(from, memory_.begin() + static_cast<int64_t>(address - address_));
    return {};
  }
  Result<std::span<uint8_t>> view(uint64_t address, uint64_t bytes) override {
    if (!contains(address, bytes)) return invalid("outside");
    return std::span(memory_).subspan(address - address_, bytes);
  }
  Result<std::span<const uint8_t>> read_view(uint64_t address, uint64_t bytes) override {
    return std::span<const uint8_t>(MAYFLY_TRY(view(address, bytes)));
  }
  Result<void> resize(size_t region, uint64_t bytes) override {
    if (bytes > regions_[region].bytes_reserved) return limit("past what is reserved");
    regions_[region].bytes = bytes;
    return {};
  }
  uint64_t region_bytes(size_t region) const override { return regions_[region].bytes; }
  guest_abi::CallPage& call_page() override { return page_; }
  Result<std::vector<vmm::PageView>> touched_pages() override {
    return std::vector<vmm::PageView>{};
  }
  Result<void> set_reference(const vmm::SavedMemory& /*state*/) override { return {}; }
  Result<vmm::RestoreCount> restore(const vmm::SavedMemory& /*state*/) override {
    return vmm::RestoreCount{};
  }

 private:
  bool contains(uint64_t address, uint64_t bytes) const {
    return address >= address_ && bytes <= memory_.size() &&
           address - address_ <= memory_.size() - bytes;
  }
  uint64_t address_;
  std::vector<uint8_t> memory_;
  std::vector<Size> regions_;
  guest_abi::CallPage page_{};
  vmm::GuestWatch* watch_ = nullptr;
};

}  // namespace mayfly::runtime
