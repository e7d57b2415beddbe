// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Backtraces as text.
#include "runtime/call_outcome.h"

#include <gtest/gtest.h>

namespace mayfly::runtime {
namespace {

TEST(CallOutcome, FoldsFramesThatRepeat) {
  const std::vector<Frame> frames = {{"leaf", 0, 0x10},
                                     {"walk", 0, 0x20},
                                     {"walk", 0, 0x20},
                                     {"walk", 0, 0x20},
                                     {"main", 0, 0x30}};
  EXPECT_EQ(to_string(frames, {"a.wasm"}),
            "  at leaf (a.wasm+0x10)\n"
            "  at walk (a.wasm+0x20)\n"
            "  ... the same 2 times more\n"
            "  at main (a.wasm+0x30)\n");
}

TEST(CallOutcome, LeavesOutTheThunkThatTheHostEnteredThrough) {
  const std::vector<Frame> frames = {{"main", 0, 0x30}, {"i0.thunk.1", UINT32_MAX, {}}};
  EXPECT_EQ(to_string(frames, {"a.wasm"}), "  at main (a.wasm+0x30)\n");
}

TEST(CallOutcome, KeepsTheOnlyFrame) {
  const std::vector<Frame> frames = {{"mayfly_wasi_p1_fd_write", UINT32_MAX, {}}};
  EXPECT_EQ(to_string(frames, {"a.wasm"}), "  at mayfly_wasi_p1_fd_write\n");
}

}  // namespace
}  // namespace mayfly::runtime
