// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which rights a descriptor of each kind can have at all. What a program asks for beyond that is
// left out in silence, as programs of every toolchain expect.
#pragma once

#include "guest_abi/wasi.h"
#include "guest_abi/wasi_ports.h"

namespace mayfly::guest {

namespace wasi = guest_abi::wasi;

inline constexpr wasi::Rights kDirectoryRights =
    wasi::kFdFdstatSetFlags | wasi::kFdSyncRight | wasi::kFdAdvise | wasi::kPathCreateDirectory |
    wasi::kPathCreateFile | wasi::kPathLinkSource | wasi::kPathLinkTarget | wasi::kPathOpen |
    wasi::kFdReaddir | wasi::kPathReadlink | wasi::kPathRenameSource | wasi::kPathRenameTarget |
    wasi::kPathFilestatGet | wasi::kPathFilestatSetSize | wasi::kPathFilestatSetTimes |
    wasi::kFdFilestatGet | wasi::kFdFilestatSetTimes | wasi::kPathSymlink |
    wasi::kPathRemoveDirectory | wasi::kPathUnlinkFile | wasi::kPollFdReadwrite;

inline constexpr wasi::Rights kStreamRights = wasi::kFdRead | wasi::kFdWrite |
                                              wasi::kFdFdstatSetFlags | wasi::kFdFilestatGet |
                                              wasi::kPollFdReadwrite;

inline constexpr wasi::Rights kFileRights =
    kStreamRights | wasi::kFdDatasyncRight | wasi::kFdSeek | wasi::kFdSyncRight | wasi::kFdTell |
    wasi::kFdAdvise | wasi::kFdAllocate | wasi::kFdFilestatSetSize | wasi::kFdFilestatSetTimes;

inline constexpr wasi::Rights kSocketRights = kStreamRights | wasi::kSockShutdown;

inline constexpr wasi::Rights kListenerRights =
    wasi::kSockAccept | wasi::kFdFdstatSetFlags | wasi::kFdFilestatGet | wasi::kPollFdReadwrite;

struct RightsPair {
  wasi::Rights base;
  wasi::Rights inheriting;
};

constexpr RightsPair rights_of(const guest_abi::WasiDescription& description) {
  const auto has = [&](uint8_t flag) { return (description.flags & flag) != 0; };
  if (has(guest_abi::kWasiListener)) return {kListenerRights, kSocketRights};
  RightsPair rights{kStreamRights, 0};
  switch (static_cast<wasi::FileType>(description.filetype)) {
    case wasi::FileType::kDirectory:
      return {kDirectoryRights, kDirectoryRights | kFileRights};
    case wasi::FileType::kRegularFile:
    case wasi::FileType::kBlockDevice:
      rights.base = kFileRights;
      break;
    case wasi::FileType::kSocketStream:
    case wasi::FileType::kSocketDgram:
      rights.base = kSocketRights;
      break;
    case wasi::FileType::kCharacterDevice:
    case wasi::FileType::kUnknown:
    case wasi::FileType::kSymbolicLink:
      break;
  }
  if (has(guest_abi::kWasiSeekable)) rights.base |= wasi::kFdSeek | wasi::kFdTell;
  if (!has(guest_abi::kWasiReadable)) rights.base &= ~wasi::kFdRead;
  if (!has(guest_abi::kWasiWritable)) {
    rights.base &= ~(wasi::kFdWrite | wasi::kFdAllocate | wasi::kFdFilestatSetSize);
  }
  return rights;
}

}  // namespace mayfly::guest
