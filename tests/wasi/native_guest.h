// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NativeGuest: the guest library's WASI functions, compiled as host code, with a Context behind
// their ports. The call page and the way out of the VM lie where a guest has them.
#pragma once

#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapping.h"
#include "guest_abi/call_page.h"
#include "guest_abi/instance.h"
#include "runtime/port_handler.h"
#include "wasi/context.h"

namespace mayfly {

// One at a time: its addresses are fixed.
class NativeGuest final : public runtime::BehindAccess {
 public:
  static constexpr uint64_t kMemoryBytes = 4 << 16;

  explicit NativeGuest(const wasi::WasiConfig& config);
  ~NativeGuest() override;
  NativeGuest(const NativeGuest&) = delete;
  NativeGuest& operator=(const NativeGuest&) = delete;

  guest_abi::MemoryInfo* memory() { return &memory_info_; }
  guest_abi::CallPage& page();
  uint64_t exit_count() const { return exit_count_; }
  // As on a host that was booted so much later.
  uint64_t monotonic_behind_ns = 0;
  // As where somebody has set the clock.
  int64_t realtime_ahead_ns = 0;
  void set_deadline(std::chrono::steady_clock::time_point deadline) { deadline_ = deadline; }

  // Linear memory, by the program's own offsets.
  template <typename T>
  T load(uint32_t offset) const {
    T value;
    std::memcpy(&value, linear_.data() + offset, sizeof value);
    return value;
  }
  template <typename T>
  void store(uint32_t offset, const T& value) {
    std::memcpy(linear_.data() + offset, &value, sizeof value);
  }
  void put(uint32_t offset, std::string_view text) {
    std::memcpy(linear_.data() + offset, text.data(), text.size());
  }
  std::string text(uint32_t offset, size_t bytes) const {
    return std::string(linear_.begin() + offset,
                       linear_.begin() + offset + static_cast<long>(bytes));
  }

  // Called at the way out.
  void serve(uint32_t port);

  guest_abi::WriteBehind& words() override { return page().write_behind; }
  void watch() override { words().is_watched = 1; }
  // As the end of a call or a look at the guest does.
  void settle();
  wasi::Context& context() { return *context_; }

 private:
  std::unique_ptr<wasi::Context> context_;
  std::vector<uint8_t> linear_;
  guest_abi::MemoryInfo memory_info_{};
  Mapping host_owned_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  uint64_t exit_count_ = 0;
};

}  // namespace mayfly
