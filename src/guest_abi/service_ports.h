// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The requests of the ports for wasi:logging, wasi:config and wasi:keyvalue (wasi_ports.h has their
// numbers).
#pragma once

#include <cstddef>
#include <cstdint>

#include "guest_abi/wasi_ports.h"

namespace mayfly::guest_abi {

// Of wasi:logging, in the order of its WIT.
enum class WasiLogLevel : uint32_t { kTrace, kDebug, kInfo, kWarn, kError, kCritical };
inline constexpr uint32_t kWasiLogLevels = 6;

// Texts that are too long are cut. The error is kAcces where nobody listens.
struct WasiLogRequest {
  // in
  uint32_t level;  // WasiLogLevel
  uint32_t reserved;
  WasiRange context;
  WasiRange message;
  // out
  uint32_t error;
  uint32_t reserved_out;
};

// What goes before each pair of kConfigAll.
struct WasiConfigPair {
  uint32_t key_bytes;
  uint32_t value_bytes;
};

// kConfigGet: the value of a key; kConfigAll: each pair with a WasiConfigPair in front, without
// gaps. What does not fit is not written; `bytes` says how much room it needs.
struct WasiConfigRequest {
  // in
  WasiRange key;  // kConfigGet only
  WasiRange to;
  // out
  uint32_t error;
  uint32_t found;  // how many values
  uint64_t bytes;
};

// One entry of a bucket, or its keys. kBucketOpen has WasiResolveRequest.
struct WasiBucketRequest {
  // in
  uint32_t bucket;  // a handle
  uint32_t reserved;
  WasiRange key;
  WasiRange value;  // kBucketSet; kBucketGet, kBucketKeys: room for what is asked for
  uint64_t number;  // kBucketIncrement: by which; kBucketKeys: where to begin, 0 or an earlier
                    // number_out
  // out
  uint32_t error;       // of the program's rules: kNameTooLong, kFBig; others: wasi/key_value.h
  uint32_t found;       // how many values or keys
  uint64_t bytes;       // kBucketGet: of the value; past the room nothing was written
  uint64_t number_out;  // kBucketIncrement: the sum; kBucketKeys: where to go on, 0: these are all
};
// Of kBucketKeys. Each key has its size in four bytes in front, and the next one follows.
inline constexpr uint32_t kBucketKeysRoom = 1 << 16;

static_assert(offsetof(WasiBucketRequest, error) == 48 && sizeof(WasiBucketRequest) == 72);
static_assert(offsetof(WasiLogRequest, error) == 40 && sizeof(WasiLogRequest) == 48);
static_assert(offsetof(WasiConfigRequest, error) == 32 && sizeof(WasiConfigRequest) == 48);
static_assert(sizeof(WasiConfigPair) == 8);

}  // namespace mayfly::guest_abi
