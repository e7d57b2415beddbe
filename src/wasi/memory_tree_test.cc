// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A directory in memory behaves as one of the host's does, up to its limits, and each start of the
// program finds it empty.
#include "wasi/memory_tree.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "wasi/program_test.h"

namespace mayfly::wasi {
namespace {

using guest_abi::WasiPort;
constexpr uint16_t kCreate = guest_abi::wasi::kOpenCreat;
constexpr uint8_t kReadWrite = guest_abi::kWasiReadable | guest_abi::kWasiWritable;

class MemoryTree : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    const auto tree = create_memory_tree({"/tmp", 1 << 20, 20});
    if (!tree) GTEST_SKIP() << tree.error().message;
    WasiConfig config = ProgramTest::config();
    config.preopens.clear();
    config.memory_directories = {{"/tmp", 1 << 20, 20}};
    start(config);
  }
  Errno create(const std::string& path, uint32_t* handle = nullptr) {
    return open(path, {.open_flags = kCreate, .access = kReadWrite}, handle);
  }
  Errno write(uint32_t handle, uint64_t position, uint64_t bytes, uint64_t* written) {
    guest_abi::WasiTransferRequest request{};
    request.handle = handle;
    request.use_position = 1;
    request.position = position;
    request.buffers_count = 1;
    request.buffers[0] = room(bytes);
    const Errno error = call(WasiPort::kWrite, request);
    *written = request.bytes;
    return error;
  }
};
INSTANTIATE_TEST_SUITE_P(Methods, MemoryTree,
                         testing::Values(ResolveMethod::kOpenat2, ResolveMethod::kWalk));

TEST_P(MemoryTree, HasFilesFoldersAndLinks) {
  EXPECT_EQ(create("a"), Errno::kSuccess);
  EXPECT_EQ(path_call(WasiPort::kCreateDirectory, "dir"), Errno::kSuccess);
  EXPECT_EQ(two_paths(WasiPort::kLink, "a", "dir/b"), Errno::kSuccess);
  EXPECT_EQ(two_paths(WasiPort::kSymlink, "dir/b", "c"), Errno::kSuccess);
  EXPECT_EQ(two_paths(WasiPort::kRename, "a", "dir/d"), Errno::kSuccess);
  EXPECT_EQ(open_following("c"), Errno::kSuccess);
  EXPECT_EQ(stat("a"), Errno::kNoEnt);
  EXPECT_EQ(path_call(WasiPort::kRemoveDirectory, "dir"), Errno::kNotEmpty);
}

TEST_P(MemoryTree, LeadsNowhereElse) {
  EXPECT_EQ(open_following("../etc/passwd"), Errno::kPerm);
  EXPECT_EQ(two_paths(WasiPort::kSymlink, "../../etc/passwd", "out"), Errno::kSuccess);
  EXPECT_EQ(open_following("out"), Errno::kPerm);
}

TEST_P(MemoryTree, HoldsNoMoreBytesThanItMay) {
  uint32_t handle = 0;
  ASSERT_EQ(create("a", &handle), Errno::kSuccess);
  uint64_t written = 0;
  EXPECT_EQ(write(handle, 0, 1 << 20, &written), Errno::kSuccess);
  EXPECT_LE(written, uint64_t{1} << 20);
  EXPECT_EQ(write(handle, 1 << 20, 4096, &written), Errno::kNoSpc);
}

TEST_P(MemoryTree, HoldsNoMoreFilesThanItMay) {
  Errno error = Errno::kSuccess;
  int count = 0;
  for (; error == Errno::kSuccess && count < 30; ++count) {
    error = create("f" + std::to_string(count));
  }
  EXPECT_EQ(error, Errno::kNoSpc);
  EXPECT_EQ(count, 21);
}

TEST_P(MemoryTree, IsEmptyAgainWhereAStateIsRestored) {
  const auto saved = context_->save();
  ASSERT_TRUE(saved.has_value());
  ASSERT_EQ(create("a"), Errno::kSuccess);
  ASSERT_TRUE(context_->restore(saved->get()).has_value());
  EXPECT_EQ(stat("a"), Errno::kNoEnt);
  EXPECT_EQ(create("a"), Errno::kSuccess);
}

TEST_P(MemoryTree, IsOfOneProgram) {
  ASSERT_EQ(create("a"), Errno::kSuccess);
  WasiConfig config = ProgramTest::config();
  config.preopens.clear();
  config.memory_directories = {{"/tmp", 1 << 20, 20}};
  start(config);
  EXPECT_EQ(stat("a"), Errno::kNoEnt);
}

TEST_P(MemoryTree, IsNotSavedWithAFileThatIsOpen) {
  uint32_t handle = 0;
  ASSERT_EQ(create("a", &handle), Errno::kSuccess);
  const auto saved = context_->save();
  ASSERT_FALSE(saved.has_value());
  EXPECT_EQ(saved.error().kind, ErrorKind::kUnsupported);
}

TEST(MemoryTreeBounds, AreNeverNone) {
  EXPECT_FALSE(create_memory_tree({"/tmp", 0, 20}).has_value());
  EXPECT_FALSE(create_memory_tree({"/tmp", 4096, 0}).has_value());
}

// Without rights of its own, a process makes one in a child.
TEST(MemoryTreeRights, AreNotNeeded) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (setgid(65534) != 0 || setuid(65534) != 0) _exit(3);
    prctl(PR_SET_DUMPABLE, 1);  // as a process that was started so
    const auto tree = create_memory_tree({"/tmp", 4096, 20});
    if (!tree) _exit(tree.error().kind == ErrorKind::kUnsupported ? 2 : 1);
    const Fd file(openat(tree->get(), "a", O_CREAT | O_RDWR | O_CLOEXEC, 0600));
    _exit(file.valid() && write(file.get(), "a", 1) == 1 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 2) GTEST_SKIP() << "this host has no user namespaces";
  if (WEXITSTATUS(status) == 3) GTEST_SKIP() << "not root: the other tests do without rights";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace mayfly::wasi
