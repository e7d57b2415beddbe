// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:random. What is allowed to be insecure is as good as the rest.
#include "guest/wasi/functions.h"
#include "guest/wasi/port_call.h"
#include "guest/wasi/state.h"
#include "guest/wasi2/functions.h"
#include "guest/wasi2/transfer.h"

using mayfly::guest::Transfer;
using mayfly::guest::TransferBytes;

uint32_t mayfly_wasi2_random_bytes(MemoryInfo* memory, MemoryInfo* /*state*/, uint64_t length) {
  const Transfer transfer(memory);
  const uint32_t bytes = transfer.allocate(length, 1);
  mayfly_wasi_p1_random_get(memory, bytes, static_cast<uint32_t>(length));
  return transfer.allocate(TransferBytes{bytes, static_cast<uint32_t>(length)});
}

uint64_t mayfly_wasi2_random_u64(MemoryInfo* /*memory*/, MemoryInfo* /*state*/) {
  uint8_t bytes[8];
  mayfly::guest::wasi_state().random.fill(mayfly::guest::call_page(), bytes, sizeof bytes);
  uint64_t word = 0;
  __builtin_memcpy(&word, bytes, sizeof word);
  return word;
}

uint32_t mayfly_wasi2_insecure_seed(MemoryInfo* memory, MemoryInfo* /*state*/) {
  const Transfer transfer(memory);
  const uint32_t words = transfer.allocate(16, 8);
  mayfly_wasi_p1_random_get(memory, words, 16);
  return words;
}
