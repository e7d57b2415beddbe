// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For tests only: guests of a few hand-written instructions.
// A guest is text at kText, data at kData, a memory at kLowMemory, and the driver's stack.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "guest_abi/layout.h"
#include "vmm/vm.h"

namespace mayfly::vmm {

// Instructions, by their bytes; the comment beside each use says which.
class Code {
 public:
  Code& bytes(std::initializer_list<uint8_t> list) {
    bytes_.insert(bytes_.end(), list);
    return *this;
  }
  Code& value32(uint64_t value) { return append(value, 4); }
  Code& value64(uint64_t value) { return append(value, 8); }
  Code& mov_rax(uint64_t value) { return bytes({0x48, 0xb8}).value64(value); }
  Code& mov_rcx(uint64_t value) { return bytes({0x48, 0xb9}).value64(value); }
  Code& mov_rdi(uint64_t value) { return bytes({0x48, 0xbf}).value64(value); }
  Code& load_rax_from_rax() { return bytes({0x48, 0x8b, 0x00}); }
  Code& store_rax_to_rcx() { return bytes({0x48, 0x89, 0x01}); }
  Code& store_rax_to_slot0() { return bytes({0x48, 0x89, 0x06}); }  // rsi: the slots
  Code& load_rax_from_slot0() { return bytes({0x48, 0x8b, 0x06}); }
  Code& call_rax() { return bytes({0xff, 0xd0}); }
  Code& jump_rax() { return bytes({0xff, 0xe0}); }
  Code& ret() { return bytes({0xc3}); }
  Code& loop_for_ever() { return bytes({0xeb, 0xfe}); }
  // hypercall(port), with the stack and rsi as the thunk got them.
  Code& hypercall(uint32_t port) {
    bytes({0x56, 0xbf}).value32(port).mov_rax(guest_abi::kHypercall);  // push rsi; mov edi, port
    return call_rax().bytes({0x5e});                                   // pop rsi
  }
  // Ends with 42 in slot 0: proof that nothing stopped the guest.
  Code& answer_42() { return mov_rax(42).store_rax_to_slot0().ret(); }

  const std::vector<uint8_t>& get() const { return bytes_; }

 private:
  Code& append(uint64_t value, int count) {
    for (int i = 0; i < count; ++i) bytes_.push_back(static_cast<uint8_t>(value >> (8 * i)));
    return *this;
  }
  std::vector<uint8_t> bytes_;
};

inline constexpr uint64_t kText = guest_abi::kImage;
inline constexpr uint64_t kData = guest_abi::kImage + 0x10'0000;
inline constexpr uint64_t kMemory = guest_abi::kLowMemory;
inline constexpr size_t kTextRegion = 0;
inline constexpr size_t kDataRegion = 1;
inline constexpr size_t kMemoryRegion = 2;
inline constexpr uint64_t kMemoryBytes = guest_abi::kWasmPageBytes;
inline constexpr uint64_t kMemoryBytesReserved = uint64_t{64} << 20;

// An image file in the way the runtime has one: page 0 is text, page 1 data.
class TestImage {
 public:
  explicit TestImage(const Code& code, std::span<const uint8_t> data = {}) {
    auto file = create_memfd("test-image", 2 * guest_abi::kPageBytes);
    EXPECT_TRUE(file.has_value());
    file_ = *std::move(file);
    EXPECT_LE(code.get().size(), guest_abi::kPageBytes);
    put(code.get(), 0);
    put(data, guest_abi::kPageBytes);
  }

  VmConfig config() const {
    VmConfig config;
    RegionSpec text;
    text.address = kText;
    text.bytes = text.file_bytes = guest_abi::kPageBytes;
    text.protection = Protection::kReadExecute;
    text.file = file_.get();
    RegionSpec data;
    data.address = kData;
    data.bytes = 4 * guest_abi::kPageBytes;
    data.file = file_.get();
    data.file_offset = data.file_bytes = guest_abi::kPageBytes;
    RegionSpec memory;
    memory.address = kMemory;
    memory.bytes = kMemoryBytes;
    memory.bytes_reserved = kMemoryBytesReserved;
    config.regions = {text, data, memory};
    return config;
  }

  std::vector<uint8_t> content() const {
    std::vector<uint8_t> bytes(2 * guest_abi::kPageBytes);
    EXPECT_EQ(::pread(file_.get(), bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
    return bytes;
  }

 private:
  void put(std::span<const uint8_t> bytes, uint64_t offset) {
    EXPECT_EQ(::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)),
              static_cast<ssize_t>(bytes.size()));
  }
  Fd file_;
};

inline Entry entry_of_text() { return Entry{kText, 0}; }

// One call of the text, which must not be refused by the host.
inline Exit call(Vm& vm, Entry entry = entry_of_text()) {
  auto exit = vm.enter(entry);
  EXPECT_TRUE(exit.has_value()) << exit.error().message;
  if (!exit) return Exit{};
  EXPECT_NE(exit->kind, Exit::Kind::kBroken) << exit->message;
  return *exit;
}

inline uint64_t slot0(Vm& vm) { return vm.call_page().slots[0].low; }

// Tests that run on each driver of this machine.
class DriverTest : public testing::TestWithParam<Driver> {
 protected:
  void SetUp() override {
    auto host = Host::open(GetParam());
    if (!host)
      GTEST_SKIP() << "NO DRIVER " << to_string(GetParam()) << ": " << host.error().message;
    host_ = *std::move(host);
  }
  std::unique_ptr<Vm> make(const TestImage& image) { return make(image.config()); }
  std::unique_ptr<Vm> make(const VmConfig& config) {
    auto vm = host_->create_vm(config);
    EXPECT_TRUE(vm.has_value()) << vm.error().message;
    return vm ? *std::move(vm) : nullptr;
  }
  std::unique_ptr<Host> host_;
};

inline std::string driver_name(const testing::TestParamInfo<Driver>& info) {
  return std::string(to_string(info.param));
}

}  // namespace mayfly::vmm
