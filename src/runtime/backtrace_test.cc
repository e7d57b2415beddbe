// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks over stacks as compilers leave them, and over stacks that a guest made up.
#include "runtime/backtrace.h"

#include <gtest/gtest.h>

#include <cstring>

#include "guest_abi/layout.h"
#include "runtime/fake_vm.h"

namespace mayfly::runtime {
namespace {

constexpr size_t kStackBytes = 4096;
constexpr uint64_t kStack = guest_abi::kStackTop - kStackBytes;
constexpr uint64_t kText = 0x40'0000;

// Every function is 16 bytes of text; all have the same row.
CodeMap code_with(image::UnwindRow row) {
  static constexpr std::string_view kNames[] = {"f0", "f1", "f2"};
  return {[](uint64_t address) -> std::optional<image::Location> {
            if (address < kText || address >= kText + 48) return std::nullopt;
            return image::Location{kNames[(address - kText) / 16], 0, address - kText};
          },
          [row](uint64_t address) -> std::optional<image::UnwindRow> {
            if (address < kText || address >= kText + 48) return std::nullopt;
            return row;
          }};
}

image::UnwindRow by_rsp(int32_t cfa_offset) {
  return {.from_rbp = false, .cfa_offset = cfa_offset, .rbp_offset = std::nullopt};
}

class BacktraceTest : public ::testing::Test {
 protected:
  void store(uint64_t address, uint64_t word) {
    std::memcpy(vm_.memory().data() + (address - kStack), &word, sizeof word);
  }
  static std::string names(const std::vector<Frame>& frames) {
    std::string text;
    for (const Frame& frame : frames) text += frame.function + " ";
    return text;
  }
  FakeVm vm_{kStack, kStackBytes, {}};
};

TEST_F(BacktraceTest, FollowsReturnAddresses) {
  store(kStack + 8, kText + 17);
  store(kStack + 24, kText + 33);
  const auto frames = backtrace({kText, kStack, 0}, code_with(by_rsp(16)), vm_);
  EXPECT_EQ(names(frames), "f0 f1 f2 ");
}

TEST_F(BacktraceTest, LooksUpTheCallAndNotWhatFollowsIt) {
  store(kStack + 8, kText + 32);
  const auto frames = backtrace({kText, kStack, 0}, code_with(by_rsp(16)), vm_);
  EXPECT_EQ(names(frames), "f0 f1 ");
}

TEST_F(BacktraceTest, ShowsACopiedFunctionBeforeTheOneThatHasTheFrame) {
  CodeMap code = code_with(by_rsp(16));
  code.find_location = [](uint64_t address) -> std::optional<image::Location> {
    if (address != kText) return std::nullopt;
    return image::Location{"copied", 0, 7, image::Location::Call{"around", 9}};
  };
  const auto frames = backtrace({kText, kStack, 0}, code, vm_);
  EXPECT_EQ(names(frames), "copied around ");
  EXPECT_EQ(frames[0].offset, 7U);
  EXPECT_EQ(frames[1].offset, 9U);
}

TEST_F(BacktraceTest, FollowsTheSavedFramePointer) {
  const CodeMap code = code_with({.from_rbp = true, .cfa_offset = 16, .rbp_offset = -16});
  store(kStack + 32, kStack + 64);
  store(kStack + 40, kText + 17);
  store(kStack + 72, kText + 33);
  EXPECT_EQ(names(backtrace({kText, kStack, kStack + 32}, code, vm_)), "f0 f1 f2 ");
}

TEST_F(BacktraceTest, IsBoundedOnAStackFullOfReturnAddresses) {
  for (size_t i = 0; i < kStackBytes; i += 8) store(kStack + i, kText + 1);
  const auto frames = backtrace({kText, kStack, 0}, code_with(by_rsp(8)), vm_);
  EXPECT_EQ(frames.size(), kBacktraceFramesMax);
}

TEST_F(BacktraceTest, StopsWhereTheStackDoesNotRise) {
  const CodeMap code = code_with({.from_rbp = true, .cfa_offset = 16, .rbp_offset = -16});
  store(kStack + 32, kStack + 32);  // a frame pointer that points at itself
  store(kStack + 40, kText + 17);
  EXPECT_EQ(names(backtrace({kText, kStack, kStack + 32}, code, vm_)), "f0 f1 ");
}

TEST_F(BacktraceTest, ReadsNothingOutsideTheStack) {
  for (const uint64_t rsp : {uint64_t{0}, uint64_t{0x400000}, guest_abi::kStackTop - 8,
                             guest_abi::kStackTop + 64, UINT64_MAX - 4}) {
    EXPECT_EQ(names(backtrace({kText, rsp, rsp}, code_with(by_rsp(16)), vm_)), "f0 ");
  }
}

TEST_F(BacktraceTest, IsEmptyOutsideTheCode) {
  EXPECT_TRUE(backtrace({0, kStack, 0}, code_with(by_rsp(16)), vm_).empty());
}

}  // namespace
}  // namespace mayfly::runtime
