// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:filesystem/types.error-code, in the order of its WIT.
#pragma once

#include <cstdint>

#include "guest_abi/wasi.h"

namespace mayfly::guest {

namespace wasi = guest_abi::wasi;

enum class ErrorCode : uint8_t {
  kAccess,
  kWouldBlock,
  kAlready,
  kBadDescriptor,
  kBusy,
  kDeadlock,
  kQuota,
  kExist,
  kFileTooLarge,
  kIllegalByteSequence,
  kInProgress,
  kInterrupted,
  kInvalid,
  kIo,
  kIsDirectory,
  kLoop,
  kTooManyLinks,
  kMessageSize,
  kNameTooLong,
  kNoDevice,
  kNoEntry,
  kNoLock,
  kInsufficientMemory,
  kInsufficientSpace,
  kNotDirectory,
  kNotEmpty,
  kNotRecoverable,
  kUnsupported,
  kNoTty,
  kNoSuchDevice,
  kOverflow,
  kNotPermitted,
  kPipe,
  kReadOnly,
  kInvalidSeek,
  kTextFileBusy,
  kCrossDevice,
};

// What has no code of its own is io.
ErrorCode error_code(wasi::Errno error);

// For people: "no-entry". Ends in a NUL.
const char* error_text(ErrorCode code);

}  // namespace mayfly::guest
