// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a guest's memory comes to be: places every range, maps it in the host, gives KVM few and
// small slots, and fills the page tables.
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/check.h"
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

// The image file itself can be the memory: read-only, and the file has every page.
bool is_shared(const RegionSpec& spec) {
  return spec.protection != Protection::kReadWrite && spec.file_bytes != 0 &&
         reserved_bytes(spec) == pages_of(spec.file_bytes);
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
                                                         const GuestMemoryOptions& options) {
  auto memory = std::make_unique<GuestMemory>(Private(), host_pages, slots, options);
  MAYFLY_TRY(memory->place(config));
  MAYFLY_TRY(memory->place_shared(config));
  MAYFLY_TRY(memory->add_first_slots());
  memory->tables_ = std::make_unique<PageTables>(MAYFLY_TRY(PageTables::create(*memory)));
  MAYFLY_TRY(memory->map_host_owned());
  for (const Range& range : memory->ranges_) {
    MAYFLY_TRY(memory->map_grown(range, 0, pages_of(range.bytes)));
  }
  if (options.weakness == Weakness::kMemoryEverywhere) MAYFLY_TRY(memory->map_absent_pages());
  return memory;
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
    range.gpa = congruent(cursor, range.address);
    cursor = range.gpa + range.bytes_reserved;
    if (fixed_gpa_start_ == 0) fixed_gpa_start_ = range.gpa;
    if (order == Order::kGrowing && first_growing_gpa_ == 0) first_growing_gpa_ = range.gpa;
    if (cursor > options_.gpa_end) {
      return limit("regions of " + std::to_string(cursor) + " bytes, past the processor's " +
                   std::to_string(options_.gpa_end));
    }
  }
  return {};
}

// Everything of a fixed size comes first, so that one slot holds it and the start of the first
// range that grows.
Result<void> GuestMemory::place(const VmConfig& config) {
  uint64_t table_pages_max = 64;
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
    table_pages_max += range.bytes_reserved / kLargePageBytes + 8;
    ranges_.push_back(range);
  }
  Range stack;
  stack.bytes = pages_of(config.stack_bytes);
  if (options_.weakness == Weakness::kNoStackGuard) stack.bytes += 4 * kLargePageBytes;
  stack.bytes_reserved = stack.bytes;
  stack.address = guest_abi::kStackTop - stack.bytes;
  ranges_.push_back(stack);

  uint64_t cursor = kArenaGpa;
  MAYFLY_TRY(place_in_order(Order::kFiles, cursor));
  control_gpa_ = round_up(cursor, kLargePageBytes);
  cursor = control_gpa_ + kLargePageBytes;
  if (fixed_gpa_start_ == 0) fixed_gpa_start_ = control_gpa(guest_abi::kTrapStackPage);
  MAYFLY_TRY(place_in_order(Order::kFixed, cursor));
  fixed_gpa_end_ = cursor;
  MAYFLY_TRY(place_in_order(Order::kGrowing, cursor));

  table_gpa_next_ = control_gpa(kFirstTablePage);
  table_gpa_end_ = control_gpa_ + kLargePageBytes;
  extra_tables_gpa_ = round_up(cursor, kLargePageBytes);
  extra_tables_gpa_end_ = extra_tables_gpa_ + table_pages_max * kPageBytes;
  arena_ =
      MAYFLY_TRY(Mapping::anonymous_aligned(extra_tables_gpa_end_ - fixed_gpa_start_,
                                            kLargePageBytes, fixed_gpa_start_ % kLargePageBytes));
  // Where the host gives huge pages unasked, a stack of one page would cost 2 MiB. populate() asks.
  // Refused where the kernel has no huge pages, which is as well.
  ::madvise(arena_.data(), arena_.size(), MADV_NOHUGEPAGE);

  for (size_t index = 0; index < ranges_.size(); ++index) {
    Range& range = ranges_[index];
    if (!range.in_arena) continue;
    range.host = arena_at(range.gpa);
    if (range.file_bytes != 0) MAYFLY_TRY(map_private_file(range, config.regions[index]));
  }
  Range call_page;
  call_page.address = guest_abi::kCallPage;
  call_page.gpa = control_gpa(guest_abi::kCallPage);
  call_page.bytes = call_page.bytes_reserved = guest_abi::kCallPageBytes;
  call_page.host = arena_at(call_page.gpa);
  ranges_.push_back(call_page);
  return {};
}

