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

}  // namespace

ErrorCode error_code(Errno error) {  // NOLINT(readability-function-size): a flat switch
  switch (error) {
    case Errno::kAcces:
      return ErrorCode::kAccess;
    case Errno::kAgain:
      return ErrorCode::kWouldBlock;
    case Errno::kAlready:
      return ErrorCode::kAlready;
    case Errno::kBadF:
      return ErrorCode::kBadDescriptor;
    case Errno::kBusy:
      return ErrorCode::kBusy;
    case Errno::kDeadLk:
      return ErrorCode::kDeadlock;
    case Errno::kDQuot:
      return ErrorCode::kQuota;
    case Errno::kExist:
      return ErrorCode::kExist;
    case Errno::kFBig:
      return ErrorCode::kFileTooLarge;
    case Errno::kIlSeq:
      return ErrorCode::kIllegalByteSequence;
    case Errno::kInProgress:
      return ErrorCode::kInProgress;
    case Errno::kIntr:
      return ErrorCode::kInterrupted;
    case Errno::kInval:
      return ErrorCode::kInvalid;
    case Errno::kIsDir:
      return ErrorCode::kIsDirectory;
    case Errno::kLoop:
      return ErrorCode::kLoop;
    case Errno::kMLink:
      return ErrorCode::kTooManyLinks;
    case Errno::kMsgSize:
      return ErrorCode::kMessageSize;
    case Errno::kNameTooLong:
      return ErrorCode::kNameTooLong;
    case Errno::kNoDev:
      return ErrorCode::kNoDevice;
    case Errno::kNoEnt:
      return ErrorCode::kNoEntry;
    case Errno::kNoLck:
      return ErrorCode::kNoLock;
    // There is no code for too many open files.
    case Errno::kNoMem:
    case Errno::kMFile:
    case Errno::kNFile:
      return ErrorCode::kInsufficientMemory;
    case Errno::kNoSpc:
      return ErrorCode::kInsufficientSpace;
    case Errno::kNotDir:
      return ErrorCode::kNotDirectory;
    case Errno::kNotEmpty:
      return ErrorCode::kNotEmpty;
    case Errno::kNotRecoverable:
      return ErrorCode::kNotRecoverable;
    case Errno::kNotSup:
    case Errno::kNoSys:
      return ErrorCode::kUnsupported;
    case Errno::kNoTty:
      return ErrorCode::kNoTty;
    case Errno::kNxIo:
      return ErrorCode::kNoSuchDevice;
    case Errno::kOverflow:
      return ErrorCode::kOverflow;
    case Errno::kPerm:
    case Errno::kNotCapable:
      return ErrorCode::kNotPermitted;
    case Errno::kPipe:
      return ErrorCode::kPipe;
    case Errno::kRoFs:
      return ErrorCode::kReadOnly;
    case Errno::kSPipe:
      return ErrorCode::kInvalidSeek;
    case Errno::kTxtBsy:
      return ErrorCode::kTextFileBusy;
    case Errno::kXDev:
      return ErrorCode::kCrossDevice;
    default:
      return ErrorCode::kIo;
  }
}

const char* error_text(ErrorCode code) { return kTexts[static_cast<uint8_t>(code)]; }

}  // namespace mayfly::guest
