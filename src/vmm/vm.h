// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vm: one guest, its memory and its one processor, behind the same interface on every driver.
// It knows addresses, faults and ports, and nothing of WebAssembly.
//
//   Host::open() -> Host::create_vm(config) -> enter() -> [handle a port -> resume()]* -> Exit
#pragma once

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "guest_abi/call_page.h"
#include "guest_abi/layout.h"
#include "vmm/saved_memory.h"

namespace mayfly::vmm {

enum class Driver : uint8_t { kKvm, kProcess };
std::string_view to_string(Driver driver);

enum class Protection : uint8_t { kRead, kReadExecute, kReadWrite };

// One range of guest memory. Ranges do not overlap, lie outside the host-owned pages, and start
// at a page. Invariant: address, guest-physical address and host address agree modulo 2 MiB.
struct RegionSpec {
  uint64_t address = 0;
  uint64_t bytes = 0;           // present from the start; rounded up to pages
  uint64_t bytes_reserved = 0;  // resize() may reach it; at least bytes
  Protection protection = Protection::kReadWrite;
  // The first file_bytes are the file's, the rest is zeros. Shared for kRead and kReadExecute, a
  // private copy for kReadWrite. The file outlives the Vm's creation only. The last page of a
  // shared range may hold the file's next bytes instead of zeros.
  int file = -1;
  uint64_t file_offset = 0;  // a multiple of the page size
  uint64_t file_bytes = 0;
};

// Whether the Vm can tell which pages were written, which restore() and touched_pages() need.
// It costs the guest's first write to a page a little, and large pages.
enum class Tracking : uint8_t { kOff, kOn };

// The first bytes of the call page, which restore() always clears.
inline constexpr uint64_t kCallPageBytesTracked = guest_abi::kPageBytes;

struct VmConfig {
  std::vector<RegionSpec> regions;
  uint64_t stack_bytes = guest_abi::kStackBytesDefault;
  Tracking tracking = Tracking::kOff;
  // Whose guest it is. Nothing that one domain's guest ran on serves another's.
  uint64_t domain = 0;
  // How long guest and caller poll for each other's next turn before they sleep, so that a call,
  // and its answers at kSpinPorts, need no exit. 0: they do not. It takes a thread for each Vm of
  // the kvm driver, and has no effect for a thread that may use one processor only.
  std::chrono::nanoseconds spin_time{0};
};

// A page of a region, for one look at its content while the guest does not run.
struct PageView {
  uint32_t region = 0;
  uint64_t page = 0;
  const uint8_t* bytes = nullptr;
};

// What a restore() did.
struct RestoreCount {
  uint64_t pages_compared = 0;
  uint64_t pages_copied = 0;
  uint64_t pages_dropped = 0;  // given back to the host
};

// A call: enter(thunk, function, slots) in the entry page (layout.h).
struct Entry {
  uint64_t thunk = 0;
  uint64_t function = 0;
};

// What the processor reported when the guest did something that it cannot go on from.
struct Fault {
  uint8_t vector = 0;       // Intel SDM 3A, table 6-1: 0 #DE, 6 #UD, 13 #GP, 14 #PF
  uint64_t error_code = 0;  // of the vectors that have one
  uint64_t address = 0;     // CR2, with vector 14
  uint64_t rip = 0;
  uint64_t rsp = 0;
  uint64_t rbp = 0;
};

// Whether the host's kernel refused for want of memory. KVM says EFAULT of a page that cannot be
// brought, and EHWPOISON of one whose memory is broken.
inline bool is_out_of_memory(const Error& error) {
  return error.kind == ErrorKind::kHost &&
         (error.errno_value == ENOMEM || error.errno_value == EFAULT ||
          error.errno_value == EHWPOISON);
}

struct Exit {
  enum class Kind : uint8_t {
    kPort,         // hypercall(port); port 0 is the end of the call. resume() goes on, unless it is
    kFault,        // a CPU fault; the call is over
    kDeadline,     // set_deadline()'s moment came; the call is over
    kCancelled,    // cancel(); the call is over
    kOutOfMemory,  // the host had no page for the guest's memory; the call is over
    kBroken,       // the guest left in a way that no guest of ours does; only destruction is left
  };
  Kind kind = Kind::kBroken;
  uint32_t port = 0;
  Fault fault = {};          // kFault; with kDeadline and kCancelled rip, rsp and rbp where known
  std::string message = {};  // kBroken, kOutOfMemory
  bool is_exitless = false;  // kPort: the guest did not leave for it; it polls for the next turn
};

// Who looks at a guest that runs.
class GuestWatch {
 public:
  virtual ~GuestWatch() = default;
  // On the thread of the call in progress. The guest stands still or runs on: that is the driver's.
  virtual void look() = 0;
};

// Threads: one at a time, but for cancel() and cpu_time(), which any thread may call.
class Vm {
 public:
  virtual ~Vm() = default;

