// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The numbers and memory layouts of WASI preview 1, in the words of its witx files.
// The guest library and the host's port handlers share them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mayfly::guest_abi::wasi {

enum class Errno : uint16_t {
  kSuccess = 0,
  k2Big = 1,
  kAcces = 2,
  kAddrInUse = 3,
  kAddrNotAvail = 4,
  kAfNoSupport = 5,
  kAgain = 6,
  kAlready = 7,
  kBadF = 8,
  kBadMsg = 9,
  kBusy = 10,
  kCanceled = 11,
  kChild = 12,
  kConnAborted = 13,
  kConnRefused = 14,
  kConnReset = 15,
  kDeadLk = 16,
  kDestAddrReq = 17,
  kDom = 18,
  kDQuot = 19,
  kExist = 20,
  kFault = 21,
  kFBig = 22,
  kHostUnreach = 23,
  kIdRm = 24,
  kIlSeq = 25,
  kInProgress = 26,
  kIntr = 27,
  kInval = 28,
  kIo = 29,
  kIsConn = 30,
  kIsDir = 31,
  kLoop = 32,
  kMFile = 33,
  kMLink = 34,
  kMsgSize = 35,
  kMultiHop = 36,
  kNameTooLong = 37,
  kNetDown = 38,
  kNetReset = 39,
  kNetUnreach = 40,
  kNFile = 41,
  kNoBufs = 42,
  kNoDev = 43,
  kNoEnt = 44,
  kNoExec = 45,
  kNoLck = 46,
  kNoLink = 47,
  kNoMem = 48,
  kNoMsg = 49,
  kNoProtoOpt = 50,
  kNoSpc = 51,
  kNoSys = 52,
  kNotConn = 53,
  kNotDir = 54,
  kNotEmpty = 55,
  kNotRecoverable = 56,
  kNotSock = 57,
  kNotSup = 58,
  kNoTty = 59,
  kNxIo = 60,
  kOverflow = 61,
  kOwnerDead = 62,
  kPerm = 63,
  kPipe = 64,
  kProto = 65,
  kProtoNoSupport = 66,
  kPrototype = 67,
  kRange = 68,
  kRoFs = 69,
  kSPipe = 70,
  kSrch = 71,
  kStale = 72,
  kTimedOut = 73,
  kTxtBsy = 74,
  kXDev = 75,
  kNotCapable = 76,
};

enum class FileType : uint8_t {
  kUnknown = 0,
  kBlockDevice = 1,
  kCharacterDevice = 2,
  kDirectory = 3,
  kRegularFile = 4,
  kSocketDgram = 5,
  kSocketStream = 6,
  kSymbolicLink = 7,
};

// Flags are plain numbers: a guest can send any combination.
inline constexpr uint16_t kFdAppend = 1, kFdDsync = 2, kFdNonblock = 4, kFdRsync = 8, kFdSync = 16;
inline constexpr uint16_t kFdFlagsAll = 31;
inline constexpr uint32_t kLookupSymlinkFollow = 1;
inline constexpr uint16_t kOpenCreat = 1, kOpenDirectory = 2, kOpenExcl = 4, kOpenTrunc = 8;
inline constexpr uint16_t kOpenFlagsAll = 15;
inline constexpr uint16_t kSetAtim = 1, kSetAtimNow = 2, kSetMtim = 4, kSetMtimNow = 8;
inline constexpr uint16_t kSetTimesAll = 15;
inline constexpr uint16_t kRecvPeek = 1, kRecvWaitall = 2;
inline constexpr uint16_t kRecvDataTruncated = 1;
inline constexpr uint8_t kShutdownRead = 1, kShutdownWrite = 2;
inline constexpr uint16_t kClockAbstime = 1;
inline constexpr uint16_t kEventHangup = 1;

enum class Whence : uint8_t { kSet = 0, kCur = 1, kEnd = 2 };
enum class ClockId : uint32_t { kRealtime = 0, kMonotonic = 1, kProcessCpu = 2, kThreadCpu = 3 };
enum class EventType : uint8_t { kClock = 0, kFdRead = 1, kFdWrite = 2 };
inline constexpr uint8_t kAdviceLast = 5;

