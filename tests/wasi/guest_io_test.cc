// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls of a program as it makes them: through the guest library, the ports and the host.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/fd.h"
#include "program.h"

namespace mayfly {
namespace {

TEST_F(Program, GetsItsArgumentsAndEnvironment) {
  config_.args = {"name", "", "third one"};
  config_.environ = {"A=b", "C=d e"};
  start();
  ASSERT_EQ(mayfly_wasi_p1_args_sizes_get(memory(), 0, 4), 0U);
  EXPECT_EQ(guest_->load<uint32_t>(0), 3U);
  EXPECT_EQ(guest_->load<uint32_t>(4), 16U);
  ASSERT_EQ(mayfly_wasi_p1_args_get(memory(), 64, 256), 0U);
  EXPECT_EQ(guest_->load<uint32_t>(64), 256U);
  EXPECT_EQ(guest_->load<uint32_t>(68), 261U);
  EXPECT_EQ(guest_->load<uint32_t>(72), 262U);
  EXPECT_EQ(guest_->text(256, 16), std::string("name\0\0third one\0", 16));
  ASSERT_EQ(mayfly_wasi_p1_environ_sizes_get(memory(), 0, 4), 0U);
  EXPECT_EQ(guest_->load<uint32_t>(0), 2U);
  ASSERT_EQ(mayfly_wasi_p1_environ_get(memory(), 64, 256), 0U);
  EXPECT_EQ(guest_->text(256, 10), std::string("A=b\0C=d e\0", 10));
}

TEST_F(Program, ArgumentsThatDoNotFitItsMemoryAreAFault) {
  config_.args = {std::string(NativeGuest::kMemoryBytes, 'x')};
  start();
  EXPECT_EQ(errno_of(mayfly_wasi_p1_args_get(memory(), 0, 16)), Errno::kFault);
}

TEST_F(Program, ReadsBackWhatItWrote) {
  start();
  uint32_t fd = 0;
  ASSERT_EQ(open("new", p1::kOpenCreat, kAll, &fd), Errno::kSuccess);
  EXPECT_EQ(fd, 0U) << "the lowest free fd";
  ASSERT_EQ(write(fd, "hello world"), Errno::kSuccess);
  EXPECT_EQ(tell(fd), 11U);
  ASSERT_EQ(seek(fd, 6, 0), Errno::kSuccess);
  std::string text;
  ASSERT_EQ(read(fd, 100, &text), Errno::kSuccess);
  EXPECT_EQ(text, "world");
  ASSERT_EQ(read(fd, 100, &text), Errno::kSuccess);
  EXPECT_EQ(text, "");
  EXPECT_EQ(seek(fd, -3, 2), Errno::kSuccess);
  EXPECT_EQ(tell(fd), 8U);
  EXPECT_EQ(seek(fd, -9, 1), Errno::kInval);
  EXPECT_EQ(seek(fd, INT64_MAX, 1), Errno::kOverflow);
  EXPECT_EQ(seek(fd, 0, 3), Errno::kInval);
  EXPECT_EQ(tell(fd), 8U);
}

TEST_F(Program, AppendsAtTheEndAndGoesThere) {
  std::ofstream(root_ / "log") << "old ";
  start();
  uint32_t fd = 0;
  ASSERT_EQ(open("log", 0, kAll, &fd, p1::kFdAppend), Errno::kSuccess);
  ASSERT_EQ(write(fd, "new"), Errno::kSuccess);
  EXPECT_EQ(tell(fd), 7U);
  ASSERT_EQ(mayfly_wasi_p1_fd_fdstat_set_flags(memory(), fd, 0), 0U);
  ASSERT_EQ(seek(fd, 0, 0), Errno::kSuccess);
  ASSERT_EQ(write(fd, "OLD"), Errno::kSuccess);
  std::string text;
  ASSERT_EQ(seek(fd, 0, 0), Errno::kSuccess);
  ASSERT_EQ(read(fd, 100, &text), Errno::kSuccess);
  EXPECT_EQ(text, "OLD new");
}

TEST_F(Program, SeekingAndTellingDoNotLeaveTheVm) {
  start();
  uint32_t fd = 0;
  ASSERT_EQ(open("new", p1::kOpenCreat, kAll, &fd), Errno::kSuccess);
  const uint64_t exits = guest_->exit_count();
  EXPECT_EQ(seek(fd, 5, 0), Errno::kSuccess);
  EXPECT_EQ(tell(fd), 5U);
  EXPECT_EQ(mayfly_wasi_p1_fd_fdstat_get(memory(), fd, kBuffer), 0U);
  EXPECT_EQ(mayfly_wasi_p1_random_get(memory(), kBuffer, 100), 0U);
  EXPECT_EQ(mayfly_wasi_p1_sched_yield(memory()), 0U);
  EXPECT_EQ(guest_->exit_count(), exits);
}

TEST_F(Program, EveryPointerIsChecked) {
  start();
  uint32_t fd = 0;
  ASSERT_EQ(open("new", p1::kOpenCreat, kAll, &fd), Errno::kSuccess);
  constexpr uint32_t kEnd = NativeGuest::kMemoryBytes;
  guest_->store(kIovecs, p1::Iovec{kEnd - 3, 4});
  EXPECT_EQ(errno_of(mayfly_wasi_p1_fd_write(memory(), fd, kIovecs, 1, kResult)), Errno::kFault);
  guest_->store(kIovecs, p1::Iovec{UINT32_MAX, UINT32_MAX});
  EXPECT_EQ(errno_of(mayfly_wasi_p1_fd_read(memory(), fd, kIovecs, 1, kResult)), Errno::kFault);
  guest_->store(kIovecs, p1::Iovec{0, 4});
  EXPECT_EQ(errno_of(mayfly_wasi_p1_fd_write(memory(), fd, kIovecs, 1, kEnd - 3)), Errno::kFault);
  EXPECT_EQ(errno_of(mayfly_wasi_p1_fd_write(memory(), fd, kEnd - 8, 2, kResult)), Errno::kFault);
  EXPECT_EQ(errno_of(mayfly_wasi_p1_fd_write(memory(), fd, 0, UINT32_MAX, kResult)), Errno::kFault);
  EXPECT_EQ(errno_of(mayfly_wasi_p1_random_get(memory(), kEnd - 1, 2)), Errno::kFault);
  EXPECT_EQ(errno_of(mayfly_wasi_p1_random_get(nullptr, 0, 1)), Errno::kFault);
  EXPECT_EQ(errno_of(mayfly_wasi_p1_fd_filestat_get(memory(), fd, kEnd - 63)), Errno::kFault);
  EXPECT_EQ(errno_of(mayfly_wasi_p1_path_unlink_file(memory(), 3, kEnd - 1, 2)), Errno::kFault);
  EXPECT_EQ(errno_of(mayfly_wasi_p1_poll_oneoff(memory(), kEnd - 47, 0, 1, kResult)),
            Errno::kFault);
  EXPECT_EQ(fs::file_size(root_ / "new"), 0U) << "a faulting call does nothing";
}

TEST_F(Program, OneCallMovesManyBuffers) {
  start();
  uint32_t fd = 0;
  ASSERT_EQ(open("new", p1::kOpenCreat, kAll, &fd), Errno::kSuccess);
  constexpr uint32_t kCount = 200;
  for (uint32_t i = 0; i < kCount; ++i) {
    guest_->store(kIovecs + 8 * i, p1::Iovec{kBuffer + i, i % 2});
    guest_->store(kBuffer + i, static_cast<uint8_t>('a' + i % 26));
  }
  const uint64_t exits = guest_->exit_count();
  ASSERT_EQ(mayfly_wasi_p1_fd_write(memory(), fd, kIovecs, kCount, kResult), 0U);
  EXPECT_EQ(guest_->load<uint32_t>(kResult), 100U);
  EXPECT_EQ(guest_->exit_count(), exits + 1);
  EXPECT_EQ(fs::file_size(root_ / "new"), 100U);
}

TEST_F(Program, RightsAreNeededAndOnlyShrink) {
  start();
  uint32_t fd = 0;
  constexpr p1::Rights kSome = p1::kFdRead | p1::kFdWrite | p1::kFdSeek;
  ASSERT_EQ(open("new", p1::kOpenCreat, kSome, &fd), Errno::kSuccess);
  EXPECT_EQ(errno_of(mayfly_wasi_p1_fd_sync(memory(), fd)), Errno::kNotCapable);
  EXPECT_EQ(
      errno_of(mayfly_wasi_p1_fd_fdstat_set_rights(memory(), fd, kSome | p1::kFdSyncRight, 0)),
      Errno::kNotCapable);
  EXPECT_EQ(errno_of(mayfly_wasi_p1_fd_fdstat_set_rights(memory(), fd, p1::kFdRead, 0)),
            Errno::kSuccess);
  EXPECT_EQ(write(fd, "x"), Errno::kNotCapable);
  EXPECT_EQ(seek(fd, 1, 0), Errno::kNotCapable);
  EXPECT_EQ(errno_of(mayfly_wasi_p1_fd_fdstat_set_rights(memory(), fd, kSome, 0)),
            Errno::kNotCapable);
}

TEST_F(Program, ADirectoryGivesNoMoreThanItInherits) {
  start();
  fs::create_directory(root_ / "dir");
  std::ofstream(root_ / "dir/file") << "text";
  uint32_t dir = 0;
  ASSERT_EQ(open("dir", p1::kOpenDirectory, kAll & ~p1::kFdWrite, &dir), Errno::kSuccess);
  ASSERT_EQ(mayfly_wasi_p1_fd_fdstat_set_rights(memory(), dir, p1::kPathOpen, p1::kFdRead), 0U);
  uint32_t fd = 0;
  EXPECT_EQ(open("file", 0, p1::kFdRead | p1::kFdWrite, &fd, 0, dir), Errno::kNotCapable);
  EXPECT_EQ(open("file", p1::kOpenCreat, p1::kFdRead, &fd, 0, dir), Errno::kNotCapable);
  EXPECT_EQ(open("file", 0, p1::kFdRead, &fd, p1::kFdSync, dir), Errno::kNotCapable);
  ASSERT_EQ(open("file", 0, p1::kFdRead | p1::kFdSeek, &fd, 0, dir), Errno::kSuccess);
  EXPECT_EQ(seek(fd, 0, 0), Errno::kNotCapable);
}

TEST_F(Program, RenumberMovesAndCloses) {
  start();
  uint32_t a = 0;
  uint32_t b = 0;
  ASSERT_EQ(open("a", p1::kOpenCreat, kAll, &a), Errno::kSuccess);
  ASSERT_EQ(open("b", p1::kOpenCreat, kAll, &b), Errno::kSuccess);
  ASSERT_EQ(mayfly_wasi_p1_fd_renumber(memory(), a, b), 0U);
  EXPECT_EQ(errno_of(mayfly_wasi_p1_fd_close(memory(), a)), Errno::kBadF);
  EXPECT_EQ(errno_of(mayfly_wasi_p1_fd_renumber(memory(), b, a)), Errno::kBadF);
  EXPECT_EQ(errno_of(mayfly_wasi_p1_fd_renumber(memory(), b, b)), Errno::kSuccess);
  ASSERT_EQ(write(b, "to a"), Errno::kSuccess);
  EXPECT_EQ(fs::file_size(root_ / "a"), 4U);
}

TEST_F(Program, StdinEndsAtTheDeadline) {
  std::array<int, 2> pipe_fds{};
  ASSERT_EQ(pipe2(pipe_fds.data(), O_CLOEXEC), 0);
  const Fd reader(pipe_fds[0]);
  const Fd writer(pipe_fds[1]);
  config_.stdin_fd = reader.get();
  start();
  guest_->set_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(50));
  std::string text;
  EXPECT_EQ(read(0, 10, &text), Errno::kIntr);
}

TEST_F(Program, AClosedPipeIsAnErrnoAndNoSignal) {
  std::array<int, 2> pipe_fds{};
  ASSERT_EQ(pipe2(pipe_fds.data(), O_CLOEXEC), 0);
  const Fd writer(pipe_fds[1]);
  {
    const Fd reader(pipe_fds[0]);
  }
  config_.stdout_fd = writer.get();
  start();
  EXPECT_EQ(write(1, "lost"), Errno::kPipe);
}

TEST_F(Program, ALargeWriteToAPipeGoesThroughWhole) {
  std::array<int, 2> pipe_fds{};
  ASSERT_EQ(pipe2(pipe_fds.data(), O_CLOEXEC), 0);
  const Fd reader(pipe_fds[0]);
  Fd writer(pipe_fds[1]);
  config_.stdout_fd = writer.get();
  start();
  writer = Fd();
  size_t total = 0;
  std::thread drain([&] {
    std::array<char, 999> bytes{};
    ssize_t count = 0;
    while ((count = ::read(reader.get(), bytes.data(), bytes.size())) > 0) {
      total += static_cast<size_t>(count);
    }
  });
  constexpr uint32_t kBytes = NativeGuest::kMemoryBytes - 8192;
  for (int i = 0; i < 8; ++i) {
    guest_->store(kIovecs, p1::Iovec{8192, kBytes});
    EXPECT_EQ(mayfly_wasi_p1_fd_write(memory(), 1, kIovecs, 1, kResult), 0U);
    EXPECT_EQ(guest_->load<uint32_t>(kResult), kBytes);
  }
  guest_.reset();
  drain.join();
  EXPECT_EQ(total, size_t{8} * kBytes);
}

TEST_F(Program, ReadsADirectoryInPiecesByCookie) {
  constexpr int kFiles = 100;
  for (int i = 0; i < kFiles; ++i) std::ofstream(root_ / ("file." + std::to_string(i))) << i;
  start();
  int entry_count = 0;
  uint64_t cookie = 0;
  while (true) {
    constexpr uint32_t kBytes = 256;
    ASSERT_EQ(mayfly_wasi_p1_fd_readdir(memory(), 3, kBuffer, kBytes, cookie, kResult), 0U);
    const auto used = guest_->load<uint32_t>(kResult);
    ASSERT_LE(used, kBytes);
    uint32_t at = 0;
    while (at + sizeof(p1::Dirent) <= used) {
      const auto dirent = guest_->load<p1::Dirent>(kBuffer + at);
      at += uint32_t{sizeof dirent} + dirent.name_bytes;
      if (at > used) break;
      cookie = dirent.next;
      ++entry_count;
    }
    if (used < kBytes) break;
  }
  EXPECT_EQ(entry_count, kFiles + 2);
}

TEST_F(Program, PollWaitsForClocksAndDescriptors) {
  std::array<int, 2> pipe_fds{};
  ASSERT_EQ(pipe2(pipe_fds.data(), O_CLOEXEC), 0);
  const Fd reader(pipe_fds[0]);
  const Fd writer(pipe_fds[1]);
  config_.stdin_fd = reader.get();
  start();
  p1::Subscription clock{};
  clock.userdata = 11;
  clock.clock.id = 1;
  clock.clock.timeout = 20'000'000;
  p1::Subscription stdin_read{};
  stdin_read.userdata = 22;
  stdin_read.tag = 1;
  stdin_read.fd = 0;
  p1::Subscription bad = stdin_read;
  bad.userdata = 33;
  bad.fd = 77;
  guest_->store(kIovecs, clock);
  guest_->store(kIovecs + 48, stdin_read);
  ASSERT_EQ(mayfly_wasi_p1_poll_oneoff(memory(), kIovecs, kBuffer, 2, kResult), 0U);
  ASSERT_EQ(guest_->load<uint32_t>(kResult), 1U);
  EXPECT_EQ(guest_->load<p1::Event>(kBuffer).userdata, 11U);
  ASSERT_EQ(::write(writer.get(), "four", 4), 4);
  ASSERT_EQ(mayfly_wasi_p1_poll_oneoff(memory(), kIovecs, kBuffer, 2, kResult), 0U);
  ASSERT_EQ(guest_->load<uint32_t>(kResult), 1U);
  EXPECT_EQ(guest_->load<p1::Event>(kBuffer).userdata, 22U);
  EXPECT_EQ(guest_->load<p1::Event>(kBuffer).bytes, 4U);
  guest_->store(kIovecs, bad);
  ASSERT_EQ(mayfly_wasi_p1_poll_oneoff(memory(), kIovecs, kBuffer, 2, kResult), 0U);
  ASSERT_EQ(guest_->load<uint32_t>(kResult), 2U);
  EXPECT_EQ(guest_->load<p1::Event>(kBuffer + 32).userdata, 33U);
  EXPECT_EQ(guest_->load<p1::Event>(kBuffer + 32).error, static_cast<uint16_t>(Errno::kBadF));
  EXPECT_EQ(errno_of(mayfly_wasi_p1_poll_oneoff(memory(), kIovecs, kBuffer, 0, kResult)),
            Errno::kInval);
}

TEST_F(Program, UnstableSeekAndStatHaveTheirOwnNumbers) {
  std::ofstream(root_ / "file") << "12345678";
  start();
  uint32_t fd = 0;
  ASSERT_EQ(open("file", 0, kAll, &fd), Errno::kSuccess);
  ASSERT_EQ(mayfly_wasi_unstable_fd_seek(memory(), fd, 3, 2, kResult), 0U);
  EXPECT_EQ(guest_->load<uint64_t>(kResult), 3U);
  ASSERT_EQ(mayfly_wasi_unstable_fd_seek(memory(), fd, 1, 0, kResult), 0U);
  EXPECT_EQ(guest_->load<uint64_t>(kResult), 4U);
  ASSERT_EQ(mayfly_wasi_unstable_fd_seek(memory(), fd, 0, 1, kResult), 0U);
  EXPECT_EQ(guest_->load<uint64_t>(kResult), 8U);
  ASSERT_EQ(mayfly_wasi_unstable_fd_filestat_get(memory(), fd, kBuffer), 0U);
  EXPECT_EQ(guest_->load<p1::FilestatUnstable>(kBuffer).size, 8U);
  EXPECT_EQ(guest_->load<p1::FilestatUnstable>(kBuffer).nlink, 1U);
}

TEST_F(Program, AcceptsConnectionsOnAListener) {
  const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr address{};
  address.sa_family = AF_UNIX;
  // An autobound, abstract address.
  ASSERT_EQ(::bind(listener.get(), &address, sizeof(sa_family_t)), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  sockaddr_storage bound{};
  socklen_t bound_bytes = sizeof bound;
  // SAFETY: the form in which the socket calls take every kind of address.
  auto* const bound_address = reinterpret_cast<sockaddr*>(&bound);
  ASSERT_EQ(::getsockname(listener.get(), bound_address, &bound_bytes), 0);
  config_.listeners = {listener.get()};
  start();
  ASSERT_EQ(mayfly_wasi_p1_fd_fdstat_set_flags(memory(), 4, p1::kFdNonblock), 0U);
  EXPECT_EQ(errno_of(mayfly_wasi_p1_sock_accept(memory(), 4, 0, kResult)), Errno::kAgain);
  const Fd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(client.get(), bound_address, bound_bytes), 0);
  ASSERT_EQ(mayfly_wasi_p1_sock_accept(memory(), 4, 0, kResult), 0U);
  const auto fd = guest_->load<uint32_t>(kResult);
  guest_->put(kBuffer, "ping");
  guest_->store(kIovecs, p1::Iovec{kBuffer, 4});
  ASSERT_EQ(mayfly_wasi_p1_sock_send(memory(), fd, kIovecs, 1, 0, kResult), 0U);
  std::array<char, 4> received{};
  ASSERT_EQ(::read(client.get(), received.data(), received.size()), 4);
  EXPECT_EQ(std::string_view(received.data(), 4), "ping");
  ASSERT_EQ(::write(client.get(), "pong", 4), 4);
  ASSERT_EQ(mayfly_wasi_p1_sock_recv(memory(), fd, kIovecs, 1, p1::kRecvPeek, kResult, 32), 0U);
  ASSERT_EQ(mayfly_wasi_p1_sock_recv(memory(), fd, kIovecs, 1, 0, kResult, 32), 0U);
  EXPECT_EQ(guest_->text(kBuffer, 4), "pong");
  ASSERT_EQ(mayfly_wasi_p1_sock_shutdown(memory(), fd, p1::kShutdownWrite), 0U);
  EXPECT_EQ(::read(client.get(), received.data(), received.size()), 0);
  EXPECT_EQ(errno_of(mayfly_wasi_p1_sock_shutdown(memory(), 3, 1)), Errno::kNotSock);
}

}  // namespace
}  // namespace mayfly
