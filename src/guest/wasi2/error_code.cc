// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One row for each errno of preview 1 that has a code.
#include "guest/wasi2/error_code.h"

namespace mayfly::guest {
namespace {

using wasi::Errno;

constexpr const char* kTexts[] = {
    "access",
    "would-block",
    "already",
    "bad-descriptor",
    "busy",
    "deadlock",
    "quota",
    "exist",
    "file-too-large",
    "illegal-byte-sequence",
    "in-progress",
    "interrupted",
    "invalid",
    "io",
    "is-directory",
    "loop",
    "too-many-links",
    "message-size",
    "name-too-long",
    "no-device",
    "no-entry",
    "no-lock",
    "insufficient-memory",
    "insufficient-space",
    "not-directory",
    "not-empty",
    "not-recoverable",
    "unsupported",
    "no-tty",
    "no-such-device",
    "overflow",
    "not-permitted",
    "pipe",
    "read-only",
    "invalid-seek",
    "text-file-busy",
    "cross-device",
};
static_assert(sizeof kTexts / sizeof kTexts[0] ==
              static_cast<uint32_t>(ErrorCode::kCrossDevice) + 1);

struct Row {
  Errno error;
  ErrorCode code;
};

// There is no code for too many open files.
constexpr Row kRows[] = {
    {Errno::kAcces, ErrorCode::kAccess},
    {Errno::kAgain, ErrorCode::kWouldBlock},
    {Errno::kAlready, ErrorCode::kAlready},
    {Errno::kBadF, ErrorCode::kBadDescriptor},
    {Errno::kBusy, ErrorCode::kBusy},
    {Errno::kDeadLk, ErrorCode::kDeadlock},
    {Errno::kDQuot, ErrorCode::kQuota},
    {Errno::kExist, ErrorCode::kExist},
    {Errno::kFBig, ErrorCode::kFileTooLarge},
    {Errno::kIlSeq, ErrorCode::kIllegalByteSequence},
    {Errno::kInProgress, ErrorCode::kInProgress},
    {Errno::kIntr, ErrorCode::kInterrupted},
    {Errno::kInval, ErrorCode::kInvalid},
    {Errno::kIsDir, ErrorCode::kIsDirectory},
    {Errno::kLoop, ErrorCode::kLoop},
    {Errno::kMLink, ErrorCode::kTooManyLinks},
    {Errno::kMsgSize, ErrorCode::kMessageSize},
    {Errno::kNameTooLong, ErrorCode::kNameTooLong},
    {Errno::kNoDev, ErrorCode::kNoDevice},
    {Errno::kNoEnt, ErrorCode::kNoEntry},
    {Errno::kNoLck, ErrorCode::kNoLock},
    {Errno::kNoMem, ErrorCode::kInsufficientMemory},
    {Errno::kMFile, ErrorCode::kInsufficientMemory},
    {Errno::kNFile, ErrorCode::kInsufficientMemory},
    {Errno::kNoSpc, ErrorCode::kInsufficientSpace},
    {Errno::kNotDir, ErrorCode::kNotDirectory},
    {Errno::kNotEmpty, ErrorCode::kNotEmpty},
    {Errno::kNotRecoverable, ErrorCode::kNotRecoverable},
    {Errno::kNotSup, ErrorCode::kUnsupported},
    {Errno::kNoSys, ErrorCode::kUnsupported},
    {Errno::kNoTty, ErrorCode::kNoTty},
    {Errno::kNxIo, ErrorCode::kNoSuchDevice},
    {Errno::kOverflow, ErrorCode::kOverflow},
    {Errno::kPerm, ErrorCode::kNotPermitted},
    {Errno::kNotCapable, ErrorCode::kNotPermitted},
    {Errno::kPipe, ErrorCode::kPipe},
    {Errno::kRoFs, ErrorCode::kReadOnly},
    {Errno::kSPipe, ErrorCode::kInvalidSeek},
    {Errno::kTxtBsy, ErrorCode::kTextFileBusy},
    {Errno::kXDev, ErrorCode::kCrossDevice},
};

}  // namespace

ErrorCode error_code(Errno error) {
  for (const Row& row : kRows) {
    if (row.error == error) return row.code;
  }
  return ErrorCode::kIo;
}

const char* error_text(ErrorCode code) { return kTexts[static_cast<uint8_t>(code)]; }

}  // namespace mayfly::guest
