// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A file's status as the host tells it, in the layouts of preview 1 and of wasi_unstable.
#pragma once

#include "guest/wasi/linear_memory.h"
#include "guest_abi/wasi.h"
#include "guest_abi/wasi_ports.h"

namespace mayfly::guest {

enum class StatLayout : uint8_t { kPreview1, kUnstable };

constexpr uint64_t stat_bytes(StatLayout layout) {
  return layout == StatLayout::kPreview1 ? sizeof(guest_abi::wasi::Filestat)
                                         : sizeof(guest_abi::wasi::FilestatUnstable);
}

template <typename Filestat>
void store_filestat(const LinearMemory& memory, uint32_t to, const guest_abi::WasiStat& stat) {
  Filestat filestat{};
  filestat.dev = stat.dev;
  filestat.ino = stat.ino;
  filestat.filetype = stat.filetype;
  filestat.nlink = static_cast<decltype(filestat.nlink)>(stat.nlink);
  filestat.size = stat.size;
  filestat.atim = stat.atim;
  filestat.mtim = stat.mtim;
  filestat.ctim = stat.ctim;
  memory.store(to, filestat);
}

inline void store_stat(const LinearMemory& memory, uint32_t to, StatLayout layout,
                       const guest_abi::WasiStat& stat) {
  if (layout == StatLayout::kPreview1) {
    store_filestat<guest_abi::wasi::Filestat>(memory, to, stat);
  } else {
    store_filestat<guest_abi::wasi::FilestatUnstable>(memory, to, stat);
  }
}

// A time cannot be both given and now. Errors: kInval.
constexpr guest_abi::wasi::Errno check_set_times(uint32_t flags) {
  namespace wasi = guest_abi::wasi;
  const auto both = [&](uint32_t pair) { return (flags & pair) == pair; };
  if ((flags & ~uint32_t{wasi::kSetTimesAll}) != 0 || both(wasi::kSetAtim | wasi::kSetAtimNow) ||
      both(wasi::kSetMtim | wasi::kSetMtimNow)) {
    return wasi::Errno::kInval;
  }
  return wasi::Errno::kSuccess;
}

}  // namespace mayfly::guest
