// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a program sees of files that are read ahead, and how rarely it leaves for them.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "program.h"

namespace mayfly {
namespace {

class ReadAhead : public Program {
 protected:
  void start_with(const std::string& content) {
    put_file(content);
    start();
    guest_->page().ticks_are_steady = 1;
    ASSERT_EQ(open("f", 0, kAll, &fd_), Errno::kSuccess);
  }
  void put_file(const std::string& content) const {
    std::ofstream(root_ / "f", std::ios::binary) << content;
  }
  std::string read(uint32_t bytes) {
    std::string text;
    EXPECT_EQ(Program::read(fd_, bytes, &text), Errno::kSuccess);
    return text;
  }
  std::string read_at(uint64_t position, uint32_t bytes) {
    guest_->store(kIovecs, p1::Iovec{kBuffer, bytes});
    EXPECT_EQ(mayfly_wasi_p1_fd_pread(memory(), fd_, kIovecs, 1, position, kResult), 0U);
    return guest_->text(kBuffer, guest_->load<uint32_t>(kResult));
  }
  static std::string numbered(size_t bytes) {
    std::string content;
    for (size_t i = 0; content.size() < bytes; ++i) content += std::to_string(i) + " ";
    content.resize(bytes);
    return content;
  }

  uint32_t fd_ = 0;
};

TEST_F(ReadAhead, ServesSmallReadsWithFewExits) {
  const std::string content = numbered(600'001);
  start_with(content);
  const uint64_t before = guest_->exit_count();
  std::string all;
  for (std::string piece = read(1000); !piece.empty(); piece = read(1000)) all += piece;
  EXPECT_TRUE(all == content);
  EXPECT_LT(guest_->exit_count() - before, 200U);  // few, unless what was read is soon too old
}

TEST_F(ReadAhead, IsNeverShortInTheMiddleOfAFile) {
  start_with(numbered(200'000));
  size_t total = 0;
  while (total < 200'000) {
    const size_t bytes = read(3333).size();
    total += bytes;
    EXPECT_TRUE(bytes == 3333 || total == 200'000) << total;
  }
}

TEST_F(ReadAhead, ScattersOverTheIovecs) {
  start_with("abcdefghij");
  EXPECT_EQ(read(2), "ab");
  guest_->store(kIovecs, p1::Iovec{kBuffer, 3});
  guest_->store(kIovecs + 8, p1::Iovec{kBuffer + 10, 20});
  ASSERT_EQ(mayfly_wasi_p1_fd_read(memory(), fd_, kIovecs, 2, kResult), 0U);
  EXPECT_EQ(guest_->load<uint32_t>(kResult), 8U);
  EXPECT_EQ(guest_->text(kBuffer, 3), "cde");
  EXPECT_EQ(guest_->text(kBuffer + 10, 5), "fghij");
}

TEST_F(ReadAhead, SeesWhatTheProgramWrote) {
  start_with("abcdef");
  EXPECT_EQ(read(1), "a");
  uint32_t other = 0;
  ASSERT_EQ(open("f", 0, kAll, &other), Errno::kSuccess);
  EXPECT_EQ(read(1), "b");
  ASSERT_EQ(write(other, "ABCDEF"), Errno::kSuccess);
  EXPECT_EQ(read(1), "C");
  ASSERT_EQ(seek(fd_, 4, 0), Errno::kSuccess);
  ASSERT_EQ(write(fd_, "x"), Errno::kSuccess);
  EXPECT_EQ(read(5), "F");
}

TEST_F(ReadAhead, SeesThatTheProgramCutTheFile) {
  start_with("abcdef");
  EXPECT_EQ(read(1), "a");
  ASSERT_EQ(mayfly_wasi_p1_fd_filestat_set_size(memory(), fd_, 3), 0U);
  EXPECT_EQ(read(5), "bc");
  EXPECT_EQ(read(5), "");
  ASSERT_EQ(seek(fd_, 0, 0), Errno::kSuccess);
  EXPECT_EQ(read(1), "a");
  uint32_t other = 0;
  ASSERT_EQ(open("f", p1::kOpenTrunc, kAll, &other), Errno::kSuccess);
  EXPECT_EQ(read(5), "");
}

TEST_F(ReadAhead, GivesEachByteOnce) {
  start_with("abcdef");
  EXPECT_EQ(read_at(0, 1), "a");
  put_file("ABCDEF");
  EXPECT_EQ(read_at(0, 1), "A");
  EXPECT_EQ(read_at(0, 2), "AB");
}

TEST_F(ReadAhead, IsSoonTooOld) {
  start_with("abcdef");
  EXPECT_EQ(read(1), "a");
  put_file("ABCDEF");
  std::this_thread::sleep_for(std::chrono::milliseconds(40));
  EXPECT_EQ(read(1), "B");
}

TEST_F(ReadAhead, IsNotOfAnotherStart) {
  start_with("abcdef");
  EXPECT_EQ(read(1), "a");
  put_file("ABCDEF");
  ++guest_->page().seed_generation;
  EXPECT_EQ(read(1), "B");
}

TEST_F(ReadAhead, DoesNotReadAheadWithoutASteadyCounter) {
  start_with("abcdef");
  guest_->page().ticks_are_steady = 0;
  EXPECT_EQ(read(1), "a");
  put_file("ABCDEF");
  EXPECT_EQ(read(1), "B");
}

TEST_F(ReadAhead, FollowsAFileThatGrows) {
  start_with("abc");
  EXPECT_EQ(read(10), "abc");
  EXPECT_EQ(read(10), "");
  put_file("abcdef");
  EXPECT_EQ(read(10), "def");
}

TEST_F(ReadAhead, IsOfTheFileThatTheHandleNamesNow) {
  start_with("abcdef");
  std::ofstream(root_ / "g") << "123456";
  EXPECT_EQ(read(1), "a");
  ASSERT_EQ(mayfly_wasi_p1_fd_close(memory(), fd_), 0U);
  ASSERT_EQ(open("g", 0, kAll, &fd_), Errno::kSuccess);
  ASSERT_EQ(seek(fd_, 1, 0), Errno::kSuccess);
  EXPECT_EQ(read(2), "23");
}

}  // namespace
}  // namespace mayfly
