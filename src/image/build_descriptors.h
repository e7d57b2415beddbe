// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a host and its mayfly-compiler meet: descriptor numbers and exit statuses.
#pragma once

namespace mayfly::image {

// Memory files. Standard error is one too: what the child says when it breaks.
inline constexpr int kRequestDescriptor = 3;  // BuildRequest, read from its start
inline constexpr int kImageDescriptor = 4;    // the image, when the reply says ok
inline constexpr int kReplyDescriptor = 5;    // BuildReply
inline constexpr unsigned kFirstUnusedDescriptor = 6;

// 0: reply with ok, 1: reply with an error, 2: no reply.
inline constexpr int kExitOutOfMemory = 3;  // no reply

}  // namespace mayfly::image
