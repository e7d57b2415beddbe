// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Canonical definitions (Explainer.md #canonical-definitions): functions that lift, lower, or are
// built in.
#pragma once

#include <cstdint>
#include <string_view>

#include "component/abi_layout.h"
#include "component/types.h"

namespace mayfly::component {

// The values are the opcodes of Binary.md #canonical-definitions.
enum class CanonOp : uint8_t {
  kLift = 0x00,
  kLower = 0x01,
  kResourceNew = 0x02,
  kResourceDrop = 0x03,
  kResourceRep = 0x04,
  kTaskCancel = 0x05,
  kSubtaskCancel = 0x06,
  kTaskReturn = 0x09,
  kContextGet = 0x0a,
  kContextSet = 0x0b,
  kThreadYield = 0x0c,
  kSubtaskDrop = 0x0d,
  kStreamNew = 0x0e,
  kStreamRead = 0x0f,
  kStreamWrite = 0x10,
  kStreamCancelRead = 0x11,
  kStreamCancelWrite = 0x12,
  kStreamDropReadable = 0x13,
  kStreamDropWritable = 0x14,
  kFutureNew = 0x15,
  kFutureRead = 0x16,
  kFutureWrite = 0x17,
  kFutureCancelRead = 0x18,
  kFutureCancelWrite = 0x19,
  kFutureDropReadable = 0x1a,
  kFutureDropWritable = 0x1b,
  kErrorContextNew = 0x1c,
  kErrorContextDebugMessage = 0x1d,
  kErrorContextDrop = 0x1e,
  kWaitableSetNew = 0x1f,
  kWaitableSetWait = 0x20,
  kWaitableSetPoll = 0x21,
  kWaitableSetDrop = 0x22,
  kWaitableJoin = 0x23,
  kBackpressureInc = 0x24,
  kBackpressureDec = 0x25,
  kThreadIndex = 0x26,
  kThreadNewIndirect = 0x27,
  kThreadResumeLater = 0x28,
  kThreadSuspend = 0x29,
  kThreadSuspendThenResume = 0x2a,
  kThreadYieldThenResume = 0x2b,
  kThreadSuspendThenPromote = 0x2c,
  kThreadYieldThenPromote = 0x2d,
  kThreadSpawnRef = 0x40,
  kThreadSpawnIndirect = 0x41,
  kThreadAvailableParallelism = 0x42,
};

enum class StringEncoding : uint8_t { kUtf8, kUtf16, kLatin1Utf16 };

// CanonicalABI.md #canonopt-validation. An option that is absent is kNoIndex.
struct CanonOptions {
  StringEncoding encoding = StringEncoding::kUtf8;
  uint32_t memory = kNoIndex;       // in the core memories
  PtrWidth width = PtrWidth::k32;   // of that memory
  uint32_t realloc = kNoIndex;      // in the core functions
  uint32_t post_return = kNoIndex;  // in the core functions
  uint32_t callback = kNoIndex;     // in the core functions
  bool is_async = false;
};

struct Canon {
  CanonOp op = CanonOp::kLift;
  CanonOptions options;
  uint32_t func = kNoIndex;  // kLift: the core function; kLower: the function
  TypeId type{kNoIndex};     // kLift, kLower: the function's; built-ins: the type they are of
  ValType result;            // kTaskReturn; may not exist
  uint32_t slot = 0;         // kContextGet, kContextSet
  bool is_64 = false;        // kContextGet, kContextSet: of i64
  bool is_async = false;     // of a cancelling built-in
  bool is_cancellable = false;
  bool is_shared = false;
  uint32_t core_type = kNoIndex;  // kThreadNewIndirect, kThreadSpawn*: in the core types
  uint32_t table = kNoIndex;      // the same: in the core tables
};

}  // namespace mayfly::component
