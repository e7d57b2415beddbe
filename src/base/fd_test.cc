// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fd: one owner, closed once; whole reads and writes over files and pipes.
#include "base/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace mayfly {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

Fd memfd(uint64_t size_bytes = 0) {
  Result<Fd> fd = create_memfd("fd_test", size_bytes);
  EXPECT_TRUE(fd.has_value());
  return *std::move(fd);
}

TEST(Fd, ClosesWhatItOwns) {
  int number = -1;
  {
    const Fd fd = memfd();
    number = fd.get();
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, MovesItsOwnership) {
  Fd first = memfd();
  const int number = first.get();
  Fd second = std::move(first);
  EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move): a moved-from Fd is empty
  EXPECT_EQ(second.get(), number);
  EXPECT_TRUE(is_open(number));
}

TEST(Fd, ClosesTheOldOneWhenAnotherIsAssigned) {
  Fd first = memfd();
  const int number = first.get();
  first = memfd();
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, SurvivesAssignmentToItself) {
  Fd fd = memfd();
  Fd& alias = fd;
  fd = std::move(alias);
  EXPECT_TRUE(is_open(fd.get()));
}

TEST(Fd, LeavesAReleasedDescriptorOpen) {
  int number = -1;
  {
    Fd fd = memfd();
    number = fd.release();
  }
  EXPECT_TRUE(is_open(number));
  const Fd closes_it(number);
}

TEST(Fd, DuplicatesCloseOnExec) {
  const Fd fd = memfd();
  const Result<Fd> copy = fd.duplicate();
  ASSERT_TRUE(copy);
  EXPECT_NE(copy->get(), fd.get());
  EXPECT_EQ(::fcntl(copy->get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST(OpenFile, NamesThePathOfAMissingFile) {
  const Result<Fd> fd = open_file("/nowhere/at/all", O_RDONLY);
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().message, "/nowhere/at/all: No such file or directory");
  EXPECT_EQ(fd.error().errno_value, ENOENT);
}

TEST(ReadWhole, ReadsBackWhatWriteWholeWrote) {
  const Fd fd = memfd();
  std::vector<uint8_t> bytes(300'000);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 7);
  ASSERT_TRUE(write_whole(fd.get(), bytes));
  ASSERT_EQ(::lseek(fd.get(), 0, SEEK_SET), 0);
  EXPECT_EQ(*read_whole(fd.get(), bytes.size()), bytes);
}

TEST(ReadWhole, RefusesOneByteMoreThanTheLimit) {
  const Fd fd = memfd(101);
  EXPECT_EQ(read_whole(fd.get(), 100).error().kind, ErrorKind::kLimit);
  ASSERT_EQ(::lseek(fd.get(), 0, SEEK_SET), 0);
  EXPECT_TRUE(read_whole(fd.get(), 101));
}

TEST(ReadWhole, ReadsAPipeToItsEnd) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd source(ends[0]);
  Fd sink(ends[1]);
  const std::vector<uint8_t> bytes(200'000, 0x5a);  // more than a pipe holds
  std::jthread writer([&] {
    EXPECT_TRUE(write_whole(sink.get(), bytes));
    sink = Fd();
  });
  EXPECT_EQ(*read_whole(source.get(), bytes.size()), bytes);
}

TEST(ReadFile, NamesTheFileThatIsTooLarge) {
  EXPECT_EQ(read_file("/proc/self/exe", 1).error().message.substr(0, 15), "/proc/self/exe:");
}

TEST(ReadRange, ReadsFromAnOffsetAndLeavesThePosition) {
  const Fd fd = memfd();
  ASSERT_TRUE(write_whole(fd.get(), std::vector<uint8_t>{1, 2, 3, 4, 5}));
  std::array<uint8_t, 3> bytes{};
  ASSERT_TRUE(read_range(fd.get(), 1, bytes, "it"));
  EXPECT_EQ(bytes, (std::array<uint8_t, 3>{2, 3, 4}));
  EXPECT_EQ(::lseek(fd.get(), 0, SEEK_CUR), 5);
}

TEST(ReadRange, SaysWhereAFileEndsTooSoon) {
  const Fd fd = memfd(101);
  std::vector<uint8_t> bytes(50);
  const auto read = read_range(fd.get(), 60, bytes, "the file");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "the file ends at byte 101: it was cut short");
  EXPECT_TRUE(read_range(fd.get(), 500, {}, "the file"));
}

TEST(WriteWhole, AnswersTheErrorOfTheKernel) {
  const Result<Fd> fd = open_file("/dev/full", O_WRONLY);
  ASSERT_TRUE(fd);
  EXPECT_EQ(write_whole(fd->get(), std::vector<uint8_t>{1}).error().errno_value, ENOSPC);
}

}  // namespace
}  // namespace mayfly
