// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Read, not mapped: whoever owns the file may cut it short meanwhile.
#include "image/stable_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

namespace mayfly::image {

WhoChanges who_changes(int file, const struct stat& status) {
  constexpr int kSeals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
  const int seals = ::fcntl(file, F_GET_SEALS);
  if (seals >= 0 && (seals & kSeals) == kSeals) return WhoChanges::kNobody;
  const bool is_owned = status.st_uid == ::geteuid() || status.st_uid == 0;
  const bool is_shared = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  return is_owned && !is_shared ? WhoChanges::kOwner : WhoChanges::kOthers;
}

Result<Fd> sealed_copy(const char* name, int file, uint64_t offset, uint64_t bytes) {
  constexpr uint64_t kBytesAtOnce = uint64_t{256} << 10;
  Fd copy = MAYFLY_TRY(create_memfd(name, 0));
  std::vector<uint8_t> buffer(std::min(bytes, kBytesAtOnce));
  for (uint64_t done = 0; done < bytes;) {
    const ssize_t count = ::pread(file, buffer.data(), std::min(bytes - done, kBytesAtOnce),
                                  static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return host_error("reading a file to copy it");
    if (count == 0) {
      return invalid("the file ends at byte " + std::to_string(offset + done) + ", before byte " +
                     std::to_string(offset + bytes) + ": it was cut short");
    }
    MAYFLY_TRY(write_whole(copy.get(), std::span(buffer).first(static_cast<size_t>(count))));
    done += static_cast<uint64_t>(count);
  }
  constexpr int kSeals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (::fcntl(copy.get(), F_ADD_SEALS, kSeals) != 0) return host_error("fcntl(F_ADD_SEALS)");
  return copy;
}

}  // namespace mayfly::image
