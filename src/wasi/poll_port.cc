// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Waiting for many handles at once, and sleeping.
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "wasi/http_ports.h"
#include "wasi/own_socket.h"
#include "wasi/port_call.h"
#include "wasi/wait.h"

namespace mayfly::wasi {

namespace {

using Entries = std::vector<guest_abi::WasiPollEntry>;

std::span<uint8_t> bytes_of(Entries& entries) {
  // SAFETY: plain structs may be read and written as bytes; the span is the vector's own size.
  return {reinterpret_cast<uint8_t*>(entries.data()),
          entries.size() * sizeof(guest_abi::WasiPollEntry)};
}

PortAnswer read_entries(PortCall& call, const guest_abi::WasiRange& range, Entries* entries) {
  constexpr uint64_t kEntryBytes = sizeof(guest_abi::WasiPollEntry);
  if (range.bytes / kEntryBytes > call.program.limits.poll_entries_max) return Errno::kInval;
  entries->resize(range.bytes / kEntryBytes);
  if (!entries->empty()) MAYFLY_TRY(call.guest().read(range.address, bytes_of(*entries)));
  return Errno::kSuccess;
}

// How many bytes can be read at once: of a file its size, from which the guest takes its position.
uint64_t readable_bytes(const Handle& handle) {
  if (handle.is_regular() && !handle.has(guest_abi::kWasiHostPosition)) {
    struct stat status{};
    return fstat(handle.fd.get(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
  }
  int bytes = 0;
  // SAFETY: FIONREAD stores one int.
  if (ioctl(handle.fd.get(), FIONREAD, &bytes) != 0 || bytes < 0) return 0;
  return static_cast<uint64_t>(bytes);
}

// Fds for poll(); an entry that names no handle gets its error and -1, which poll() leaves out.
std::vector<pollfd> to_poll(PortCall& call, Entries& entries, bool* has_error) {
  std::vector<pollfd> fds;
  fds.reserve(entries.size() + 1);
  for (guest_abi::WasiPollEntry& entry : entries) {
    const Handle* handle = call.find(entry.handle);
    if (handle != nullptr && handle->is_bucket) handle = nullptr;  // nothing ever comes of one
    entry.ready = 0;
    entry.bytes = 0;
    entry.error = static_cast<uint32_t>(handle == nullptr ? Errno::kBadF : Errno::kSuccess);
    if (handle == nullptr) *has_error = true;
    const bool reads = (entry.events & guest_abi::kWasiPollRead) != 0;
    const auto events = static_cast<short>(reads ? POLLIN : POLLOUT);
    fds.push_back({handle == nullptr ? -1 : handle->fd.get(), events, 0});
  }
  return fds;
}

// The entries that are about exchanges.
struct ExchangeEntry {
  HttpExchange* exchange;
  guest_abi::WasiPollEntry* entry;
};

std::vector<ExchangeEntry> exchanges_of(PortCall& call, Entries& entries) {
  std::vector<ExchangeEntry> exchanges;
  for (guest_abi::WasiPollEntry& entry : entries) {
    const Handle* const handle = call.find(entry.handle);
    if (handle != nullptr && handle->exchange != nullptr) {
      exchanges.push_back({handle->exchange.get(), &entry});
    }
  }
  return exchanges;
}

void report(PortCall& call, const pollfd& fd, guest_abi::WasiPollEntry& entry) {
  if (fd.revents == 0) return;
  const Handle* handle = call.find(entry.handle);
  const bool reads = (entry.events & guest_abi::kWasiPollRead) != 0;
  entry.ready = reads ? guest_abi::kWasiPollRead : guest_abi::kWasiPollWrite;
  if ((fd.revents & POLLHUP) != 0) entry.ready |= guest_abi::kWasiPollHangup;
  if ((fd.revents & POLLNVAL) != 0) entry.error = static_cast<uint32_t>(Errno::kBadF);
  if (handle == nullptr) return;
  if (reads) {
    entry.bytes = readable_bytes(*handle);
  } else if (handle->filetype == FileType::kSocketStream) {
    entry.bytes = send_room(handle->fd.get());
  }
}

}  // namespace

PortAnswer poll_handles(PortCall& call, guest_abi::WasiPollRequest& request) {
  Entries entries;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(read_entries(call, request.entries, &entries)));
  bool has_error = false;
  std::vector<pollfd> fds = to_poll(call, entries, &has_error);
  std::optional<std::chrono::nanoseconds> timeout;
  if (request.has_timeout != 0) {
    timeout = std::chrono::nanoseconds(
        static_cast<int64_t>(std::min<uint64_t>(request.timeout_ns, INT64_MAX)));
  }
  if (has_error) timeout = std::chrono::nanoseconds(0);
  const std::vector<ExchangeEntry> exchanges = exchanges_of(call, entries);
  const WaitResult waited = wait_with_exchanges(call, fds, timeout, [&exchanges] {
    return std::ranges::any_of(exchanges, [](const ExchangeEntry& item) {
      return item.exchange->is_ready(item.entry->events);
    });
  });
  MAYFLY_ERRNO_TRY(waited.error);
  for (const ExchangeEntry& item : exchanges) {
    if (item.exchange->is_ready(item.entry->events)) item.entry->ready = item.entry->events;
  }
  request.ready_count = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    report(call, fds[i], entries[i]);
    if (entries[i].ready != 0 || entries[i].error != 0) ++request.ready_count;
  }
  if (!entries.empty()) {
    MAYFLY_TRY(call.guest().write(request.entries.address, bytes_of(entries)));
  }
  return Errno::kSuccess;
}

}  // namespace mayfly::wasi