using Rights = uint64_t;
inline constexpr Rights kFdDatasyncRight = 1U << 0, kFdRead = 1U << 1, kFdSeek = 1U << 2,
                        kFdFdstatSetFlags = 1U << 3, kFdSyncRight = 1U << 4, kFdTell = 1U << 5,
                        kFdWrite = 1U << 6, kFdAdvise = 1U << 7, kFdAllocate = 1U << 8,
                        kPathCreateDirectory = 1U << 9, kPathCreateFile = 1U << 10,
                        kPathLinkSource = 1U << 11, kPathLinkTarget = 1U << 12,
                        kPathOpen = 1U << 13, kFdReaddir = 1U << 14, kPathReadlink = 1U << 15,
                        kPathRenameSource = 1U << 16, kPathRenameTarget = 1U << 17,
                        kPathFilestatGet = 1U << 18, kPathFilestatSetSize = 1U << 19,
                        kPathFilestatSetTimes = 1U << 20, kFdFilestatGet = 1U << 21,
                        kFdFilestatSetSize = 1U << 22, kFdFilestatSetTimes = 1U << 23,
                        kPathSymlink = 1U << 24, kPathRemoveDirectory = 1U << 25,
                        kPathUnlinkFile = 1U << 26, kPollFdReadwrite = 1U << 27,
                        kSockShutdown = 1U << 28, kSockAccept = 1U << 29;
inline constexpr Rights kRightsAll = (1U << 30) - 1;

struct Iovec {
  uint32_t buffer;
  uint32_t bytes;
};

struct Fdstat {
  uint8_t filetype;
  uint8_t reserved0;
  uint16_t flags;
  uint32_t reserved1;
  uint64_t rights_base;
  uint64_t rights_inheriting;
};

struct Filestat {
  uint64_t dev;
  uint64_t ino;
  uint8_t filetype;
  uint8_t reserved[7];
  uint64_t nlink;
  uint64_t size;
  uint64_t atim;
  uint64_t mtim;
  uint64_t ctim;
};

// wasi_unstable has a 32-bit nlink in the same place as reserved[3..].
struct FilestatUnstable {
  uint64_t dev;
  uint64_t ino;
  uint8_t filetype;
  uint8_t reserved[3];
  uint32_t nlink;
  uint64_t size;
  uint64_t atim;
  uint64_t mtim;
  uint64_t ctim;
};

struct Dirent {
  uint64_t next;  // cookie
  uint64_t ino;
  uint32_t name_bytes;
  uint8_t filetype;
  uint8_t reserved[3];
};

struct Prestat {
  uint8_t tag;  // 0: directory
  uint8_t reserved[3];
  uint32_t name_bytes;
};

struct SubscriptionClock {
  uint32_t id;
  uint32_t reserved;
  uint64_t timeout;
  uint64_t precision;
  uint16_t flags;
  uint8_t reserved1[6];
};

struct Subscription {
  uint64_t userdata;
  uint8_t tag;  // EventType
  uint8_t reserved[7];
  union {
    SubscriptionClock clock;
    uint32_t fd;
  };
};

// wasi_unstable puts an identifier of its own in front of the clock.
struct SubscriptionClockUnstable {
  uint64_t identifier;
  SubscriptionClock clock;
};

struct SubscriptionUnstable {
  uint64_t userdata;
  uint8_t tag;
  uint8_t reserved[7];
  union {
    SubscriptionClockUnstable clock;
    uint32_t fd;
  };
};

struct Event {
  uint64_t userdata;
  uint16_t error;
  uint8_t type;
  uint8_t reserved0[5];
  uint64_t bytes;  // of fd_read and fd_write
  uint16_t flags;
  uint8_t reserved1[6];
};

static_assert(sizeof(Iovec) == 8);
static_assert(sizeof(Fdstat) == 24 && offsetof(Fdstat, rights_base) == 8);
static_assert(sizeof(Filestat) == 64 && offsetof(Filestat, nlink) == 24);
static_assert(sizeof(FilestatUnstable) == 56 && offsetof(FilestatUnstable, nlink) == 20);
static_assert(sizeof(Dirent) == 24 && offsetof(Dirent, filetype) == 20);
static_assert(sizeof(Prestat) == 8);
static_assert(sizeof(Subscription) == 48 && offsetof(Subscription, clock) == 16);
static_assert(sizeof(SubscriptionUnstable) == 56 && sizeof(SubscriptionClock) == 32);
static_assert(sizeof(Event) == 32 && offsetof(Event, flags) == 24);

}  // namespace mayfly::guest_abi::wasi