Result<void> GuestMemory::map_private_file(Range& range, const RegionSpec& spec) {
  // SAFETY: the range is inside the arena, which keeps owning the addresses.
  if (::mmap(range.host, range.file_bytes, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED, spec.file,
             static_cast<off_t>(spec.file_offset)) == MAP_FAILED) {
    return host_error("mmap of " + std::to_string(range.file_bytes) + " bytes of an image");
  }
  // The last page's rest is the file's next bytes; zeros are promised. Only look, if it is zeros
  // already: a write would copy the page.
  uint8_t* const rest = range.host + spec.file_bytes;
  const uint64_t rest_bytes = range.file_bytes - spec.file_bytes;
  if (std::any_of(rest, rest + rest_bytes, [](uint8_t byte) { return byte != 0; })) {
    std::memset(rest, 0, rest_bytes);
  }
  return {};
}

// Read-only ranges of the image: its file is the memory, behind a slot that refuses writes.
Result<void> GuestMemory::place_shared(const VmConfig& config) {
  uint64_t cursor = round_up(extra_tables_gpa_end_, kLargePageBytes);
  for (size_t index = 0; index < config.regions.size(); ++index) {
    if (ranges_[index].in_arena) continue;
    size_t last = index;
    while (last + 1 < config.regions.size() && !ranges_[last + 1].in_arena &&
           continues(config.regions[last], config.regions[last + 1])) {
      ++last;
    }
    const RegionSpec& spec = config.regions[index];
    const uint64_t bytes =
        ranges_[last].address + pages_of(ranges_[last].bytes) - ranges_[index].address;
    const uint64_t gpa = congruent(cursor, spec.address);
    cursor = gpa + bytes;
    if (cursor > options_.gpa_end) return limit("no guest-physical addresses are left");
    shared_.push_back(MAYFLY_TRY(Mapping::file(
        spec.file, spec.file_offset, bytes, Mapping::Access::kRead, Mapping::Sharing::kPrivate)));
    MAYFLY_TRY(slots_->add(gpa, shared_.back().data(), bytes, MemorySlots::Access::kRead));
    for (size_t i = index; i <= last; ++i) {
      const uint64_t offset = ranges_[i].address - spec.address;
      ranges_[i].gpa = gpa + offset;
      ranges_[i].host = shared_.back().data() + offset;
    }
    index = last;
  }
  return {};
}

Result<void> GuestMemory::add_first_slots() {
  MAYFLY_TRY(slots_->add(guest_abi::kHostOwned, host_pages_->data(), HostPages::kBytes,
                         MemorySlots::Access::kRead));
  uint64_t end = fixed_gpa_end_;
  for (Range& range : ranges_) {
    if (!range.in_arena || !grows(range.bytes, range.bytes_reserved)) continue;
    range.bytes_in_slots = std::min(round_up(range.bytes, kLargePageBytes), range.bytes_reserved);
    if (range.gpa == first_growing_gpa_) {
      end = range.gpa + range.bytes_in_slots;
    } else if (range.bytes_in_slots != 0) {
      MAYFLY_TRY(slots_->add(range.gpa, range.host, range.bytes_in_slots,
                             MemorySlots::Access::kReadWrite));
    }
  }
  return slots_->add(fixed_gpa_start_, arena_at(fixed_gpa_start_), end - fixed_gpa_start_,
                     MemorySlots::Access::kReadWrite);
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
