// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// FdTable: the guest's file descriptors. An fd names a host's handle, and has what the host does
// not know: rights, flags and the position. A guest that breaks it only fools itself: the host
// checks each handle again.
#pragma once

#include <cstdint>

#include "guest/wasi/rights.h"
#include "guest_abi/wasi.h"
#include "guest_abi/wasi_ports.h"

namespace mayfly::guest {

struct Descriptor {
  wasi::Rights rights_base;
  wasi::Rights rights_inheriting;
  uint64_t position;         // not with kWasiHostPosition
  uint32_t handle_plus_one;  // 0: this fd is not open
  uint16_t fd_flags;         // wasi::kFd...
  uint16_t name_bytes;       // of a preopened directory
  uint8_t filetype;          // wasi::FileType
  uint8_t flags;             // guest_abi::kWasi...
  uint8_t reserved[2];
  uint32_t window;         // how many bytes were read ahead last (read_ahead.h)
  uint64_t file_id;        // the host's
  uint64_t sequential_at;  // where the last read ended

  bool is_open() const { return handle_plus_one != 0; }
  uint32_t handle() const { return handle_plus_one - 1; }
  bool has(uint8_t flag) const { return (flags & flag) != 0; }
  bool is(wasi::FileType type) const { return filetype == static_cast<uint8_t>(type); }
  bool is_directory() const { return is(wasi::FileType::kDirectory); }
  // Reads and writes name the position in the file.
  bool has_position() const {
    return has(guest_abi::kWasiSeekable) && !has(guest_abi::kWasiHostPosition);
  }
};
static_assert(sizeof(Descriptor) == 56);

// A descriptor as the host describes it, with all the rights of its kind.
Descriptor make_descriptor(const guest_abi::WasiDescription& description);

class FdTable {
 public:
  static constexpr uint32_t kFdsMax = 4096;

  // Null when fd is not open.
  Descriptor* find(uint32_t fd) {
    return fd < kFdsMax && entries_[fd].is_open() ? &entries_[fd] : nullptr;
  }
  // The lowest free fd, or kFdsMax when there is none.
  uint32_t lowest_free();
  // Precondition: fd < kFdsMax.
  void set(uint32_t fd, const Descriptor& descriptor) { entries_[fd] = descriptor; }
  // Precondition: fd is open. Says nothing to the host.
  void remove(uint32_t fd);

 private:
  Descriptor entries_[kFdsMax];
  uint32_t free_hint_;  // no fd below it is free
};

// The table, filled with what the host gives at the start.
FdTable& fd_table();

// The descriptor of fd. Errors: kBadF; kNotCapable when one of the rights is missing.
wasi::Errno find_fd(uint32_t fd, wasi::Rights rights, Descriptor** descriptor);
// The same for operations on a directory (kNotDir otherwise) and on what is none (wrong_type).
wasi::Errno find_directory(uint32_t fd, wasi::Rights rights, Descriptor** descriptor);
wasi::Errno find_file(uint32_t fd, wasi::Rights rights, wasi::Errno wrong_type,
                      Descriptor** descriptor);

}  // namespace mayfly::guest

// Returns the errno of the enclosing WASI function unless the expression is kSuccess.
#define MAYFLY_WASI_TRY(expression)                                              \
  do {                                                                           \
    const ::mayfly::guest_abi::wasi::Errno mayfly_error = (expression);          \
    if (mayfly_error != ::mayfly::guest_abi::wasi::Errno::kSuccess) [[unlikely]] \
      return ::mayfly::guest::answer(mayfly_error);                              \
  } while (false)
