// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quotas: what a program may add to files, and how many it may have open.
#include "wasi/program_test.h"

namespace mayfly::wasi {
namespace {

class Quota : public ProgramTest {
 protected:
  uint32_t open_new(std::string_view name) {
    guest_abi::WasiOpenRequest request{};
    request.directory = kRoot;
    request.path = put(name);
    request.open_flags = guest_abi::wasi::kOpenCreat;
    request.access = guest_abi::kWasiReadable | guest_abi::kWasiWritable;
    EXPECT_EQ(call(guest_abi::WasiPort::kOpen, request), Errno::kSuccess);
    return request.description.handle;
  }
  Errno write(uint32_t handle, uint64_t bytes, uint64_t* written) {
    guest_abi::WasiTransferRequest request{};
    request.handle = handle;
    request.use_position = 1;
    request.buffers_count = 2;
    request.buffers[0] = room(bytes / 2);
    request.buffers[1] = room(bytes - bytes / 2);
    const Errno error = call(guest_abi::WasiPort::kWrite, request);
    *written = request.bytes;
    return error;
  }
  Errno range(guest_abi::WasiPort port, uint32_t handle, uint64_t length) {
    guest_abi::WasiRangeRequest request{};
    request.handle = handle;
    request.length = length;
    return call(port, request);
  }
};

TEST_P(Quota, CutsTheWriteThatReachesIt) {
  WasiConfig limited = config();
  limited.limits.write_bytes_max = 100;
  start(limited);
  const uint32_t handle = open_new("new");
  uint64_t written = 0;
  EXPECT_EQ(write(handle, 60, &written), Errno::kSuccess);
  EXPECT_EQ(written, 60U);
  EXPECT_EQ(write(handle, 60, &written), Errno::kSuccess);
  EXPECT_EQ(written, 40U);
  EXPECT_EQ(write(handle, 60, &written), Errno::kDQuot);
  EXPECT_EQ(write(handle, 0, &written), Errno::kSuccess);
}

TEST_P(Quota, CountsSizesAndAllocationsThatGrowAFile) {
  WasiConfig limited = config();
  limited.limits.write_bytes_max = 100;
  start(limited);
  const uint32_t handle = open_new("new");
  EXPECT_EQ(range(guest_abi::WasiPort::kSetSize, handle, 101), Errno::kDQuot);
  EXPECT_EQ(range(guest_abi::WasiPort::kSetSize, handle, 40), Errno::kSuccess);
  EXPECT_EQ(range(guest_abi::WasiPort::kSetSize, handle, 10), Errno::kSuccess);
  EXPECT_EQ(range(guest_abi::WasiPort::kAllocate, handle, 61), Errno::kDQuot);
  EXPECT_EQ(range(guest_abi::WasiPort::kAllocate, handle, 60), Errno::kSuccess);
  EXPECT_EQ(range(guest_abi::WasiPort::kSetSize, handle, 70), Errno::kDQuot);
}

TEST_P(Quota, OfOpenFilesIsAnErrnoOfItsOwn) {
  WasiConfig limited = config();
  limited.limits.open_files_max = 6;
  start(limited);
  guest_abi::WasiOpenRequest request{};
  Errno error = Errno::kSuccess;
  int opened = 0;
  for (; opened < 10 && error == Errno::kSuccess; ++opened) {
    request = {};
    request.directory = kRoot;
    request.path = put("file");
    request.access = guest_abi::kWasiReadable;
    error = call(guest_abi::WasiPort::kOpen, request);
  }
  EXPECT_EQ(error, Errno::kMFile);
  EXPECT_LE(opened, 6);
}

INSTANTIATE_TEST_SUITE_P(Methods, Quota,
                         testing::Values(ResolveMethod::kOpenat2, ResolveMethod::kWalk));

}  // namespace
}  // namespace mayfly::wasi
