// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a program sees, and its host, of writes that wait in the guest.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/fd.h"
#include "program.h"

namespace mayfly {
namespace {

class WriteBehind : public Program {
 protected:
  // Opens "f" and writes so often that the host watches from then on.
  uint32_t open_watched(uint32_t fd_flags = 0) {
    uint32_t fd = 0;
    EXPECT_EQ(open("f", p1::kOpenCreat, kAll, &fd, fd_flags), Errno::kSuccess);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(write(fd, "w"), Errno::kSuccess);
    EXPECT_EQ(guest_->words().is_watched, 1U);
    return fd;
  }
  std::string on_host(const char* name = "f") const {
    std::ifstream file(root_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  uint64_t exits_of_write(uint32_t fd) {
    const uint64_t before = guest_->exit_count();
    EXPECT_EQ(write(fd, "x"), Errno::kSuccess);
    return guest_->exit_count() - before;
  }
  Errno close(uint32_t fd) { return errno_of(mayfly_wasi_p1_fd_close(memory(), fd)); }
  uint64_t size_of(uint32_t fd) {
    EXPECT_EQ(mayfly_wasi_p1_fd_filestat_get(memory(), fd, kBuffer), 0U);
    return guest_->load<p1::Filestat>(kBuffer).size;
  }
};

TEST_F(WriteBehind, LetsSmallWritesWait) {
  start();
  const uint32_t fd = open_watched();
  EXPECT_EQ(exits_of_write(fd), 0U);
  EXPECT_EQ(tell(fd), 5U);
  EXPECT_EQ(on_host(), "wwww");
  guest_->settle();
  EXPECT_EQ(on_host(), "wwwwx");
}

TEST_F(WriteBehind, WritesToTheHostWhereNobodyLooks) {
  start();
  const uint32_t fd = open_watched();
  guest_->words().is_watched = 0;
  EXPECT_EQ(exits_of_write(fd), 1U);
  EXPECT_EQ(on_host(), "wwwwx");
}

TEST_F(WriteBehind, NeverWaitsToAppendOrToWriteThrough) {
  start();
  uint32_t other = 0;
  ASSERT_EQ(open("g", p1::kOpenCreat, kAll, &other), Errno::kSuccess);
  const uint32_t fd = open_watched();
  for (const uint16_t flag : {p1::kFdAppend, p1::kFdDsync, p1::kFdSync, p1::kFdRsync}) {
    EXPECT_EQ(mayfly_wasi_p1_fd_fdstat_set_flags(memory(), fd, flag), 0U);
    EXPECT_EQ(exits_of_write(fd), 1U) << flag;
  }
  EXPECT_EQ(exits_of_write(other), 0U);
  EXPECT_EQ(on_host(), "wwwwxxxx");
}

TEST_F(WriteBehind, ReachesTheHostBeforeAnyOtherRequest) {
  start();
  const uint32_t fd = open_watched();
  EXPECT_EQ(exits_of_write(fd), 0U);
  EXPECT_EQ(size_of(fd), 5U);
  EXPECT_EQ(on_host(), "wwwwx");
}

TEST_F(WriteBehind, KeepsTheOrderOfWritesToOnePlace) {
  start();
  const uint32_t fd = open_watched();
  ASSERT_EQ(seek(fd, 0, 0), Errno::kSuccess);
  ASSERT_EQ(write(fd, "abcd"), Errno::kSuccess);
  ASSERT_EQ(seek(fd, 1, 0), Errno::kSuccess);
  ASSERT_EQ(write(fd, "XY"), Errno::kSuccess);
  guest_->settle();
  EXPECT_EQ(on_host(), "aXYd");
}

TEST_F(WriteBehind, IsSeenByOtherFdsOfTheFile) {
  start();
  const uint32_t fd = open_watched();
  uint32_t reader = 0;
  ASSERT_EQ(open("f", 0, p1::kFdRead | p1::kFdSeek, &reader), Errno::kSuccess);
  ASSERT_EQ(write(fd, "new"), Errno::kSuccess);
  std::string text;
  ASSERT_EQ(read(reader, 100, &text), Errno::kSuccess);
  EXPECT_EQ(text, "wwwwnew");
}

TEST_F(WriteBehind, SurvivesTheClosingAndRenumberingOfItsFd) {
  start();
  const uint32_t fd = open_watched();
  uint32_t other = 0;
  ASSERT_EQ(open("g", p1::kOpenCreat, kAll, &other), Errno::kSuccess);
  ASSERT_EQ(write(fd, "1"), Errno::kSuccess);
  ASSERT_EQ(mayfly_wasi_p1_fd_renumber(memory(), other, fd), 0U);
  ASSERT_EQ(write(fd, "2"), Errno::kSuccess);
  ASSERT_EQ(close(fd), Errno::kSuccess);
  EXPECT_EQ(on_host(), "wwww1");
  EXPECT_EQ(on_host("g"), "2");
}

TEST_F(WriteBehind, TakesMoreThanTheBufferHolds) {
  start();
  const uint32_t fd = open_watched();
  const std::string block(4096, 'b');
  const uint64_t before = guest_->exit_count();
  for (int i = 0; i < 300; ++i) ASSERT_EQ(write(fd, block), Errno::kSuccess);
  EXPECT_LT(guest_->exit_count() - before, 8U);
  guest_->settle();
  EXPECT_EQ(on_host().size(), 4U + 300U * 4096U);
}

TEST_F(WriteBehind, ReportsAQuotaAtTheWrite) {
  config_.limits.write_bytes_max = 6;
  start();
  const uint32_t fd = open_watched();
  EXPECT_EQ(write(fd, "x"), Errno::kSuccess);
  EXPECT_EQ(write(fd, "yz"), Errno::kSuccess);  // one of the two fits
  EXPECT_EQ(write(fd, "z"), Errno::kDQuot);
  EXPECT_EQ(close(fd), Errno::kSuccess);
  EXPECT_EQ(on_host(), "wwwwxy");
}

TEST_F(WriteBehind, ReportsALateErrorOnceAtTheNextCallOfTheFile) {
  config_.limits.write_bytes_max = 5;
  start();
  const uint32_t fd = open_watched();
  guest_->words().payload_end = UINT64_MAX;  // as if the host had not known
  EXPECT_EQ(write(fd, "xyz"), Errno::kSuccess);
  guest_->settle();
  EXPECT_EQ(guest_->words().has_failed, 1U);
  EXPECT_EQ(write(fd, "z"), Errno::kDQuot);
  EXPECT_EQ(guest_->words().has_failed, 0U);
  EXPECT_EQ(close(fd), Errno::kSuccess);
  EXPECT_EQ(on_host(), "wwwwx");
}

TEST_F(WriteBehind, ReportsALateErrorAtTheCloseAtLatest) {
  config_.limits.write_bytes_max = 4;
  start();
  const uint32_t fd = open_watched();
  guest_->words().payload_end = UINT64_MAX;
  EXPECT_EQ(write(fd, "x"), Errno::kSuccess);
  EXPECT_EQ(close(fd), Errno::kDQuot);
}

TEST_F(WriteBehind, BuffersStdoutInAFileAtTheHostsPosition) {
  const Fd file(::open((root_ / "out").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  ASSERT_EQ(::write(file.get(), "host:", 5), 5);
  config_.stdout_fd = file.get();
  start();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(write(1, "w"), Errno::kSuccess);
  EXPECT_EQ(exits_of_write(1), 0U);
  guest_->settle();
  EXPECT_EQ(on_host("out"), "host:wwwwx");
  EXPECT_EQ(::lseek(file.get(), 0, SEEK_CUR), 10);
}

TEST_F(WriteBehind, NeverBuffersStdoutThatItsHostAppendsTo) {
  const Fd file(::open((root_ / "out").c_str(), O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600));
  config_.stdout_fd = file.get();
  start();
  EXPECT_EQ(write(1, "w"), Errno::kSuccess);  // which fills the table of fds, too
  for (int i = 0; i < 8; ++i) EXPECT_EQ(exits_of_write(1), 1U);
  EXPECT_EQ(on_host("out"), "wxxxxxxxx");
}

}  // namespace
}  // namespace mayfly
