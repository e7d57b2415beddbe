// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GuestMemory: all memory of one KVM guest, seen from its three sides: guest addresses (page
// tables), guest-physical addresses (memory slots), host addresses (mappings).
//
//   guest-physical    0x20_0000  host-owned pages, shared by all VMs, a read-only slot
//                     0x20_8000  the exit page: no slot
//                     0x40_0000  read-only regions, where they are for the guest: the image file
//                                itself, in read-only slots
//                   0x2000_0000  the arena: private copies of file ranges; the control pages (trap
//                                stack, call page, page tables); other writable regions, stack;
//                                growing regions in doubling slots
// A small guest has four host mappings: file copies, the rest of the arena, the read-only part of
// the image, and the vCPU's page.
// Invariant: the three addresses of a page agree modulo 2 MiB wherever a large page could be.
// Invariant: while the guest lives, entries only go from absent to present; resize() to less is
// the one exception, and drops the pages as well.
//
// Past its first kEagerBytes a region that can grow is absent until the guest touches it. Each
// touch then brings a chunk of zeros, of double size when touches are in order, so that much
// memory comes in large pages and few traps, and what is never touched costs nothing.
// A chunk whose saved content is in a file that may change is read from it then, too: such a file
// is never mapped, so nothing that becomes of it makes a page of the host's disappear.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/mapping.h"
#include "base/result.h"
#include "vmm/host_pages_x86_64.h"
#include "vmm/memory_slots.h"
#include "vmm/page_tables.h"
#include "vmm/saved_memory.h"
#include "vmm/touched_pages.h"
#include "vmm/vm.h"
#include "vmm/weakness.h"

namespace mayfly::vmm {

// What of an ended guest's memory serves the next guest of the same VM: the host's addresses, which
// KVM's slots name, and which guest-physical pages were page tables. Nothing of its content.
struct KeptMemory {
  Mapping arena;   // zeros
  Mapping shared;  // without access
  uint64_t shared_gpa = 0;
  uint64_t control_gpa = 0;
  // KVM may believe that table pages before it are as they were (reference: probe
  // stale_translation).
  uint64_t table_gpa_next = 0;
};

struct GuestMemoryOptions {
  uint64_t gpa_end = 0;  // 1 << the processor's physical address bits
  Tracking tracking = Tracking::kOff;
  Weakness weakness = Weakness::kNone;
};

class GuestMemory : private TablePageSource {
  struct Private {
    explicit Private() = default;
  };

 public:
  // config passed check_config(). host_pages and slots outlive the memory. `kept` is of these
  // slots, or empty as they are.
  static Result<std::unique_ptr<GuestMemory>> create(const VmConfig& config,
                                                     const HostPages& host_pages,
                                                     MemorySlots& slots,
                                                     const GuestMemoryOptions& options,
                                                     KeptMemory kept = {});

  // Use create().
  GuestMemory(Private, const HostPages& host_pages, MemorySlots& slots,
              const GuestMemoryOptions& options)
      : host_pages_(&host_pages), slots_(&slots), options_(options) {}

  // Drops everything that the guest had; only destruction is left afterwards. nullopt: another
  // guest has to have slots of its own.
  std::optional<KeptMemory> keep();

  uint64_t root_gpa() const { return tables_->root_gpa(); }
  uint8_t* call_page() const { return arena_at(control_gpa(guest_abi::kCallPage)); }
  // CPL 0's stack, which the guest cannot write.
  const uint8_t* trap_stack() const { return arena_at(control_gpa(guest_abi::kTrapStackPage)); }

  // The contracts of Vm.
  Result<std::span<const uint8_t>> view(uint64_t address, uint64_t bytes);
  Result<std::span<uint8_t>> view_writable(uint64_t address, uint64_t bytes);
  Result<void> resize(size_t region, uint64_t bytes);
  // After a page fault of the guest: true if its page was waiting for that and is there now.
  Result<bool> populate(uint64_t address);
  uint64_t region_bytes(size_t region) const;
  std::vector<PageView> touched_pages();
  void set_reference(const SavedMemory& state);
  Result<RestoreCount> restore(const SavedMemory& state);
  // True once after the touched set was emptied: KVM must report first writes anew, before the
  // guest runs.
  bool wants_fresh_reports() { return std::exchange(wants_fresh_reports_, false); }

  // KVM's report that the guest wrote a page.
  void note_write(uint64_t gpa);

  const PageTables& tables() const { return *tables_; }

 private:
  // A range of the guest's own: a region, the stack, or the call page.
  struct Range {
    uint64_t address = 0;
    uint64_t bytes = 0;           // as asked for
    uint64_t bytes_reserved = 0;  // whole pages
    uint64_t bytes_in_slots = 0;  // from its start
    uint64_t file_bytes = 0;      // past it there is no private file mapping; whole pages
    uint64_t gpa = 0;
    uint8_t* host = nullptr;
    Protection protection = Protection::kReadWrite;
    bool in_arena = true;
    bool is_lazy = false;
    std::vector<bool> chunks_present = {};  // of a lazy range, kChunkBytes each
    // Absent chunks whose content is reference_'s, and still to be read.
    std::vector<bool> chunks_unread = {};
    uint64_t unread_count = 0;
    uint64_t populated_end = 0;   // of the last populate()
    uint64_t populate_bytes = 0;  // what it asked for
  };
  static constexpr uint64_t kEagerBytes = uint64_t{256} << 10;
  static constexpr uint64_t kChunkBytes = uint64_t{64} << 10;
  static constexpr uint64_t kPopulateBytesMax = uint64_t{32} << 20;
  static constexpr uint64_t kReadBytesMax = uint64_t{2} << 20;  // at one touch
  static constexpr size_t kNoRange = SIZE_MAX;
  // Another guest gets no slots of more bytes, nor with fewer table pages left.
  static constexpr uint64_t kKeptBytesMax = uint64_t{256} << 20;
  static constexpr uint64_t kKeptTablePagesMin = 64;
  // Copied at once: a mapping inside the arena costs more than so many bytes, and its pages copies
  // when they are written.
  static constexpr uint64_t kReadFileBytesMax = uint64_t{16} << 10;
  static constexpr uint64_t kSharedSlotBytesMin = uint64_t{1} << 20;

