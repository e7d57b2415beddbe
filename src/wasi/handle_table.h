// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// HandleTable: what the guest may name. A handle is an index here; the guest never learns or
// sends a descriptor of the host.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "guest_abi/socket_ports.h"
#include "guest_abi/wasi.h"
#include "guest_abi/wasi_ports.h"
#include "wasi/config.h"
#include "wasi/http_exchange.h"

namespace mayfly::wasi {

using guest_abi::wasi::Errno;
using guest_abi::wasi::FileType;

// What is known of a socket that the program made, or accepted at one that it made.
struct OwnSocket {
  guest_abi::WasiFamily family = guest_abi::WasiFamily::kNone;  // kNone: it is none of these
  bool may_listen = false;         // it is bound to an address where a grant lets it listen
  guest_abi::WasiAddress bound{};  // datagrams: what it was bound to, with its port
  guest_abi::WasiAddress peer{};   // datagrams: whom it was connected with; else kNone
  // Datagrams where may_listen: who has sent some, the last one last, and may be answered.
  std::vector<guest_abi::WasiAddress> senders;
};

struct Handle {
  Fd fd;
  FileType filetype = FileType::kUnknown;
  uint8_t flags = 0;  // guest_abi::kWasi...
  TreeAccess access = TreeAccess::kReadWrite;
  bool is_in_memory = false;           // of a MemoryDirectory
  bool is_nowhere = false;             // no path leads anywhere from it (denials.h)
  uint64_t file_id = 0;                // guest_abi::WasiDescription
  std::string name;                    // of a preopened directory, as the guest sees it
  Errno late_error = Errno::kSuccess;  // of a write behind that nobody was told of (write_behind.h)
  bool is_lookup = false;              // of a name: its answer comes here (lookup_ports.cc)
  bool has_answered = false;           // lookups: some of the answer was read
  bool is_bucket = false;              // of wasi:keyvalue: then there is no fd
  std::string bucket;                  // its name
  OwnSocket socket;
  std::unique_ptr<HttpExchange> exchange;  // then there is no fd

  bool is_directory() const { return filetype == FileType::kDirectory; }
  bool is_regular() const { return filetype == FileType::kRegularFile; }
  bool has(uint8_t flag) const { return (flags & flag) != 0; }
};

class HandleTable {
 public:
  explicit HandleTable(uint32_t handles_max) : handles_max_(handles_max) {}

  // Null for what is no open handle.
  Handle* find(uint32_t handle);
  bool is_full() const { return open_count_ >= handles_max_; }
  // The lowest free number. Precondition: !is_full().
  uint32_t add(Handle handle);
  // Leaves a number unused for good: a stdio stream that the program was not given.
  void skip() { handles_.emplace_back(); }
  // Precondition: find(handle) is not null.
  void remove(uint32_t handle);
  uint32_t size() const { return static_cast<uint32_t>(handles_.size()); }

  // What the program has beside its first `first_count` handles, and which of these it closed.
  // From then on a closed one of the first is kept aside, so that restore() can bring it back.
  struct Saved {
    std::vector<std::optional<Handle>> handles;  // of the first ones only whether they are open
    std::vector<uint32_t> free;
  };
  // Open files are shared, but no position in one: those of files are the guest's. Errors: kHost;
  // kUnsupported for what cannot be shared: sockets, lookups of names, HTTP exchanges, files of
  // directories in memory.
  Result<Saved> save(uint32_t first_count);
  // The first handles stay this table's own. Errors: kHost; kLimit.
  Result<void> restore(const Saved& saved, uint32_t first_count);
  void forget_late_errors();
  // Another file for one of the first handles, whether it is open or closed.
  void replace_first(uint32_t handle, Handle with);
  // Changes with every handle that is added or removed.
  uint64_t change_count() const { return change_count_; }

 private:
  std::vector<std::optional<Handle>> kept_;  // of the first handles: closed ones
  std::vector<std::optional<Handle>> handles_;
  std::vector<uint32_t> free_;  // a heap, the lowest first
  uint32_t handles_max_;
  uint32_t open_count_ = 0;
  uint64_t change_count_ = 0;
};

// Kind and flags of an open file. access: kWasiReadable and kWasiWritable, as it was opened.
// Errors: kHost.
Result<Handle> describe(Fd fd, uint8_t access);

FileType filetype_of(uint32_t mode);

guest_abi::WasiDescription description_of(uint32_t number, const Handle& handle);

}  // namespace mayfly::wasi
