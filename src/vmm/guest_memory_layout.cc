// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a guest's memory comes to be: places every range, maps it in the host, gives KVM few and
// small slots, and fills the page tables.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/fd.h"
#include "vmm/guest_memory.h"
#include "vmm/vm_config.h"

namespace mayfly::vmm {

using guest_abi::kLargePageBytes;
using guest_abi::kPageBytes;

namespace {

constexpr uint64_t kFirstTablePage = guest_abi::kCallPage + guest_abi::kCallPageBytes;

// The first guest-physical address from cursor on that agrees with address modulo 2 MiB.
uint64_t congruent(uint64_t cursor, uint64_t address) {
  return cursor + (address - cursor) % kLargePageBytes;
}

// The image file itself can be the memory: read-only, in the image's range, and the file has every
// page.
bool is_shared(const RegionSpec& spec) {
  return spec.protection != Protection::kReadWrite && spec.file_bytes != 0 &&
         reserved_bytes(spec) == pages_of(spec.file_bytes) && spec.address < guest_abi::kImageEnd;
}

bool grows(uint64_t bytes, uint64_t bytes_reserved) { return pages_of(bytes) < bytes_reserved; }

// One mapping serves both when b continues a in the file and in the guest.
bool continues(const RegionSpec& a, const RegionSpec& b) {
  return a.file == b.file && a.address + pages_of(a.bytes) == b.address &&
         a.file_offset + pages_of(a.bytes) == b.file_offset;
}

}  // namespace

Result<std::unique_ptr<GuestMemory>> GuestMemory::create(const VmConfig& config,
                                                         const HostPages& host_pages,
                                                         MemorySlots& slots,
                                                         const GuestMemoryOptions& options,
                                                         KeptMemory kept) {
  auto memory = std::make_unique<GuestMemory>(Private(), host_pages, slots, options);
  memory->name_ranges(config);
  MAYFLY_TRY(memory->place());
  const std::vector<SharedGroup> groups = memory->shared_groups(config);
  if (memory->fits(kept, groups)) {
    memory->table_gpa_next_ = kept.table_gpa_next;
  } else {
    MAYFLY_TRY(slots.remove_all());
    kept = {};
  }
  MAYFLY_TRY(memory->map_arena(config, std::move(kept.arena)));
  for (const SharedGroup& group : groups) {
    MAYFLY_TRY(memory->map_shared(config, group, std::move(kept.shared)));
  }
  MAYFLY_TRY(memory->add_first_slots());
  memory->tables_ = std::make_unique<PageTables>(MAYFLY_TRY(PageTables::create(*memory)));
  MAYFLY_TRY(memory->map_host_owned());
  for (const Range& range : memory->ranges_) {
    MAYFLY_TRY(memory->map_grown(range, 0, pages_of(range.bytes)));
  }
  if (options.weakness == Weakness::kMemoryEverywhere) MAYFLY_TRY(memory->map_absent_pages());
  return memory;
}

bool GuestMemory::fits(const KeptMemory& kept, const std::vector<SharedGroup>& groups) const {
  return kept.control_gpa == control_gpa_ &&
         kept.arena.size() >= extra_tables_gpa_end_ - kArenaGpa && groups.size() == 1 &&
         kept.shared_gpa == ranges_[groups[0].first].address &&
         kept.shared.size() >= groups[0].bytes;
}

// Zeros everywhere, and for KVM no page at all.
bool GuestMemory::empty_arena() {
  const std::span<uint8_t> arena = arena_.owned();
  // Cheaper, and all of it where there was one mapping. Refused for locked memory.
  if (is_one_mapping_ && ::madvise(arena.data(), arena.size(), MADV_DONTNEED) == 0) return true;
  // SAFETY: the range is the arena, which keeps owning the addresses.
  if (::mmap(arena.data(), arena.size(), PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED) {
    return false;
  }
  ::madvise(arena.data(), arena.size(), MADV_NOHUGEPAGE);
  return true;
}

std::optional<KeptMemory> GuestMemory::keep() {
  const bool has_tables = table_gpa_end_ == control_gpa_ + kLargePageBytes &&
                          table_gpa_end_ - table_gpa_next_ >= kKeptTablePagesMin * kPageBytes;
  if (shared_.size() != 1 || !has_tables || slots_->bytes() > kKeptBytesMax) return std::nullopt;
  Mapping& shared = shared_.front();
  // SAFETY: the range is a mapping of this, which keeps owning the addresses. KVM drops what it
  // knows of the pages that were there.
  if (!empty_arena() ||
      ::mmap(shared.data(), shared.size(), PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED) {
    return std::nullopt;
  }
  KeptMemory kept;
  kept.arena = std::move(arena_);
  kept.shared = std::move(shared);
  kept.shared_gpa = shared_gpa_;
  kept.control_gpa = control_gpa_;
  kept.table_gpa_next = table_gpa_next_;
  return kept;
}

Result<void> GuestMemory::map_absent_pages() {
  constexpr uint64_t kKernel = 0xffff'ffff'8100'0000;
  // Where a call from a frame of the largest size writes its return address.
  constexpr uint64_t kGuard = guest_abi::kStackTop - guest_abi::kFrameBytesMax - kPageBytes;
  std::vector<uint64_t> absent = {0, kGuard, kKernel};
  for (const Range& range : ranges_) absent.push_back(range.address + range.bytes_reserved);
  for (const uint64_t address : absent) {
    if (tables_->leaf(address) != 0) continue;
    MAYFLY_TRY(tables_->map(address, control_gpa(guest_abi::kCallPage), kPageBytes,
                            PageAccess::kUserReadWrite));
  }
  return {};
}

GuestMemory::Order GuestMemory::order_of(const Range& range) const {
  if (grows(range.bytes, range.bytes_reserved)) return Order::kGrowing;
  return range.file_bytes != 0 ? Order::kFiles : Order::kFixed;
}

Result<void> GuestMemory::place_in_order(Order order, uint64_t& cursor) {
  for (Range& range : ranges_) {
    if (!range.in_arena || order_of(range) != order) continue;
    // Private copies of a file are never large pages, and begin where every arena does.
    const bool is_small_file = order == Order::kFiles && range.bytes_reserved < kLargePageBytes;
    range.gpa = is_small_file ? cursor : congruent(cursor, range.address);
    cursor = range.gpa + range.bytes_reserved;
    if (order == Order::kGrowing && first_growing_gpa_ == 0) first_growing_gpa_ = range.gpa;
    if (cursor > options_.gpa_end) {
      return limit("regions of " + std::to_string(cursor) + " bytes, past the processor's " +
                   std::to_string(options_.gpa_end));
    }
  }
  return {};
}

void GuestMemory::name_ranges(const VmConfig& config) {
  constexpr size_t kOfEveryGuest = 2;  // stack and call page
  ranges_.reserve(config.regions.size() + kOfEveryGuest);
  for (const RegionSpec& spec : config.regions) {
    Range range;
    range.address = spec.address;
    range.bytes = spec.bytes;
    range.bytes_reserved = reserved_bytes(spec);
    range.file_bytes = pages_of(spec.file_bytes);
    range.protection = spec.protection;
    range.in_arena = !is_shared(spec);
    range.is_lazy = spec.protection == Protection::kReadWrite && spec.file_bytes == 0 &&
                    range.bytes_reserved > kEagerBytes;
    table_pages_max_ += range.bytes_reserved / kLargePageBytes + 8;
    ranges_.push_back(range);
  }
  Range stack;
  stack.bytes = pages_of(config.stack_bytes);
  if (options_.weakness == Weakness::kNoStackGuard) stack.bytes += 4 * kLargePageBytes;
  stack.bytes_reserved = stack.bytes;
  stack.address = guest_abi::kStackTop - stack.bytes;
  ranges_.push_back(stack);
}

// Everything of a fixed size comes first, so that one slot holds it and the start of the first
// range that grows. The control pages are in the same place for all guests with few file copies.
Result<void> GuestMemory::place() {
  uint64_t cursor = kArenaGpa;
  MAYFLY_TRY(place_in_order(Order::kFiles, cursor));
  control_gpa_ = std::max(round_up(cursor, kLargePageBytes), kArenaGpa + kLargePageBytes);
  cursor = control_gpa_ + kLargePageBytes;
  MAYFLY_TRY(place_in_order(Order::kFixed, cursor));
  fixed_gpa_end_ = cursor;
  MAYFLY_TRY(place_in_order(Order::kGrowing, cursor));

  table_gpa_next_ = control_gpa(kFirstTablePage);
  table_gpa_end_ = control_gpa_ + kLargePageBytes;
  extra_tables_gpa_ = round_up(cursor, kLargePageBytes);
  extra_tables_gpa_end_ = extra_tables_gpa_ + table_pages_max_ * kPageBytes;
  if (extra_tables_gpa_end_ > options_.gpa_end) {
    return limit("no guest-physical addresses are left");
  }
  return {};
}

Result<void> GuestMemory::map_arena(const VmConfig& config, Mapping kept) {
  if (kept.size() != 0) {
    arena_ = std::move(kept);
  } else {
    arena_ =
        MAYFLY_TRY(Mapping::anonymous_aligned(extra_tables_gpa_end_ - kArenaGpa, kLargePageBytes));
    // Where the host gives huge pages unasked, a stack of one page would cost 2 MiB. populate()
    // asks. Refused where the kernel has no huge pages, which is as well.
    ::madvise(arena_.owned().data(), arena_.owned().size(), MADV_NOHUGEPAGE);
  }
  for (size_t index = 0; index < ranges_.size(); ++index) {
    Range& range = ranges_[index];
    if (!range.in_arena) continue;
    range.host = arena_at(range.gpa);
    if (range.file_bytes != 0) MAYFLY_TRY(copy_file(range, config.regions[index]));
  }
  Range call_page;
  call_page.address = guest_abi::kCallPage;
  call_page.gpa = control_gpa(guest_abi::kCallPage);
  call_page.bytes = call_page.bytes_reserved = guest_abi::kCallPageBytes;
  call_page.host = arena_at(call_page.gpa);
  ranges_.push_back(call_page);
  return {};
}

// The file's last page goes on past what the guest is to have: zeros are promised there.
Result<void> GuestMemory::copy_file(Range& range, const RegionSpec& spec) {
  constexpr char kWhat[] = "the image's file";
  if (spec.file_bytes <= kReadFileBytesMax) {
    return read_range(spec.file, spec.file_offset, {range.host, spec.file_bytes}, kWhat);
  }
  is_one_mapping_ = false;
  // SAFETY: the range is inside the arena, which keeps owning the addresses.
  if (::mmap(range.host, range.file_bytes, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED, spec.file,
             static_cast<off_t>(spec.file_offset)) == MAP_FAILED) {
    return host_error("mmap of " + std::to_string(range.file_bytes) + " bytes of an image");
  }
  // Only read, if it is zeros already: a write would copy the page, and a look would bring it.
  static constexpr std::array<uint8_t, kPageBytes> kZeros{};
  std::array<uint8_t, kPageBytes> rest{};
  const uint64_t rest_bytes = range.file_bytes - spec.file_bytes;
  if (::pread(spec.file, rest.data(), rest_bytes,
              static_cast<off_t>(spec.file_offset + spec.file_bytes)) < 0) {
    return host_error("reading the end of an image's data");
  }
  if (std::memcmp(rest.data(), kZeros.data(), rest_bytes) != 0) {
    std::memset(range.host + spec.file_bytes, 0, rest_bytes);
  }
  return {};
}

std::vector<GuestMemory::SharedGroup> GuestMemory::shared_groups(const VmConfig& config) const {
  std::vector<SharedGroup> groups;
  for (size_t index = 0; index < config.regions.size(); ++index) {
    if (ranges_[index].in_arena) continue;
    const bool goes_on = !groups.empty() && groups.back().last + 1 == index &&
                         continues(config.regions[index - 1], config.regions[index]);
    if (!goes_on) groups.push_back({index, index, 0});
    SharedGroup& group = groups.back();
    group.last = index;
    group.bytes =
        ranges_[index].address + pages_of(ranges_[index].bytes) - ranges_[group.first].address;
  }
  return groups;
}

// Read-only ranges of the image: its file is the memory, behind a slot that refuses writes. A lone
// one has a slot of a usual size, which serves another guest; of the file's next pages the guest's
// tables know nothing.
Result<void> GuestMemory::map_shared(const VmConfig& config, const SharedGroup& group,
                                     Mapping kept) {
  const RegionSpec& spec = config.regions[group.first];
  const size_t next = group.last + 1;
  const bool is_lone = next == config.regions.size() || ranges_[next].in_arena;
  if (kept.size() != 0) {
    // SAFETY: the range is the mapping that the caller gave.
    if (::mmap(kept.data(), kept.size(), PROT_READ, MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED,
               spec.file, static_cast<off_t>(spec.file_offset)) == MAP_FAILED) {
      return host_error("mmap of " + std::to_string(kept.size()) + " bytes of an image");
    }
  } else {
    const uint64_t usual = std::max(std::bit_ceil(group.bytes), kSharedSlotBytesMin);
    const uint64_t bytes =
        is_lone ? std::min(usual, guest_abi::kImageEnd - spec.address) : group.bytes;
    kept = MAYFLY_TRY(Mapping::file(spec.file, spec.file_offset, bytes, Mapping::Access::kRead,
                                    Mapping::Sharing::kPrivate));
  }
  shared_gpa_ = spec.address;
  MAYFLY_TRY(slots_->cover(spec.address, kept.data(), kept.size(), MemorySlots::Access::kRead));
  for (size_t i = group.first; i <= group.last; ++i) {
    ranges_[i].gpa = ranges_[i].address;
    ranges_[i].host = kept.data() + (ranges_[i].address - spec.address);
  }
  shared_.push_back(std::move(kept));
  return {};
}

Result<void> GuestMemory::add_first_slots() {
  MAYFLY_TRY(slots_->cover(guest_abi::kHostOwned, host_pages_->data(), HostPages::kBytes,
                           MemorySlots::Access::kRead));
  uint64_t end = fixed_gpa_end_;
  for (Range& range : ranges_) {
    if (!range.in_arena || !grows(range.bytes, range.bytes_reserved)) continue;
    range.bytes_in_slots = std::min(round_up(range.bytes, kLargePageBytes), range.bytes_reserved);
    if (range.gpa == first_growing_gpa_) {
      end = range.gpa + range.bytes_in_slots;
    } else if (range.bytes_in_slots != 0) {
      MAYFLY_TRY(slots_->cover(range.gpa, range.host, range.bytes_in_slots,
                               MemorySlots::Access::kReadWrite));
    }
  }
  return slots_->cover(kArenaGpa, arena_.data(), end - kArenaGpa, MemorySlots::Access::kReadWrite);
}

Result<void> GuestMemory::map_host_owned() {
  using namespace guest_abi;
  const bool writable = options_.weakness == Weakness::kWritableHostPages;
  const bool readable = options_.weakness == Weakness::kReadableSystemPages;
  const auto either = [&](PageAccess strict, PageAccess weak_read) {
    if (writable) return PageAccess::kUserReadWriteExecute;
    return readable ? weak_read : strict;
  };
  const auto identity = [this](uint64_t address, uint64_t end, PageAccess access) {
    return tables_->map(address, address, end - address, access);
  };
  MAYFLY_TRY(identity(kEntryPage, kVectorPage,
                      either(PageAccess::kUserReadExecute, PageAccess::kUserReadExecute)));
  MAYFLY_TRY(identity(kVectorPage, kDescriptorPages,
                      either(PageAccess::kSystemReadExecute, PageAccess::kUserReadExecute)));
  MAYFLY_TRY(identity(kDescriptorPages, kExitPage,
                      either(PageAccess::kSystemRead, PageAccess::kUserRead)));
  MAYFLY_TRY(identity(kExitPage, kTrapStackPage,
                      options_.weakness == Weakness::kExecutableExitPage
                          ? PageAccess::kUserReadWriteExecute
                          : PageAccess::kUserReadWrite));
  return tables_->map(kTrapStackPage, control_gpa(kTrapStackPage), kPageBytes,
                      either(PageAccess::kSystemReadWrite, PageAccess::kUserReadWrite));
}

}  // namespace mayfly::vmm