  // Content of at least this many pages is mapped rather than copied, if it is in a file.
  static constexpr uint64_t kMapPagesMin = 64;
  static constexpr unsigned kContentMappingsMax = 16;
  // A page is idle after so many restores that found it unchanged. The touched set starts anew
  // when so many pages are idle, or when it is larger than its maximum.
  static constexpr uint32_t kUnchangedMax = 6;
  static constexpr size_t kIdlePagesMax = 64;
  static constexpr size_t kTouchedPagesMax = 2048;

  Result<TablePage> allocate_table_page() override;
  static constexpr uint64_t kArenaGpa = guest_abi::kImageEnd;
  uint8_t* arena_at(uint64_t gpa) const { return arena_.data() + (gpa - kArenaGpa); }
  // Where a host-owned page that is this VM's own lies.
  uint64_t control_gpa(uint64_t address) const {
    return control_gpa_ + (address - guest_abi::kHostOwned);
  }
  // Consecutive read-only regions that one mapping serves.
  struct SharedGroup {
    size_t first = 0;
    size_t last = 0;
    uint64_t bytes = 0;
  };
  void name_ranges(const VmConfig& config);
  Result<void> place();
  std::vector<SharedGroup> shared_groups(const VmConfig& config) const;
  bool fits(const KeptMemory& kept, const std::vector<SharedGroup>& groups) const;
  Result<void> map_arena(const VmConfig& config, Mapping kept);
  bool empty_arena();
  enum class Order : uint8_t { kFiles, kFixed, kGrowing };
  Order order_of(const Range& range) const;
  Result<void> place_in_order(Order order, uint64_t& cursor);
  Result<void> map_shared(const VmConfig& config, const SharedGroup& group, Mapping kept);
  Result<void> copy_file(Range& range, const RegionSpec& spec);
  Result<void> add_first_slots();
  Result<void> map_host_owned();
  Result<void> map_absent_pages();  // only a test that removes this defence
  Result<void> map_range(const Range& range, uint64_t from, uint64_t to);
  Result<void> map_grown(const Range& range, uint64_t from, uint64_t to);
  Result<void> populate_range(Range& range, uint64_t from, uint64_t to);
  static bool is_present(const Range& range, uint64_t offset);
  static bool is_unread(const Range& range, uint64_t offset);
  static void set_unread(Range& range, uint64_t chunk, bool is_unread);
  Result<void> read_chunks(Range& range, uint64_t from, uint64_t to);
  Result<void> grow(Range& range, uint64_t bytes);
  Result<void> shrink(Range& range, uint64_t bytes);
  size_t stack_range() const { return ranges_.size() - 2; }
  size_t call_page_range() const { return ranges_.size() - 1; }
  void note_host_write(const Range& range, uint64_t offset, uint64_t bytes);
  void note_file_pages();
  Result<void> adopt(const SavedMemory& state);
  Result<void> put(const PageRun& run);
  Result<void> put_now(const PageRun& run);
  Result<void> map_content(const PageRun& run);
  Result<void> put_extent(const PageRun& extent, const SavedMemory& state);
  Result<void> put_back(TouchedPage& page, const SavedMemory& state, RestoreCount& count);
  Result<void> forget_idle_pages(const SavedMemory& state, RestoreCount& count);
  Result<void> drop_zero_pages(const SavedMemory& state, RestoreCount& count);
  PageAccess page_access(Protection protection) const;
  Range* find(uint64_t address, uint64_t bytes);
  void forget_sources();

  const HostPages* host_pages_;
  MemorySlots* slots_;
  GuestMemoryOptions options_;
  Mapping arena_;
  bool is_one_mapping_ = true;   // the arena: of zeros, without huge pages
  std::vector<Mapping> shared_;  // the image file's read-only ranges
  uint64_t shared_gpa_ = 0;      // of the last of them
  std::vector<Range> ranges_;    // the config's regions in its order, then stack and call page
  std::unique_ptr<PageTables> tables_;
  TouchedPages touched_;
  // What touched pages have in the reference where that is read; their sources point here.
  std::deque<std::array<uint8_t, guest_abi::kPageBytes>> pages_read_;
  const SavedMemory* reference_ = nullptr;
  bool wants_fresh_reports_ = false;
  unsigned content_mappings_ = 0;

  uint64_t control_gpa_ = 0;
  uint64_t fixed_gpa_end_ = 0;  // the arena's part that is in slots from the start
  uint64_t first_growing_gpa_ = 0;
  uint64_t table_gpa_next_ = 0;
  uint64_t table_gpa_end_ = 0;  // of the pages that are in slots
  uint64_t table_pages_max_ = 64;
  uint64_t extra_tables_gpa_ = 0;  // where more come from
  uint64_t extra_tables_gpa_end_ = 0;
};

}  // namespace mayfly::vmm
