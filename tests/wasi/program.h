// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For tests: a program with a directory of its own, and its most common calls in short forms.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "guest/wasi/functions.h"
#include "guest_abi/wasi.h"
#include "native_guest.h"

namespace mayfly {

namespace p1 = guest_abi::wasi;
namespace fs = std::filesystem;
using p1::Errno;

inline constexpr uint32_t kResult = 16;  // where calls put their results
inline constexpr uint32_t kIovecs = 1024;
inline constexpr uint32_t kPath = 4096;
inline constexpr uint32_t kBuffer = 8192;
inline constexpr p1::Rights kAll = p1::kRightsAll;

class Program : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/mayfly-guest-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    config_.stdin_fd = -1;
    config_.stdout_fd = -1;
    config_.stderr_fd = -1;
    config_.preopens = {{root_.string(), "/", wasi::TreeAccess::kReadWrite}};
  }
  void TearDown() override {
    guest_.reset();
    fs::remove_all(root_);
  }
  void start() {
    guest_.reset();
    guest_ = std::make_unique<NativeGuest>(config_);
  }
  MemoryInfo* memory() { return guest_->memory(); }

  static Errno errno_of(uint32_t answer) { return static_cast<Errno>(answer); }

  Errno open(std::string_view path, uint32_t open_flags, p1::Rights rights, uint32_t* fd,
             uint32_t fd_flags = 0, uint32_t directory = 3) {
    guest_->put(kPath, path);
    const uint32_t answer =
        mayfly_wasi_p1_path_open(memory(), directory, 0, kPath, static_cast<uint32_t>(path.size()),
                                 open_flags, rights, kAll, fd_flags, kResult);
    *fd = guest_->load<uint32_t>(kResult);
    return errno_of(answer);
  }
  Errno write(uint32_t fd, std::string_view text) {
    guest_->put(kBuffer, text);
    guest_->store(kIovecs, p1::Iovec{kBuffer, static_cast<uint32_t>(text.size())});
    return errno_of(mayfly_wasi_p1_fd_write(memory(), fd, kIovecs, 1, kResult));
  }
  Errno read(uint32_t fd, uint32_t bytes, std::string* text) {
    guest_->store(kIovecs, p1::Iovec{kBuffer, bytes});
    const uint32_t answer = mayfly_wasi_p1_fd_read(memory(), fd, kIovecs, 1, kResult);
    if (answer == 0) *text = guest_->text(kBuffer, guest_->load<uint32_t>(kResult));
    return errno_of(answer);
  }
  uint64_t tell(uint32_t fd) {
    EXPECT_EQ(mayfly_wasi_p1_fd_tell(memory(), fd, kResult), 0U);
    return guest_->load<uint64_t>(kResult);
  }
  Errno seek(uint32_t fd, int64_t offset, uint32_t whence) {
    return errno_of(
        mayfly_wasi_p1_fd_seek(memory(), fd, static_cast<uint64_t>(offset), whence, kResult));
  }

  fs::path root_;
  wasi::WasiConfig config_;
  std::unique_ptr<NativeGuest> guest_;
};

}  // namespace mayfly
