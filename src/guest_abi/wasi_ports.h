// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The WASI ports: what the guest library asks the host for. Names are handles, numbers of the
// host's table that the guest was given; fds, rights and seek positions are the guest library's.
//
// `in` fields come first, `out` fields from `error` on. Addresses are guest virtual addresses.
// Paths are bytes without a terminator, relative to a directory handle.
#pragma once

#include <cstddef>
#include <cstdint>

#include "guest_abi/call_page.h"
#include "guest_abi/ports.h"

namespace mayfly::guest_abi {

enum class WasiPort : uint32_t {
  kStart = static_cast<uint32_t>(Port::kWasiFirst),  // WasiStartRequest
  kText,                                             // WasiTextRequest
  kDescribe,                                         // WasiDescribeRequest
  kOpen,                                             // WasiOpenRequest
  kClose,                                            // WasiHandleRequest
  kRead,                                             // WasiTransferRequest
  kWrite,                                            // WasiTransferRequest
  kSeek,                                             // WasiSeekRequest
  kStat,                                             // WasiStatRequest
  kPathStat,                                         // WasiStatRequest
  kSetTimes,                                         // WasiSetTimesRequest
  kPathSetTimes,                                     // WasiSetTimesRequest
  kSetSize,                                          // WasiRangeRequest: length is the new size
  kAllocate,                                         // WasiRangeRequest
  kAdvise,                                           // WasiRangeRequest
  kSync,                                             // WasiRangeRequest: detail 1 is data only
  kReadDirectory,                                    // WasiReadDirectoryRequest
  kCreateDirectory,                                  // WasiPathRequest
  kRemoveDirectory,                                  // WasiPathRequest
  kUnlink,                                           // WasiPathRequest
  kReadLink,                                         // WasiReadLinkRequest
  kSymlink,                                          // WasiTwoPathsRequest: old is only text
  kLink,                                             // WasiTwoPathsRequest
  kRename,                                           // WasiTwoPathsRequest
  kPoll,                                             // WasiPollRequest
  kAccept,                                           // WasiAcceptRequest
  kReceive,                                          // WasiTransferRequest
  kSend,                                             // WasiTransferRequest
  kShutdown,                                         // WasiHandleRequest: detail is sdflags
  kSettle,                                           // WasiHandleRequest: takes writes behind;
                                                     // detail: kWasiTellLateError or 0
  // Of these, socket_ports.h has the requests.
  kSocket,            // WasiSocketRequest
  kBind,              // WasiAddressRequest
  kConnect,           // WasiAddressRequest: kInProgress is how it begins
  kFinishConnect,     // WasiHandleRequest: kAgain while it goes on
  kListen,            // WasiHandleRequest: detail is the backlog
  kSocketAddress,     // WasiAddressRequest
  kSocketOption,      // WasiOptionRequest
  kSendDatagrams,     // WasiDatagramsRequest
  kReceiveDatagrams,  // WasiDatagramsRequest
  kResolve,           // WasiResolveRequest
  kNextAddress,       // WasiNextAddressRequest
  // Of these, http.h.
  kHttpStart,   // HttpStartRequest
  kHttpTake,    // HttpTakeRequest
  kHttpFinish,  // HttpFinishRequest
  // Of these, service_ports.h.
  kLog,              // WasiLogRequest
  kConfigGet,        // WasiConfigRequest
  kConfigAll,        // WasiConfigRequest
  kBucketOpen,       // WasiResolveRequest: the bucket's name
  kBucketGet,        // WasiBucketRequest
  kBucketSet,        // WasiBucketRequest
  kBucketDelete,     // WasiBucketRequest
  kBucketExists,     // WasiBucketRequest
  kBucketKeys,       // WasiBucketRequest
  kBucketIncrement,  // WasiBucketRequest
};
inline constexpr uint32_t kWasiPortFirst = static_cast<uint32_t>(WasiPort::kStart);
inline constexpr uint32_t kWasiPortLast = static_cast<uint32_t>(WasiPort::kBucketIncrement);

// Bytes of the guest.
struct WasiRange {
  uint64_t address;
  uint64_t bytes;
};

// What a handle is. The guest library makes rights of it.
struct WasiDescription {
  uint32_t handle;
  uint8_t filetype;     // wasi::FileType
  uint8_t flags;        // WasiDescriptionFlag
  uint16_t name_bytes;  // of a preopened directory, else 0
  uint64_t file_id;     // the same for all handles of one file; two files may share it
};
inline constexpr uint8_t kWasiReadable = 1;   // opened for reading
inline constexpr uint8_t kWasiWritable = 2;   // opened for writing; what is beneath may change
inline constexpr uint8_t kWasiSeekable = 4;   // has positions
inline constexpr uint8_t kWasiTerminal = 8;   // a terminal: isatty()
inline constexpr uint8_t kWasiListener = 16;  // a socket that accepts
inline constexpr uint8_t kWasiPreopen = 32;   // a directory with a name
// The position is the host's (a file that stdin, stdout or stderr shares with other processes).
inline constexpr uint8_t kWasiHostPosition = 64;
// A regular file that was not opened to append or to write through: its bytes may wait in the
// guest, on their way in and out.
inline constexpr uint8_t kWasiBuffered = 128;

// How much text the guest was given, and its first handles: handle N is fd N.
struct WasiStartRequest {
  // out
  uint32_t error;
  uint32_t handle_count;  // 0 to 2 are stdin, stdout, stderr; preopens and listeners follow
  uint32_t args_count;
  uint32_t environ_count;
  uint64_t args_bytes;  // each string with its NUL
  uint64_t environ_bytes;
};

enum class WasiText : uint32_t { kArgs = 0, kEnviron = 1, kPreopenName = 2 };

// Copies a text as a whole to the guest: args and environ with their NULs, a name without.
// Errors: kNameTooLong when it does not fit.
struct WasiTextRequest {
  // in
  uint32_t text;  // WasiText
  uint32_t handle;
  WasiRange to;
  // out
  uint32_t error;
  uint32_t reserved;
};

struct WasiDescribeRequest {
  // in
  uint32_t handle;
  uint32_t reserved;
  // out
  uint32_t error;
  uint32_t reserved_out;
  WasiDescription description;
};

struct WasiHandleRequest {
  // in
  uint32_t handle;
  uint32_t detail;
  // out
  uint32_t error;
  uint32_t reserved;
};

// Of kSettle: the error is that of a write behind to the handle, if one was left.
inline constexpr uint32_t kWasiTellLateError = 1;

struct WasiOpenRequest {
  // in
  uint32_t directory;
  uint32_t lookup_flags;
  WasiRange path;
  uint16_t open_flags;  // wasi::kOpen...
  uint16_t fd_flags;    // wasi::kFd...
  uint8_t access;       // kWasiReadable, kWasiWritable, both, or none
  uint8_t reserved[3];
  // out
  uint32_t error;
  uint32_t reserved_out;
  WasiDescription description;
};

inline constexpr uint32_t kWasiBuffersMax = 120;

// In fd_flags of a write to a socket: the guest was told of room for it (WasiPollEntry::bytes), so
// it does not wait if the host can help it.
inline constexpr uint16_t kWasiPermitted = 1U << 15;

// Reads into or writes from buffers, in their order.
struct WasiTransferRequest {
  // in
  uint32_t handle;
  uint16_t fd_flags;  // wasi::kFd...: append, sync, nonblock
  uint16_t detail;    // riflags of kReceive
  uint64_t position;  // of the file; not for streams and host positions
  uint32_t use_position;
  uint32_t buffers_count;  // at most kWasiBuffersMax
  WasiRange buffers[kWasiBuffersMax];
  // out
  uint32_t error;
  uint32_t flags_out;  // roflags of kReceive
  uint64_t bytes;
  uint64_t position_out;  // after an append
};

struct WasiSeekRequest {
  // in
  uint32_t handle;
  uint32_t whence;  // wasi::Whence
  uint64_t offset;  // signed
  // out
  uint32_t error;
  uint32_t reserved;
  uint64_t position;
};

struct WasiStat {
  uint64_t dev;
  uint64_t ino;
  uint64_t nlink;
  uint64_t size;
  uint64_t atim;
  uint64_t mtim;
  uint64_t ctim;
  uint8_t filetype;
  uint8_t reserved[7];
};

struct WasiStatRequest {
  // in
  uint32_t handle;
  uint32_t lookup_flags;
  WasiRange path;  // kPathStat only
  // out
  uint32_t error;
  uint32_t reserved;
  WasiStat stat;
};

struct WasiSetTimesRequest {
  // in
  uint32_t handle;
  uint32_t lookup_flags;
  WasiRange path;  // kPathSetTimes only
  uint64_t atim;
  uint64_t mtim;
  uint32_t set_flags;  // wasi::kSet...
  uint32_t reserved;
  // out
  uint32_t error;
  uint32_t reserved_out;
};

struct WasiRangeRequest {
  // in
  uint32_t handle;
  uint32_t detail;  // wasi advice; kSync: 1 is data only
  uint64_t offset;
  uint64_t length;
  // out
  uint32_t error;
  uint32_t reserved;
};

struct WasiReadDirectoryRequest {
  // in
  uint32_t handle;
  uint32_t reserved;
  uint64_t cookie;
  WasiRange to;  // wasi::Dirent and name, the last one cut where the range ends
  // out
  uint32_t error;
  uint32_t reserved_out;
  uint64_t bytes;
};

struct WasiPathRequest {
  // in
  uint32_t directory;
  uint32_t reserved;
  WasiRange path;
  // out
  uint32_t error;
  uint32_t reserved_out;
};

struct WasiReadLinkRequest {
  // in
  uint32_t directory;
  uint32_t reserved;
  WasiRange path;
  WasiRange to;
  // out
  uint32_t error;
  uint32_t reserved_out;
  uint64_t bytes;
};

struct WasiTwoPathsRequest {
  // in
  uint32_t old_directory;  // kSymlink: unused
  uint32_t new_directory;
  WasiRange old_path;
  WasiRange new_path;
  // out
  uint32_t error;
  uint32_t reserved;
};

inline constexpr uint16_t kWasiPollRead = 1, kWasiPollWrite = 2, kWasiPollHangup = 4;
// Of an HTTP exchange: the head of the response, or its trailers, or why there is none.
inline constexpr uint16_t kWasiPollHead = 8, kWasiPollTrailers = 16;

// One descriptor to wait for; the host fills the out part. Lies in guest memory.
struct WasiPollEntry {
  // in
  uint32_t handle;
  uint16_t events;  // kWasiPollRead, kWasiPollWrite, kWasiPollHead or kWasiPollTrailers
  // out
  uint16_t ready;  // kWasiPoll...; 0: not ready
  uint32_t error;
  uint32_t tag;    // the guest library's, kept
  uint64_t bytes;  // that can be read; of a socket to write to: that it takes without waiting
  uint64_t reserved;
};

struct WasiPollRequest {
  // in
  WasiRange entries;  // WasiPollEntry[]
  uint64_t timeout_ns;
  uint32_t has_timeout;
  uint32_t reserved;
  // out
  uint32_t error;
  uint32_t ready_count;
};

struct WasiAcceptRequest {
  // in
  uint32_t handle;
  uint32_t fd_flags;
  // out
  uint32_t error;
  uint32_t reserved;
  WasiDescription description;
};

static_assert(sizeof(WasiDescription) == 16);
static_assert(sizeof(WasiTransferRequest) <= kRequestBytesMax);
static_assert(offsetof(WasiTransferRequest, error) == 24 + 16 * kWasiBuffersMax);
static_assert(sizeof(WasiOpenRequest) == 56 && offsetof(WasiOpenRequest, error) == 32);
static_assert(sizeof(WasiStat) == 64 && offsetof(WasiStatRequest, error) == 24);
static_assert(sizeof(WasiPollEntry) == 32);
static_assert(sizeof(WasiTwoPathsRequest) == 48);

}  // namespace mayfly::guest_abi
