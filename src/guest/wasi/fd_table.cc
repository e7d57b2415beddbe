// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of descriptors, and how it is filled at the first call that needs it.
#include "guest/wasi/fd_table.h"

#include "guest/wasi/port_call.h"
#include "guest/wasi/start.h"
#include "guest/wasi/state.h"

namespace mayfly::guest {

namespace {

void fill(FdTable& table) {
  const uint32_t handle_count = start_block().handle_count;
  for (uint32_t handle = 0; handle < handle_count && handle < FdTable::kFdsMax; ++handle) {
    auto& request = new_request<guest_abi::WasiDescribeRequest>();
    request.handle = handle;
    if (call_port(guest_abi::WasiPort::kDescribe, request) != wasi::Errno::kSuccess) continue;
    table.set(handle, make_descriptor(request.description));
  }
}

}  // namespace

Descriptor make_descriptor(const guest_abi::WasiDescription& description) {
  const RightsPair rights = rights_of(description);
  Descriptor descriptor{};
  descriptor.rights_base = rights.base;
  descriptor.rights_inheriting = rights.inheriting;
  descriptor.handle_plus_one = description.handle + 1;
  descriptor.name_bytes = description.name_bytes;
  descriptor.filetype = description.filetype;
  descriptor.flags = description.flags;
  descriptor.file_id = description.file_id;
  return descriptor;
}

uint32_t FdTable::lowest_free() {
  while (free_hint_ < kFdsMax && entries_[free_hint_].is_open()) ++free_hint_;
  return free_hint_;
}

void FdTable::remove(uint32_t fd) {
  entries_[fd] = Descriptor{};
  if (fd < free_hint_) free_hint_ = fd;
}

FdTable& fd_table() {
  WasiState& state = wasi_state();
  if (!state.fds_are_filled) [[unlikely]] {
    state.fds_are_filled = true;
    fill(state.fds);
  }
  return state.fds;
}

wasi::Errno find_fd(uint32_t fd, wasi::Rights rights, Descriptor** descriptor) {
  *descriptor = fd_table().find(fd);
  if (*descriptor == nullptr) return wasi::Errno::kBadF;
  if (((*descriptor)->rights_base & rights) != rights) return wasi::Errno::kNotCapable;
  return wasi::Errno::kSuccess;
}

wasi::Errno find_directory(uint32_t fd, wasi::Rights rights, Descriptor** descriptor) {
  *descriptor = fd_table().find(fd);
  if (*descriptor != nullptr && !(*descriptor)->is_directory()) return wasi::Errno::kNotDir;
  return find_fd(fd, rights, descriptor);
}

wasi::Errno find_file(uint32_t fd, wasi::Rights rights, wasi::Errno wrong_type,
                      Descriptor** descriptor) {
  *descriptor = fd_table().find(fd);
  if (*descriptor != nullptr && (*descriptor)->is_directory()) return wrong_type;
  return find_fd(fd, rights, descriptor);
}

}  // namespace mayfly::guest
