// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:io and wasi:cli's standard streams: what waits, what is permitted, what is closed, and what
// a program that mixes up its representations gets.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/fd.h"
#include "guest/component/trap.h"
#include "guest/wasi2/error_code.h"
#include "wasi2_program.h"

namespace mayfly::guest {

void component_trap(guest_abi::ComponentTrap trap, uint32_t number) { throw Trapped{trap, number}; }

}  // namespace mayfly::guest

extern "C" uint64_t mayfly_memory_grow(MemoryInfo* memory, uint64_t delta_pages) {
  const uint64_t pages_old = memory->bytes >> memory->page_size_log2;
  if (delta_pages > (memory->bytes_max - memory->bytes) >> memory->page_size_log2) return ~0ULL;
  memory->bytes += delta_pages << memory->page_size_log2;
  return pages_old;
}

namespace mayfly {
namespace {

using guest::ErrorCode;
using guest::trap_of;
using guest_abi::ComponentTrap;

struct Pipe {
  Pipe() {
    std::array<int, 2> fds{};
    EXPECT_EQ(pipe2(fds.data(), O_CLOEXEC), 0);
    reader = Fd(fds[0]);
    writer = Fd(fds[1]);
  }
  void put(std::string_view text) const {
    EXPECT_EQ(::write(writer.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string take(size_t bytes) const {
    std::string text(bytes, ' ');
    const ssize_t got = ::read(reader.get(), text.data(), bytes);
    text.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return text;
  }
  Fd reader;
  Fd writer;
};

class Wasi2Streams : public Wasi2Program {
 protected:
  void start_with_pipes() {
    config_.stdin_fd = in_.reader.get();
    config_.stdout_fd = out_.writer.get();
    start();
    stdin_ = mayfly_wasi2_get_stdin(transfer(), state());
    stdout_ = mayfly_wasi2_get_stdout(transfer(), state());
  }
  void fill_stdout() {
    ASSERT_EQ(fcntl(out_.writer.get(), F_SETFL, O_NONBLOCK), 0);
    const std::string page(4096, 'x');
    while (::write(out_.writer.get(), page.data(), page.size()) > 0) {
    }
    ASSERT_EQ(fcntl(out_.writer.get(), F_SETFL, 0), 0);
  }
  uint32_t file_with(std::string_view text) {
    std::ofstream(root_ / "file") << text;
    return open_file("file");
  }
  uint32_t input_of(uint32_t descriptor, uint64_t offset) {
    return handle_of(mayfly_wasi2_read_via_stream(transfer(), state(), descriptor, offset));
  }
  uint32_t output_of(uint32_t descriptor, uint64_t offset) {
    return handle_of(mayfly_wasi2_write_via_stream(transfer(), state(), descriptor, offset));
  }
  std::string contents() {
    guest_->settle();
    std::ifstream file(root_ / "file");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  Pipe in_;
  Pipe out_;
  uint32_t stdin_ = 0;
  uint32_t stdout_ = 0;
};

TEST_F(Wasi2Streams, AReadOfAPipeTakesWhatIsThereAndDoesNotWait) {
  start_with_pipes();
  std::string text = "before";
  EXPECT_TRUE(read(stdin_, 10, &text, false).is_ok());
  EXPECT_EQ(text, "");
  in_.put("abcdef");
  EXPECT_TRUE(read(stdin_, 4, &text, false).is_ok());
  EXPECT_EQ(text, "abcd");
  EXPECT_TRUE(read(stdin_, 10, &text).is_ok());
  EXPECT_EQ(text, "ef");
}

TEST_F(Wasi2Streams, ABlockingReadWaitsForTheFirstByte) {
  start_with_pipes();
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    in_.put("late");
  });
  std::string text;
  EXPECT_TRUE(read(stdin_, 10, &text).is_ok());
  other.join();
  EXPECT_EQ(text, "late");
}

TEST_F(Wasi2Streams, AnEndIsClosedAndStaysSo) {
  start_with_pipes();
  in_.writer = Fd();
  std::string text;
  EXPECT_TRUE(read(stdin_, 0, &text, false).is_ok());
  EXPECT_TRUE(read(stdin_, 1, &text, false).is_closed);
  EXPECT_TRUE(read(stdin_, 0, &text).is_closed);
  EXPECT_TRUE(read(stdin_, 1, &text).is_closed);
}

TEST_F(Wasi2Streams, WhatWasNotGrantedFailsOnceAndIsClosed) {
  start();
  const uint32_t input = mayfly_wasi2_get_stdin(transfer(), state());
  const uint32_t output = mayfly_wasi2_get_stdout(transfer(), state());
  std::string text;
  const Outcome first = read(input, 1, &text);
  EXPECT_EQ(code_of(first), static_cast<int>(ErrorCode::kBadDescriptor));
  EXPECT_TRUE(read(input, 1, &text).is_closed);
  EXPECT_EQ(check_write(output), -1);
  EXPECT_TRUE(write_and_flush(output, "x").is_closed);
}

TEST_F(Wasi2Streams, CheckWriteGivesWhatAPipeTakes) {
  start_with_pipes();
  EXPECT_EQ(check_write(stdout_), 4096);
  fill_stdout();
  EXPECT_EQ(check_write(stdout_), 0);
  out_.take(1 << 16);
  EXPECT_EQ(check_write(stdout_), 4096);
  EXPECT_TRUE(write(stdout_, "ab").is_ok());
  EXPECT_TRUE(write(stdout_, "cd").is_ok());
  EXPECT_EQ(out_.take(1 << 16), "abcd");
}

TEST_F(Wasi2Streams, MoreThanWasPermittedEndsTheCall) {
  start_with_pipes();
  EXPECT_EQ(trap_of([&] { write(stdout_, "x"); }), ComponentTrap::kWriteNotPermitted);
  EXPECT_EQ(check_write(stdout_), 4096);
  EXPECT_TRUE(write(stdout_, std::string(4095, 'x')).is_ok());
  EXPECT_EQ(trap_of([&] { write(stdout_, "xx"); }), ComponentTrap::kWriteNotPermitted);
  EXPECT_EQ(trap_of([&] { mayfly_wasi2_write_zeroes(transfer(), state(), stdout_, 2); }),
            ComponentTrap::kWriteNotPermitted);
  EXPECT_EQ(trap_of([&] { mayfly_wasi2_write_zeroes(transfer(), state(), stdout_, UINT64_MAX); }),
            ComponentTrap::kWriteNotPermitted);
  EXPECT_EQ(trap_of([&] { write_and_flush(stdout_, std::string(4097, 'x')); }),
            ComponentTrap::kWriteTooLong);
  EXPECT_EQ(
      trap_of([&] { mayfly_wasi2_write_zeroes_and_flush(transfer(), state(), stdout_, 4097); }),
      ComponentTrap::kWriteTooLong);
}

TEST_F(Wasi2Streams, ZerosAreWritten) {
  start_with_pipes();
  ASSERT_EQ(check_write(stdout_), 4096);
  EXPECT_TRUE(outcome(mayfly_wasi2_write_zeroes(transfer(), state(), stdout_, 3)).is_ok());
  EXPECT_TRUE(
      outcome(mayfly_wasi2_write_zeroes_and_flush(transfer(), state(), stdout_, 2)).is_ok());
  EXPECT_EQ(out_.take(10), std::string(5, '\0'));
}

TEST_F(Wasi2Streams, AReaderThatWentAwayIsAnErrorOnceThenClosed) {
  start_with_pipes();
  out_.reader = Fd();
  const Outcome first = write_and_flush(stdout_, "x");
  EXPECT_EQ(code_of(first), static_cast<int>(ErrorCode::kPipe));
  EXPECT_TRUE(write_and_flush(stdout_, "x").is_closed);
  EXPECT_EQ(check_write(stdout_), -1);
  reset_transfer();
  const uint32_t text = mayfly_wasi2_error_to_debug_string(transfer(), state(), first.error);
  EXPECT_EQ(text_at(at<uint32_t>(text), at<uint32_t>(text + 4)), "pipe");
  mayfly_wasi2_drop_error(transfer(), state(), first.error);
}

TEST_F(Wasi2Streams, AFilesStreamsHaveTheirOwnPositions) {
  start();
  const uint32_t file = file_with("0123456789");
  const uint32_t one = input_of(file, 0);
  const uint32_t two = input_of(file, 5);
  std::string text;
  ASSERT_TRUE(read(one, 3, &text, false).is_ok());
  EXPECT_EQ(text, "012");
  ASSERT_TRUE(read(two, 3, &text).is_ok());
  EXPECT_EQ(text, "567");
  ASSERT_TRUE(read(one, UINT64_MAX, &text).is_ok());
  EXPECT_EQ(text, "3456789");
  EXPECT_TRUE(read(one, 1, &text).is_closed);
  reset_transfer();
  const uint32_t skipped = mayfly_wasi2_skip(transfer(), state(), two, 1);
  EXPECT_EQ(at<uint64_t>(skipped + 8), 1U);
  ASSERT_TRUE(read(two, 3, &text).is_ok());
  EXPECT_EQ(text, "9");
}

TEST_F(Wasi2Streams, AFileIsWrittenAtAPositionOrAtItsEnd) {
  start();
  const uint32_t file = file_with("0123456789");
  const uint32_t output = output_of(file, 2);
  ASSERT_GE(check_write(output), 4096);
  EXPECT_TRUE(write(output, "AB").is_ok());
  EXPECT_TRUE(write_and_flush(output, "C").is_ok());
  const uint32_t end = handle_of(mayfly_wasi2_append_via_stream(transfer(), state(), file));
  EXPECT_TRUE(write_and_flush(end, "xy").is_ok());
  EXPECT_TRUE(write_and_flush(output, "D").is_ok());
  EXPECT_TRUE(outcome(mayfly_wasi2_flush(transfer(), state(), output)).is_ok());
  EXPECT_EQ(contents(), "01ABCD6789xy");
}

TEST_F(Wasi2Streams, AStreamOutlivesItsDescriptorAndAPollableItsStream) {
  start();
  const uint32_t file = file_with("text");
  const uint32_t input = input_of(file, 0);
  mayfly_wasi2_drop_descriptor(transfer(), state(), file);
  std::string text;
  EXPECT_TRUE(read(input, 9, &text).is_ok());
  EXPECT_EQ(text, "text");
  const uint32_t pollable = mayfly_wasi2_subscribe_read(transfer(), state(), input);
  mayfly_wasi2_drop_input_stream(transfer(), state(), input);
  EXPECT_EQ(poll({pollable}), std::vector<uint32_t>{0});
  mayfly_wasi2_drop_pollable(transfer(), state(), pollable);
  EXPECT_EQ(trap_of([&] { mayfly_wasi2_drop_pollable(transfer(), state(), pollable); }),
            ComponentTrap::kDamagedState);
}

TEST_F(Wasi2Streams, SpliceMovesWhatIsThereAndWhatFits) {
  start_with_pipes();
  const uint32_t file = file_with("0123456789");
  const uint32_t input = input_of(file, 0);
  reset_transfer();
  uint32_t result = mayfly_wasi2_splice(transfer(), state(), stdout_, input, 4);
  EXPECT_EQ(at<uint64_t>(result + 8), 4U);
  result = mayfly_wasi2_blocking_splice(transfer(), state(), stdout_, input, 100);
  EXPECT_EQ(at<uint64_t>(result + 8), 6U);
  EXPECT_EQ(out_.take(100), "0123456789");
  // Nothing to read yet.
  result = mayfly_wasi2_splice(transfer(), state(), stdout_, stdin_, 100);
  EXPECT_EQ(at<uint8_t>(result), 0);
  EXPECT_EQ(at<uint64_t>(result + 8), 0U);
  EXPECT_TRUE(outcome(mayfly_wasi2_splice(transfer(), state(), stdout_, input, 1), 8).is_closed);
  fill_stdout();
  in_.put("abc");
  result = mayfly_wasi2_splice(transfer(), state(), stdout_, stdin_, 100);
  EXPECT_EQ(at<uint64_t>(result + 8), 0U);
}

TEST_F(Wasi2Streams, PollSaysWhichAreReady) {
  start_with_pipes();
  const uint32_t input = mayfly_wasi2_subscribe_read(transfer(), state(), stdin_);
  const uint32_t output = mayfly_wasi2_subscribe_write(transfer(), state(), stdout_);
  const uint32_t past = mayfly_wasi2_subscribe_duration(transfer(), state(), 0);
  const uint32_t never = mayfly_wasi2_subscribe_duration(transfer(), state(), UINT64_MAX);
  EXPECT_EQ(poll({never, input, output, past, output}), (std::vector<uint32_t>{2, 3, 4}));
  EXPECT_EQ(mayfly_wasi2_pollable_ready(transfer(), state(), input), 0U);
  EXPECT_EQ(mayfly_wasi2_pollable_ready(transfer(), state(), never), 0U);
  in_.put("x");
  EXPECT_EQ(poll({input, never}), std::vector<uint32_t>{0});
  EXPECT_EQ(mayfly_wasi2_pollable_ready(transfer(), state(), input), 1U);
  EXPECT_EQ(trap_of([&] { poll({}); }), ComponentTrap::kEmptyPoll);
}

TEST_F(Wasi2Streams, PollWaitsForTheFirstInstant) {
  start_with_pipes();
  const uint32_t input = mayfly_wasi2_subscribe_read(transfer(), state(), stdin_);
  const uint64_t begin = mayfly_wasi2_monotonic_now(transfer(), state());
  const uint32_t later = mayfly_wasi2_subscribe_instant(transfer(), state(), begin + 60'000'000);
  const uint32_t soon = mayfly_wasi2_subscribe_instant(transfer(), state(), begin + 20'000'000);
  EXPECT_EQ(poll({input, later, soon}), std::vector<uint32_t>{2});
  const uint64_t end = mayfly_wasi2_monotonic_now(transfer(), state());
  EXPECT_GE(end, begin + 20'000'000);
  mayfly_wasi2_pollable_block(transfer(), state(), later);
  EXPECT_GE(mayfly_wasi2_monotonic_now(transfer(), state()), begin + 60'000'000);
}

TEST_F(Wasi2Streams, APollOfVeryManyPollablesIsOne) {
  start_with_pipes();
  std::vector<uint32_t> pollables;
  for (int i = 0; i < 20'000; ++i) {
    pollables.push_back(mayfly_wasi2_subscribe_read(transfer(), state(), stdin_));
  }
  in_.put("x");
  EXPECT_EQ(poll(pollables).size(), pollables.size());
  const uint64_t pages = state()->bytes;
  for (const uint32_t pollable : pollables) {
    mayfly_wasi2_drop_pollable(transfer(), state(), pollable);
  }
  for (int i = 0; i < 20'000; ++i) {
    const uint32_t pollable = mayfly_wasi2_subscribe_read(transfer(), state(), stdin_);
    mayfly_wasi2_drop_pollable(transfer(), state(), pollable);
  }
  EXPECT_EQ(state()->bytes, pages);
}

TEST_F(Wasi2Streams, RepresentationsOfAnotherKindEndTheCall) {
  start_with_pipes();
  const uint32_t file = file_with("x");
  const uint32_t input = input_of(file, 0);
  const auto read_of = [&](uint32_t stream) { mayfly_wasi2_read(transfer(), state(), stream, 1); };
  for (const uint32_t wrong : {0U, stdout_, file, 1000U, UINT32_MAX}) {
    EXPECT_EQ(trap_of([&] { read_of(wrong); }), ComponentTrap::kDamagedState) << wrong;
  }
  EXPECT_EQ(trap_of([&] { mayfly_wasi2_check_write(transfer(), state(), input); }),
            ComponentTrap::kDamagedState);
  EXPECT_EQ(trap_of([&] { mayfly_wasi2_splice(transfer(), state(), stdout_, stdout_, 1); }),
            ComponentTrap::kDamagedState);
  EXPECT_EQ(trap_of([&] { mayfly_wasi2_get_flags(transfer(), state(), input); }),
            ComponentTrap::kDamagedState);
  EXPECT_EQ(trap_of([&] { mayfly_wasi2_drop_descriptor(transfer(), state(), input); }),
            ComponentTrap::kDamagedState);
  EXPECT_EQ(trap_of([&] { poll({input}); }), ComponentTrap::kDamagedState);
  EXPECT_EQ(trap_of([&] { mayfly_wasi2_poll(transfer(), state(), 0, UINT32_MAX); }),
            ComponentTrap::kListOutOfBounds);
  EXPECT_EQ(
      trap_of([&] { mayfly_wasi2_write_and_flush(transfer(), state(), stdout_, 65530, 100); }),
      ComponentTrap::kListOutOfBounds);
}

TEST_F(Wasi2Streams, OnlyATerminalIsOne) {
  const Fd terminal(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.valid()) GTEST_SKIP() << "no pseudo terminals here";
  ASSERT_EQ(grantpt(terminal.get()), 0);
  ASSERT_EQ(unlockpt(terminal.get()), 0);
  const Fd user(::open(ptsname(terminal.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(user.valid());
  config_.stdin_fd = user.get();
  config_.stdout_fd = out_.writer.get();
  start();
  EXPECT_EQ(at<uint8_t>(mayfly_wasi2_get_terminal_stdin(transfer(), state())), 1);
  EXPECT_EQ(at<uint8_t>(mayfly_wasi2_get_terminal_stdout(transfer(), state())), 0);
  EXPECT_EQ(at<uint8_t>(mayfly_wasi2_get_terminal_stderr(transfer(), state())), 0);
}

}  // namespace
}  // namespace mayfly
