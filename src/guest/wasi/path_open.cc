// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// path_open: which rights the call needs, which the new descriptor gets, and how the host is to
// open the file.
#include "guest/wasi/fd_table.h"
#include "guest/wasi/functions.h"
#include "guest/wasi/linear_memory.h"
#include "guest/wasi/port_call.h"
#include "guest/wasi/read_ahead.h"

using namespace mayfly::guest;  // NOLINT: this file defines the C functions only

namespace {

namespace guest_abi = mayfly::guest_abi;

// Of the directory, beside those of the kinds of access that are asked for.
constexpr wasi::Rights needed_base(uint32_t open_flags) {
  wasi::Rights needed = wasi::kPathOpen;
  if ((open_flags & wasi::kOpenCreat) != 0) needed |= wasi::kPathCreateFile;
  if ((open_flags & wasi::kOpenTrunc) != 0) needed |= wasi::kPathFilestatSetSize;
  return needed;
}

// Rights that decide what the program can do with the file are refused where the directory cannot
// give them; the others are left out in silence.
constexpr wasi::Rights needed_inheriting(wasi::Rights requested, uint32_t fd_flags) {
  wasi::Rights needed = requested & (wasi::kFdRead | wasi::kFdWrite);
  if ((fd_flags & wasi::kFdDsync) != 0) needed |= wasi::kFdDatasyncRight;
  if ((fd_flags & (wasi::kFdSync | wasi::kFdRsync)) != 0) needed |= wasi::kFdSyncRight;
  return needed;
}

constexpr uint8_t access_of(wasi::Rights rights) {
  uint8_t access = 0;
  if ((rights & (wasi::kFdRead | wasi::kFdReaddir)) != 0) access |= guest_abi::kWasiReadable;
  if ((rights & (wasi::kFdWrite | wasi::kFdAllocate | wasi::kFdFilestatSetSize)) != 0) {
    access |= guest_abi::kWasiWritable;
  }
  return access;
}

wasi::Errno check_flags(uint32_t lookup, uint32_t open_flags, uint32_t fd_flags) {
  constexpr uint32_t kCreatesDirectory = wasi::kOpenCreat | wasi::kOpenDirectory;
  if ((lookup & ~wasi::kLookupSymlinkFollow) != 0 ||
      (open_flags & ~uint32_t{wasi::kOpenFlagsAll}) != 0 ||
      (fd_flags & ~uint32_t{wasi::kFdFlagsAll}) != 0 ||
      (open_flags & kCreatesDirectory) == kCreatesDirectory) {
    return wasi::Errno::kInval;
  }
  return wasi::Errno::kSuccess;
}

// Who asks for every right but to write means a directory as well, which cannot be opened for the
// rights that change a file.
wasi::Errno open(guest_abi::WasiOpenRequest& request, wasi::Rights base) {
  const wasi::Errno error = call_port(guest_abi::WasiPort::kOpen, request);
  if (error != wasi::Errno::kIsDir || (base & wasi::kFdWrite) != 0) return error;
  request.access = access_of(base & (wasi::kFdRead | wasi::kFdReaddir));
  return call_port(guest_abi::WasiPort::kOpen, request);
}

}  // namespace

uint32_t mayfly_wasi_p1_path_open(MemoryInfo* memory, uint32_t fd, uint32_t lookup, uint32_t path,
                                  uint32_t bytes, uint32_t open_flags, uint64_t rights_base,
                                  uint64_t rights_inheriting, uint32_t fd_flags, uint32_t fd_to) {
  const LinearMemory linear(memory);
  Descriptor* directory = nullptr;
  MAYFLY_WASI_TRY(find_directory(fd, needed_base(open_flags), &directory));
  MAYFLY_WASI_TRY(check_flags(lookup, open_flags, fd_flags));
  if ((needed_inheriting(rights_base, fd_flags) & ~directory->rights_inheriting) != 0) {
    return answer(wasi::Errno::kNotCapable);
  }
  if (!linear.contains(path, bytes) || !linear.contains(fd_to, 4)) {
    return answer(wasi::Errno::kFault);
  }
  const uint32_t fd_new = fd_table().lowest_free();
  if (fd_new == FdTable::kFdsMax) return answer(wasi::Errno::kMFile);
  const wasi::Rights base = rights_base & directory->rights_inheriting;
  const wasi::Rights inheriting = rights_inheriting & directory->rights_inheriting;

  auto& request = new_request<guest_abi::WasiOpenRequest>();
  request.directory = directory->handle();
  request.lookup_flags = lookup;
  request.path = linear.range(path, bytes);
  request.open_flags = static_cast<uint16_t>(open_flags);
  request.fd_flags = static_cast<uint16_t>(fd_flags);
  request.access = access_of(base);
  MAYFLY_WASI_TRY(open(request, base));

  Descriptor descriptor = make_descriptor(request.description);
  forget_ahead(descriptor.file_id);  // who opens a file sees it as it is now, and may have cut it
  descriptor.rights_base &= base;
  descriptor.rights_inheriting &= inheriting;
  descriptor.fd_flags = static_cast<uint16_t>(fd_flags);
  fd_table().set(fd_new, descriptor);
  linear.store(fd_to, fd_new);
  return answer(wasi::Errno::kSuccess);
}
