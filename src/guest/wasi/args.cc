// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// args_* and environ_*. The sizes come with the start block; the text is copied by the host
// straight into the caller's buffer, so it may have any size.
#include "guest/wasi/functions.h"
#include "guest/wasi/linear_memory.h"
#include "guest/wasi/port_call.h"
#include "guest/wasi/start.h"
#include "guest/wasi/state.h"

namespace mayfly::guest {

namespace wasi = guest_abi::wasi;

namespace {

struct Text {
  guest_abi::WasiText which;
  uint32_t count;
  uint64_t bytes;
};

Text args() {
  const auto& start = start_block();
  return {guest_abi::WasiText::kArgs, start.args_count, start.args_bytes};
}

Text environ() {
  const auto& start = start_block();
  return {guest_abi::WasiText::kEnviron, start.environ_count, start.environ_bytes};
}

uint32_t text_sizes(const LinearMemory& memory, const Text& text, uint32_t count_to,
                    uint32_t bytes_to) {
  if (!memory.contains(count_to, 4) || !memory.contains(bytes_to, 4)) {
    return answer(wasi::Errno::kFault);
  }
  if (text.bytes > UINT32_MAX) return answer(wasi::Errno::kOverflow);
  memory.store(count_to, text.count);
  memory.store(bytes_to, static_cast<uint32_t>(text.bytes));
  return answer(wasi::Errno::kSuccess);
}

// Each string begins behind the NUL of the one before.
void store_pointers(const LinearMemory& memory, const Text& text, uint32_t pointers,
                    uint32_t strings) {
  uint32_t next = strings;
  const uint64_t end = uint64_t{strings} + text.bytes;
  for (uint32_t index = 0; index < text.count; ++index) {
    memory.store(pointers + 4 * index, next);
    while (next < end && memory.load<uint8_t>(next) != 0) ++next;
    if (next < end) ++next;
  }
}

uint32_t text_get(const LinearMemory& memory, const Text& text, uint32_t pointers,
                  uint32_t strings) {
  if (!memory.contains_array<uint32_t>(pointers, text.count) ||
      !memory.contains(strings, text.bytes)) {
    return answer(wasi::Errno::kFault);
  }
  if (text.bytes == 0) return answer(wasi::Errno::kSuccess);
  auto& request = new_request<guest_abi::WasiTextRequest>();
  request.text = static_cast<uint32_t>(text.which);
  request.to = memory.range(strings, static_cast<uint32_t>(text.bytes));
  const wasi::Errno error = call_port(guest_abi::WasiPort::kText, request);
  if (error == wasi::Errno::kSuccess) store_pointers(memory, text, pointers, strings);
  return answer(error);
}

}  // namespace

const guest_abi::WasiStartRequest& start_block() {
  WasiState& state = wasi_state();
  // What a restored or loaded state knows may be another start's.
  const uint64_t generation = call_page().seed_generation;
  if (!state.start_is_known || state.start_generation != generation) [[unlikely]] {
    auto& request = new_request<guest_abi::WasiStartRequest>();
    call_port(guest_abi::WasiPort::kStart, request);
    state.start = request;
    state.start_is_known = true;
    state.start_generation = generation;
  }
  return state.start;
}

}  // namespace mayfly::guest

using mayfly::guest::LinearMemory;

uint32_t mayfly_wasi_p1_args_sizes_get(MemoryInfo* memory, uint32_t count_to, uint32_t bytes_to) {
  return mayfly::guest::text_sizes(LinearMemory(memory), mayfly::guest::args(), count_to, bytes_to);
}

uint32_t mayfly_wasi_p1_args_get(MemoryInfo* memory, uint32_t pointers, uint32_t strings) {
  return mayfly::guest::text_get(LinearMemory(memory), mayfly::guest::args(), pointers, strings);
}

uint32_t mayfly_wasi_p1_environ_sizes_get(MemoryInfo* memory, uint32_t count_to,
                                          uint32_t bytes_to) {
  return mayfly::guest::text_sizes(LinearMemory(memory), mayfly::guest::environ(), count_to,
                                   bytes_to);
}

uint32_t mayfly_wasi_p1_environ_get(MemoryInfo* memory, uint32_t pointers, uint32_t strings) {
  return mayfly::guest::text_get(LinearMemory(memory), mayfly::guest::environ(), pointers, strings);
}
