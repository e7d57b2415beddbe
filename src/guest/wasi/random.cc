// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// random_get, without leaving the VM.
#include "guest/wasi/random.h"

#include "guest/wasi/chacha20.h"
#include "guest/wasi/functions.h"
#include "guest/wasi/linear_memory.h"
#include "guest/wasi/port_call.h"
#include "guest/wasi/state.h"

namespace mayfly::guest {

namespace {

constexpr uint64_t kBlockBytes = 64;

}  // namespace

void RandomStream::fill(const guest_abi::CallPage& page, uint8_t* to, uint64_t bytes) {
  if (!is_seeded_ || seed_generation_ != page.seed_generation) {
    static_assert(sizeof key_ == sizeof page.random_seed);
    __builtin_memcpy(key_, page.random_seed, sizeof key_);
    seed_generation_ = page.seed_generation;
    is_seeded_ = true;
  }
  // Block 0 is the next key; the caller gets the blocks from 1 on. The counter's 32 bits and the
  // nonce's first 32 make one block number that no request of 4 GiB can wrap.
  ChaCha20Input input{};
  __builtin_memcpy(input.key, key_, sizeof key_);
  uint8_t block[kBlockBytes];
  chacha20_block(input, block);
  __builtin_memcpy(key_, block, sizeof key_);
  for (uint64_t number = 1; bytes > 0; ++number) {
    input.counter = static_cast<uint32_t>(number);
    input.nonce[0] = static_cast<uint32_t>(number >> 32);
    chacha20_block(input, block);
    const uint64_t part = bytes < kBlockBytes ? bytes : kBlockBytes;
    __builtin_memcpy(to, block, part);
    to += part;
    bytes -= part;
  }
  __builtin_memset(block, 0, sizeof block);
}

}  // namespace mayfly::guest

uint32_t mayfly_wasi_p1_random_get(MemoryInfo* memory, uint32_t to, uint32_t bytes) {
  using mayfly::guest_abi::wasi::Errno;
  const mayfly::guest::LinearMemory linear(memory);
  if (!linear.contains(to, bytes)) return mayfly::guest::answer(Errno::kFault);
  mayfly::guest::wasi_state().random.fill(mayfly::guest::call_page(), linear.at(to), bytes);
  return mayfly::guest::answer(Errno::kSuccess);
}
