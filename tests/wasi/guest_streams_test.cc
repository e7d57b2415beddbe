// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Standard streams of every kind, and files that are larger than 32 bits or full of holes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "base/fd.h"
#include "program.h"

namespace mayfly {
namespace {

class Streams : public Program {
 protected:
  p1::Fdstat fdstat(uint32_t fd) {
    EXPECT_EQ(mayfly_wasi_p1_fd_fdstat_get(memory(), fd, kBuffer), 0U);
    return guest_->load<p1::Fdstat>(kBuffer);
  }
  Fd open_file(const char* name, int flags) {
    Fd fd(::open((root_ / name).c_str(), flags | O_CLOEXEC, 0600));
    EXPECT_TRUE(fd.valid());
    return fd;
  }
};

TEST_F(Streams, AFileAsStdinSharesItsPosition) {
  std::ofstream(root_ / "input") << "0123456789";
  const Fd input = open_file("input", O_RDONLY);
  ASSERT_EQ(lseek(input.get(), 2, SEEK_SET), 2);
  config_.stdin_fd = input.get();
  start();
  std::string text;
  ASSERT_EQ(read(0, 3, &text), Errno::kSuccess);
  EXPECT_EQ(text, "234");
  EXPECT_EQ(lseek(input.get(), 0, SEEK_CUR), 5);
  EXPECT_EQ(tell(0), 5U);
  ASSERT_EQ(seek(0, -1, 2), Errno::kSuccess);
  ASSERT_EQ(read(0, 3, &text), Errno::kSuccess);
  EXPECT_EQ(text, "9");
  EXPECT_EQ(write(0, "x"), Errno::kNotCapable);
}

TEST_F(Streams, StdoutAppendsWhereItsFileDoes) {
  std::ofstream(root_ / "log") << "before ";
  const Fd log = open_file("log", O_WRONLY | O_APPEND);
  config_.stdout_fd = log.get();
  start();
  ASSERT_EQ(write(1, "after"), Errno::kSuccess);
  EXPECT_EQ(fs::file_size(root_ / "log"), 12U);
}

TEST_F(Streams, ATerminalIsACharacterDeviceWithoutPositions) {
  const Fd terminal(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.valid()) GTEST_SKIP() << "no pseudo terminals here";
  ASSERT_EQ(grantpt(terminal.get()), 0);
  ASSERT_EQ(unlockpt(terminal.get()), 0);
  const Fd user(::open(ptsname(terminal.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(user.valid());
  config_.stdin_fd = user.get();
  config_.stdout_fd = user.get();
  start();
  for (uint32_t fd = 0; fd < 2; ++fd) {
    EXPECT_EQ(fdstat(fd).filetype, static_cast<uint8_t>(p1::FileType::kCharacterDevice));
    EXPECT_EQ(fdstat(fd).rights_base & (p1::kFdSeek | p1::kFdTell), 0U) << "isatty() looks there";
  }
  EXPECT_EQ(seek(1, 0, 1), Errno::kSPipe);
  ASSERT_EQ(write(1, "line\n"), Errno::kSuccess);
  std::array<char, 16> seen{};
  EXPECT_EQ(::read(terminal.get(), seen.data(), seen.size()), 6) << "at once, as \\r\\n";
  ASSERT_EQ(::write(terminal.get(), "typed\n", 6), 6);
  std::string text;
  ASSERT_EQ(read(0, 100, &text), Errno::kSuccess);
  EXPECT_EQ(text, "typed\n");
}

TEST_F(Streams, NonblockingReadsOfAnEmptyPipeSayAgain) {
  std::array<int, 2> pipe_fds{};
  ASSERT_EQ(pipe2(pipe_fds.data(), O_CLOEXEC), 0);
  const Fd reader(pipe_fds[0]);
  const Fd writer(pipe_fds[1]);
  config_.stdin_fd = reader.get();
  start();
  ASSERT_EQ(mayfly_wasi_p1_fd_fdstat_set_flags(memory(), 0, p1::kFdNonblock), 0U);
  std::string text;
  EXPECT_EQ(read(0, 10, &text), Errno::kAgain);
  EXPECT_EQ(fcntl(reader.get(), F_GETFL) & O_NONBLOCK, 0) << "other processes share that flag";
}

TEST_F(Streams, AFullPipeEndsTheWriteAtTheDeadline) {
  std::array<int, 2> pipe_fds{};
  ASSERT_EQ(pipe2(pipe_fds.data(), O_CLOEXEC), 0);
  const Fd reader(pipe_fds[0]);
  const Fd writer(pipe_fds[1]);
  config_.stdout_fd = writer.get();
  start();
  guest_->set_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(50));
  guest_->store(kIovecs, p1::Iovec{8192, NativeGuest::kMemoryBytes - 8192});
  EXPECT_EQ(errno_of(mayfly_wasi_p1_fd_write(memory(), 1, kIovecs, 1, kResult)), Errno::kIntr);
}

TEST_F(Streams, AStreamThatWasNotGivenIsNotOpen) {
  start();
  EXPECT_EQ(write(1, "x"), Errno::kBadF);
  EXPECT_EQ(errno_of(mayfly_wasi_p1_fd_fdstat_get(memory(), 2, kBuffer)), Errno::kBadF);
}

TEST_F(Streams, FilesGoPast4GiB) {
  start();
  uint32_t fd = 0;
  ASSERT_EQ(open("sparse", p1::kOpenCreat, kAll, &fd), Errno::kSuccess);
  constexpr int64_t kFar = (int64_t{5} << 30) + 7;
  ASSERT_EQ(seek(fd, kFar, 0), Errno::kSuccess);
  ASSERT_EQ(write(fd, "far"), Errno::kSuccess);
  EXPECT_EQ(tell(fd), static_cast<uint64_t>(kFar) + 3);
  ASSERT_EQ(mayfly_wasi_p1_fd_filestat_get(memory(), fd, kBuffer), 0U);
  EXPECT_EQ(guest_->load<p1::Filestat>(kBuffer).size, static_cast<uint64_t>(kFar) + 3);
  guest_->store(kIovecs, p1::Iovec{kBuffer, 5});
  ASSERT_EQ(mayfly_wasi_p1_fd_pread(memory(), fd, kIovecs, 1, kFar - 2, kResult), 0U);
  EXPECT_EQ(guest_->text(kBuffer, 5), std::string("\0\0far", 5));
  EXPECT_EQ(errno_of(mayfly_wasi_p1_fd_pread(memory(), fd, kIovecs, 1, UINT64_MAX, kResult)),
            Errno::kInval);
  ASSERT_EQ(mayfly_wasi_p1_fd_filestat_set_size(memory(), fd, 10), 0U);
  EXPECT_EQ(fs::file_size(root_ / "sparse"), 10U);
}

TEST_F(Streams, ManyDescriptorsArePolledAtOnce) {
  start();
  constexpr uint32_t kCount = 500;
  for (uint32_t i = 0; i < kCount; ++i) {
    uint32_t fd = 0;
    ASSERT_EQ(open("file", p1::kOpenCreat, kAll, &fd), Errno::kSuccess) << i;
    p1::Subscription subscription{};
    subscription.userdata = i;
    subscription.tag = 2;
    subscription.fd = fd;
    guest_->store(kBuffer + i * uint32_t{sizeof subscription}, subscription);
  }
  constexpr uint32_t kEvents = 64 << 10;
  ASSERT_EQ(mayfly_wasi_p1_poll_oneoff(memory(), kBuffer, kEvents, kCount, kResult), 0U);
  ASSERT_EQ(guest_->load<uint32_t>(kResult), kCount);
  for (uint32_t i = 0; i < kCount; ++i) {
    EXPECT_EQ(guest_->load<p1::Event>(kEvents + 32 * i).userdata, i);
  }
}

TEST_F(Streams, AllFdsTakenSaysSo) {
  config_.limits.open_files_max = 20;
  start();
  uint32_t fd = 0;
  Errno error = Errno::kSuccess;
  int open_count = 0;
  while ((error = open("file", p1::kOpenCreat, kAll, &fd)) == Errno::kSuccess) ++open_count;
  EXPECT_EQ(error, Errno::kMFile);
  EXPECT_EQ(open_count, 19);
  ASSERT_EQ(mayfly_wasi_p1_fd_close(memory(), 10), 0U);
  ASSERT_EQ(open("file", p1::kOpenCreat, kAll, &fd), Errno::kSuccess);
  EXPECT_EQ(fd, 10U);
}

}  // namespace
}  // namespace mayfly
