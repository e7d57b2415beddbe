// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// random_get, without leaving the VM.
#include "guest/wasi/random.h"

#include "guest/wasi/functions.h"
#include "guest/wasi/linear_memory.h"
#include "guest/wasi/port_call.h"
#include "guest/wasi/state.h"

namespace mayfly::guest {

void RandomStream::seed(const guest_abi::CallPage& page) {
  static_assert(sizeof key_ == sizeof page.random_seed);
  __builtin_memcpy(key_, page.random_seed, sizeof key_);
  seed_generation_ = page.seed_generation;
  is_seeded_ = true;
  forget(ahead_, sizeof ahead_);
  ahead_count_ = 0;
}

// Half of block 0 is the next key; what follows it is the caller's, and for later. No request of
// 4 GiB makes the block number wrap.
void RandomStream::generate(uint8_t* to, uint64_t bytes) {
  ChaCha20Input input{};
  __builtin_memcpy(input.key, key_, sizeof key_);
  uint8_t blocks[4 * kChaCha20BlockBytes];
  chacha20_four_blocks(input, blocks);
  __builtin_memcpy(key_, blocks, sizeof key_);
  const uint64_t first = bytes < kAheadBytes ? bytes : kAheadBytes;
  __builtin_memcpy(to, blocks + sizeof key_, first);
  __builtin_memcpy(ahead_ + first, blocks + sizeof key_ + first, kAheadBytes - first);
  ahead_count_ = static_cast<uint8_t>(kAheadBytes - first);
  for (uint64_t done = first; done < bytes; done += sizeof blocks) {
    input.number += 4;
    chacha20_four_blocks(input, blocks);
    const uint64_t left = bytes - done;
    __builtin_memcpy(to + done, blocks, left < sizeof blocks ? left : sizeof blocks);
  }
  forget(&input, sizeof input);
  forget(blocks, sizeof blocks);
}

void RandomStream::fill(const guest_abi::CallPage& page, uint8_t* to, uint64_t bytes) {
  if (!is_seeded_ || seed_generation_ != page.seed_generation) seed(page);
  const uint64_t ready = bytes < ahead_count_ ? bytes : ahead_count_;
  uint8_t* const from = ahead_ + (kAheadBytes - ahead_count_);
  __builtin_memcpy(to, from, ready);
  forget(from, ready);
  ahead_count_ = static_cast<uint8_t>(ahead_count_ - ready);
  if (ready < bytes) generate(to + ready, bytes - ready);
}

}  // namespace mayfly::guest

uint32_t mayfly_wasi_p1_random_get(MemoryInfo* memory, uint32_t to, uint32_t bytes) {
  using mayfly::guest_abi::wasi::Errno;
  const mayfly::guest::LinearMemory linear(memory);
  if (!linear.contains(to, bytes)) return mayfly::guest::answer(Errno::kFault);
  mayfly::guest::wasi_state().random.fill(mayfly::guest::call_page(), linear.at(to), bytes);
  return mayfly::guest::answer(Errno::kSuccess);
}
