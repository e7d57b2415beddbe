// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For tests: a program with a directory of its own, whose ports are called as a guest would call
// them, from memory that is a plain vector.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wasi/context.h"

namespace mayfly::wasi {

// Guest memory at [kBase, kBase + its size).
class VectorGuest final : public runtime::GuestAccess {
 public:
  static constexpr uint64_t kBase = 0x4000'0000;

  explicit VectorGuest(size_t bytes) : bytes_(bytes) {}

  Result<void> read(uint64_t address, std::span<uint8_t> to) const override {
    if (!contains(address, to.size())) return invalid("outside");
    if (!to.empty()) std::memcpy(to.data(), &bytes_[address - kBase], to.size());
    return {};
  }
  Result<void> write(uint64_t address, std::span<const uint8_t> from) override {
    if (!contains(address, from.size())) return invalid("outside");
    if (!from.empty()) std::memcpy(&bytes_[address - kBase], from.data(), from.size());
    return {};
  }
  Result<std::span<uint8_t>> view(uint64_t address, uint64_t bytes) override {
    if (!contains(address, bytes)) return invalid("outside");
    return std::span<uint8_t>(bytes_.data() + (address - kBase), bytes);
  }
  std::vector<uint8_t>& bytes() { return bytes_; }

 private:
  bool contains(uint64_t address, uint64_t bytes) const {
    return address >= kBase && bytes <= bytes_.size() && address - kBase <= bytes_.size() - bytes;
  }
  std::vector<uint8_t> bytes_;
};

// root/ is preopened as handle 3; outside/ lies beside it and is not.
class ProgramTest : public testing::TestWithParam<ResolveMethod> {
 protected:
  static constexpr uint32_t kRoot = 3;

  void SetUp() override {
    std::string pattern = testing::TempDir() + "/mayfly-wasi-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    base_ = pattern;
    std::filesystem::create_directory(root());
    std::filesystem::create_directory(outside());
    write_file(outside() / "secret", "secret");
    write_file(root() / "file", "content");
    std::filesystem::create_directories(root() / "dir/nested");
    start(config());
  }
  void TearDown() override { std::filesystem::remove_all(base_); }

  std::filesystem::path root() const { return base_ / "root"; }
  std::filesystem::path outside() const { return base_ / "outside"; }

  WasiConfig config() const {
    WasiConfig config;
    config.stdin_fd = -1;
    config.stdout_fd = -1;
    config.stderr_fd = -1;
    config.preopens = {{root().string(), "/", TreeAccess::kReadWrite}};
    return config;
  }
  void start(const WasiConfig& config) {
    auto context = Context::create(config, GetParam());
    ASSERT_TRUE(context.has_value()) << context.error().message;
    context_ = *std::move(context);
  }

  static void write_file(const std::filesystem::path& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
  }
  static std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  // Puts text into guest memory at an offset.
  guest_abi::WasiRange put(std::string_view text, uint64_t offset = 0) {
    std::memcpy(guest_.bytes().data() + offset, text.data(), text.size());
    return {VectorGuest::kBase + offset, text.size()};
  }
  static guest_abi::WasiRange room(uint64_t bytes, uint64_t offset = 0) {
    return {VectorGuest::kBase + offset, bytes};
  }
  std::string text_at(uint64_t offset, uint64_t bytes) {
    return std::string(guest_.bytes().begin() + static_cast<long>(offset),
                       guest_.bytes().begin() + static_cast<long>(offset + bytes));
  }

  template <typename Request>
  Result<Errno> try_call(guest_abi::WasiPort port, Request& request) {
    alignas(64) std::array<uint8_t, guest_abi::kRequestBytesMax> bytes{};
    std::memcpy(bytes.data(), &request, sizeof request);
    runtime::PortContext context{guest_, deadline_, cancel_fd_};
    auto outcome = context_->handle(static_cast<uint32_t>(port), context, bytes);
    if (!outcome) return outcome.error();
    std::memcpy(&request, bytes.data(), sizeof request);
    return static_cast<Errno>(request.error);
  }
  template <typename Request>
  Errno call(guest_abi::WasiPort port, Request& request) {
    auto error = try_call(port, request);
    EXPECT_TRUE(error.has_value()) << error.error().message;
    return error.has_value() ? *error : Errno::kIo;
  }

  struct OpenOptions {
    uint16_t open_flags = 0;
    uint8_t access = guest_abi::kWasiReadable;
    bool follow = false;
  };
  // The errno of opening a path, and its handle.
  Errno open(std::string_view path, const OpenOptions& options, uint32_t* handle = nullptr,
             uint32_t directory = kRoot) {
    guest_abi::WasiOpenRequest request{};
    request.directory = directory;
    request.path = put(path);
    request.open_flags = options.open_flags;
    request.access = options.access;
    request.lookup_flags = options.follow ? 1 : 0;
    const Errno error = call(guest_abi::WasiPort::kOpen, request);
    if (handle != nullptr) *handle = request.description.handle;
    return error;
  }
  Errno open_following(std::string_view path) { return open(path, {.follow = true}); }

  Errno path_call(guest_abi::WasiPort port, std::string_view path) {
    guest_abi::WasiPathRequest request{};
    request.directory = kRoot;
    request.path = put(path);
    return call(port, request);
  }
  Errno two_paths(guest_abi::WasiPort port, std::string_view from, std::string_view to) {
    guest_abi::WasiTwoPathsRequest request{};
    request.old_directory = kRoot;
    request.new_directory = kRoot;
    request.old_path = put(from);
    request.new_path = put(to, 8192);
    return call(port, request);
  }
  Errno stat(std::string_view path, bool follow = false) {
    guest_abi::WasiStatRequest request{};
    request.handle = kRoot;
    request.lookup_flags = follow ? 1 : 0;
    request.path = put(path);
    return call(guest_abi::WasiPort::kPathStat, request);
  }

  std::filesystem::path base_;
  VectorGuest guest_{1 << 20};
  std::unique_ptr<Context> context_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  int cancel_fd_ = -1;
};

}  // namespace mayfly::wasi
