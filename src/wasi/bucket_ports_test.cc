// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Buckets as handles: what they hold of the host, and what a hostile guest can do with them.
#include <gtest/gtest.h>

#include <filesystem>

#include "wasi/program_test.h"

namespace mayfly::wasi {
namespace {

using guest_abi::WasiBucketRequest;
using guest_abi::WasiPort;

class BucketPortsTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    WasiConfig config = ProgramTest::config();
    config.key_value.kind = KeyValueConfig::Kind::kMemory;
    start(config);
  }
  uint32_t open_bucket(std::string_view name) {
    guest_abi::WasiResolveRequest request{};
    request.name = put(name);
    EXPECT_EQ(call(WasiPort::kBucketOpen, request), Errno::kSuccess);
    return request.description.handle;
  }
  static std::ptrdiff_t open_descriptors() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  }
};
INSTANTIATE_TEST_SUITE_P(Methods, BucketPortsTest, testing::Values(ResolveMethod::kOpenat2));

TEST_P(BucketPortsTest, ABucketTakesNoDescriptor) {
  const auto before = open_descriptors();
  for (int i = 0; i < 10; ++i) open_bucket("name");
  EXPECT_EQ(open_descriptors(), before);
}

TEST_P(BucketPortsTest, ABucketIsNoFile) {
  const uint32_t bucket = open_bucket("name");
  guest_abi::WasiTransferRequest transfer{};
  transfer.handle = bucket;
  transfer.buffers_count = 1;
  transfer.buffers[0] = room(16);
  EXPECT_EQ(call(WasiPort::kRead, transfer), Errno::kBadF);
  EXPECT_EQ(call(WasiPort::kWrite, transfer), Errno::kBadF);
  guest_abi::WasiStatRequest stat{};
  stat.handle = bucket;
  EXPECT_EQ(call(WasiPort::kStat, stat), Errno::kBadF);
  EXPECT_EQ(open("file", {}, nullptr, bucket), Errno::kNotDir);
  guest_abi::WasiPollEntry entry{};
  entry.handle = bucket;
  entry.events = guest_abi::kWasiPollRead;
  std::memcpy(guest_.bytes().data(), &entry, sizeof entry);
  guest_abi::WasiPollRequest poll{};
  poll.entries = room(sizeof entry);
  EXPECT_EQ(call(WasiPort::kPoll, poll), Errno::kSuccess);  // at once
  std::memcpy(&entry, guest_.bytes().data(), sizeof entry);
  EXPECT_EQ(static_cast<Errno>(entry.error), Errno::kBadF);
}

TEST_P(BucketPortsTest, AFileIsNoBucket) {
  WasiBucketRequest request{};
  request.bucket = kRoot;
  request.key = put("key");
  EXPECT_EQ(call(WasiPort::kBucketGet, request), Errno::kBadF);
}

TEST_P(BucketPortsTest, AClosedBucketIsGone) {
  WasiBucketRequest request{};
  request.bucket = open_bucket("name");
  request.key = put("key");
  EXPECT_EQ(call(WasiPort::kBucketExists, request), Errno::kSuccess);
  guest_abi::WasiHandleRequest close{};
  close.handle = request.bucket;
  EXPECT_EQ(call(WasiPort::kClose, close), Errno::kSuccess);
  EXPECT_EQ(call(WasiPort::kBucketExists, request), Errno::kBadF);
}

}  // namespace
}  // namespace mayfly::wasi