  // Runs the guest until it leaves. After any exit but a port's, the next call is enter(); after
  // a port's enter() gives up the call in progress.
  // Errors: kHost, when the host's kernel refuses; the Vm is then unusable.
  virtual Result<Exit> enter(const Entry& entry) = 0;
  virtual Result<Exit> resume() = 0;
  // A call inside the one in progress, which waits at a port: on the same stack, below it. Ports of
  // the inner call are resumed as usual. Its return (port 0) leaves the outer call waiting at its
  // port again; any other end is the end of all of them.
  virtual Result<Exit> enter_nested(const Entry& entry) = 0;

  // The call in progress, or the next, ends with kDeadline at this moment, and so does each later
  // one until another deadline is set. nullopt: no deadline.
  virtual void set_deadline(std::optional<std::chrono::steady_clock::time_point> deadline) = 0;
  // Ends the call in progress; no effect on a later call. false: there is none.
  virtual bool cancel() = 0;
  // Calls watch.look() once, at this moment or, while the call in progress waits at a port, when it
  // goes on; not after its end. Replaces what was asked for before. The watch outlives the Vm.
  // Errors: kHost, where nobody would look.
  virtual Result<void> look_at(std::chrono::steady_clock::time_point when, GuestWatch& watch) = 0;
  // CPU time that the guest took so far on other threads than those that called enter().
  virtual std::chrono::nanoseconds cpu_time() const = 0;

  // Copies of guest memory. Errors: kInvalid when a byte is outside what the guest itself can
  // read or write; nothing was copied then.
  virtual Result<void> read(uint64_t address, std::span<uint8_t> to) const = 0;
  virtual Result<void> write(uint64_t address, std::span<const uint8_t> from) = 0;
  // The host's own view of [address, address + bytes), for one copy or system call while the
  // guest does not run. (With a spin_time a hostile one may, at kSpinPorts and between calls.) The
  // range lies in one region that the guest can write: a store to any other would fault in the
  // host. Errors: as read().
  virtual Result<std::span<uint8_t>> view(uint64_t address, uint64_t bytes) = 0;
  // The same to be read only: no page counts as written.
  virtual Result<std::span<const uint8_t>> read_view(uint64_t address, uint64_t bytes) = 0;

  // Makes region bytes large: new pages are zero; pages past the new size are gone for the guest.
  // Errors: kLimit past bytes_reserved; kHost. Nothing changes on error.
  virtual Result<void> resize(size_t region, uint64_t bytes) = 0;
  virtual uint64_t region_bytes(size_t region) const = 0;

  // The guest writes it too: copy, then check. Where tracking is on, what the host writes past
  // kCallPageBytesTracked is told by view() or write().
  virtual guest_abi::CallPage& call_page() = 0;

  // State between calls. The stack and the call page hold nothing that outlives a call: they are
  // not part of it, and restore() leaves both zero.
  //
  // Every page that may differ from the reference: the state last restored or named by
  // set_reference(), or, before both, a memory of zeros. Needs Tracking::kOn.
  virtual Result<std::vector<PageView>> touched_pages() = 0;
  // Memory is as in `state` now, says the caller, who keeps it alive until the next reference.
  // Errors: kHost.
  virtual Result<void> set_reference(const SavedMemory& state) = 0;
  // Makes memory and sizes those of `state`, which has this Vm's regions and lives until the next
  // reference; and what the processor can show of the past is gone. Takes time in proportion to
  // the pages touched since, and to those in which `state` differs from the reference.
  // Needs Tracking::kOn. A call that waits at a port is given up. Errors: kInvalid after
  // kBroken; kHost. The Vm is then only to be destroyed.
  virtual Result<RestoreCount> restore(const SavedMemory& state) = 0;
};

// What this host can do and which way was chosen, for `mayfly doctor`.
struct HostFact {
  std::string name;
  std::string value;
  std::string note;
};

// One driver, opened and probed. Shareable between threads. Outlives its Vms.
class Host {
 public:
  virtual ~Host() = default;
  // Errors: kUnsupported or kHost with what to do next (permissions, --driver process).
  static Result<std::unique_ptr<Host>> open(Driver driver);
  // What $MAYFLY_DRIVER names, else kKvm where it works, else kProcess; why says which and the
  // reason. Errors also: kInvalid for another name.
  static Result<std::unique_ptr<Host>> open_best(std::string* why);

  virtual Driver driver() const = 0;
  virtual Result<std::unique_ptr<Vm>> create_vm(const VmConfig& config) = 0;
  virtual std::vector<HostFact> facts() const = 0;

  // What is reused of ended Vms, where the driver has such a thing: how many are kept idle, 0
  // unless it is said before the first Vm. Cost of each: the kernel's memory of a VM.
  virtual void keep_idle(size_t /*max*/) {}
  // Makes as many ahead, for configs of that domain and tracking. Errors: kLimit; kHost.
  virtual Result<void> make_idle(size_t /*count*/, uint64_t /*domain*/, Tracking /*tracking*/) {
    return {};
  }
};

}  // namespace mayfly::vmm
