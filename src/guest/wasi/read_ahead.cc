// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A few blocks, each of one handle. What a block holds begins where the next byte is that was not
// given out. How much is read ahead doubles while a file is read in order.
#include "guest/wasi/read_ahead.h"

#include "guest/wasi/port_call.h"
#include "guest/wasi/ticks_x86_64.h"

namespace mayfly::guest {

struct AheadBlock {
  uint64_t file_id;
  uint64_t generation;  // the seed_generation in which it was read
  uint64_t ticks;       // when
  uint64_t position;    // in the file, of the first byte that is left
  uint64_t begin;       // of what is left, in the block
  uint64_t end;
  uint64_t last_use;         // the higher, the later
  uint32_t handle_plus_one;  // 0: nobody's
  bool is_wasted;            // what was read ahead was forgotten
};

namespace {

constexpr uint32_t kBlocks = 4;

struct Blocks {
  AheadBlock list[kBlocks];
  uint64_t uses;
};

Blocks blocks;
alignas(4096) uint8_t contents[kBlocks][kAheadBytesMax];

uint8_t* content_of(const AheadBlock& block) { return contents[&block - blocks.list]; }

AheadBlock* find(uint32_t handle) {
  for (AheadBlock& block : blocks.list) {
    if (block.handle_plus_one == handle + 1) return &block;
  }
  return nullptr;
}

bool is_fresh(const AheadBlock& block) {
  const guest_abi::CallPage& page = call_page();
  return page.ticks_are_steady != 0 && block.generation == page.seed_generation &&
         ticks() - block.ticks < kAheadTicksMax;
}

// The block with what comes at that position, or null.
AheadBlock* find_at(const Descriptor& descriptor, uint64_t position) {
  AheadBlock* const block = find(descriptor.handle());
  if (block == nullptr || block->begin == block->end || block->position != position ||
      !is_fresh(*block)) {
    return nullptr;
  }
  block->last_use = ++blocks.uses;
  return block;
}

void take(AheadBlock& block, uint8_t* to, uint64_t bytes) {
  __builtin_memcpy(to, content_of(block) + block.begin, bytes);
  block.begin += bytes;
  block.position += bytes;
}

// The handle's own, or the one that was not used for longest.
AheadBlock& block_for(uint32_t handle) {
  if (AheadBlock* const own = find(handle)) return *own;
  AheadBlock* oldest = &blocks.list[0];
  for (AheadBlock& block : blocks.list) {
    if (block.last_use < oldest->last_use) oldest = &block;
  }
  *oldest = AheadBlock{};
  return *oldest;
}

// How much to read ahead; 0: nothing.
uint64_t next_window(const Descriptor& descriptor, const AheadBlock* own, uint64_t position) {
  if (position != descriptor.sequential_at || (own != nullptr && own->is_wasted)) return 0;
  if (descriptor.window == 0) return kAheadBytesMin;
  // Of a slow reader's the rest was too old.
  if (own != nullptr && own->begin < own->end) {
    return own->begin > kAheadBytesMin ? own->begin : kAheadBytesMin;
  }
  const uint64_t doubled = uint64_t{descriptor.window} * 2;
  return doubled < kAheadBytesMax ? doubled : kAheadBytesMax;
}

}  // namespace

bool read_ahead(const LinearMemory& memory, Descriptor& descriptor, const Iovecs& iovecs,
                uint64_t position, uint64_t* bytes) {
  if (!descriptor.has(guest_abi::kWasiBuffered)) return false;
  AheadBlock* const block = find_at(descriptor, position);
  if (block == nullptr || !small_total(memory, iovecs, block->end - block->begin, bytes)) {
    return false;
  }
  for (uint32_t i = 0; i < iovecs.count; ++i) {
    const auto iovec = memory.load<wasi::Iovec>(iovecs.offset + i * uint32_t{sizeof(wasi::Iovec)});
    take(*block, memory.at(iovec.buffer), iovec.bytes);
  }
  descriptor.sequential_at = position + *bytes;
  return true;
}

uint64_t start_read(const Descriptor& descriptor, uint64_t position,
                    guest_abi::WasiTransferRequest& request) {
  AheadBlock* const block = find_at(descriptor, position);
  if (block == nullptr) return 0;
  uint64_t taken = 0;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < request.buffers_count; ++i) {
    guest_abi::WasiRange range = request.buffers[i];
    const uint64_t left = block->end - block->begin;
    const uint64_t bytes = range.bytes < left ? range.bytes : left;
    // SAFETY: gather() took the range from the caller's memory, and checked it.
    take(*block, reinterpret_cast<uint8_t*>(range.address), bytes);
    taken += bytes;
    range.address += bytes;
    range.bytes -= bytes;
    if (range.bytes != 0) request.buffers[kept++] = range;
  }
  request.buffers_count = kept;
  return taken;
}

AheadBlock* add_ahead(Descriptor& descriptor, uint64_t position, uint64_t wanted,
                      guest_abi::WasiTransferRequest& request) {
  if (!descriptor.has(guest_abi::kWasiBuffered) || call_page().ticks_are_steady == 0) {
    return nullptr;
  }
  AheadBlock* const own = find(descriptor.handle());
  const bool is_small =
      wanted <= kAheadReadMax && request.buffers_count < guest_abi::kWasiBuffersMax;
  const uint64_t window = is_small ? next_window(descriptor, own, position) : 0;
  descriptor.window = static_cast<uint32_t>(window);
  if (own != nullptr) {
    own->begin = own->end = 0;
    own->is_wasted = false;
  }
  if (window == 0) return nullptr;
  AheadBlock& block = block_for(descriptor.handle());
  // SAFETY: the block's address as a number, for the host.
  request.buffers[request.buffers_count] = {reinterpret_cast<uint64_t>(content_of(block)), window};
  ++request.buffers_count;
  return &block;
}

void end_read(Descriptor& descriptor, AheadBlock* block, uint64_t position, uint64_t bytes,
              uint64_t ahead) {
  descriptor.sequential_at = position + bytes;
  if (block == nullptr) return;
  const guest_abi::CallPage& page = call_page();
  *block = AheadBlock{.file_id = descriptor.file_id,
                      .generation = page.seed_generation,
                      .ticks = ticks(),
                      .position = position + bytes,
                      .begin = 0,
                      .end = ahead,
                      .last_use = ++blocks.uses,
                      .handle_plus_one = descriptor.handle() + 1,
                      .is_wasted = false};
}

void forget_ahead(uint64_t file_id) {
  for (AheadBlock& block : blocks.list) {
    if (block.file_id != file_id || block.begin == block.end) continue;
    block.begin = block.end = 0;
    block.is_wasted = true;
  }
}

void drop_ahead(uint32_t handle) {
  if (AheadBlock* const block = find(handle)) *block = AheadBlock{};
}

}  // namespace mayfly::guest
