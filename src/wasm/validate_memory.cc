// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory arguments, vector lanes, and bulk memory instructions.
#include "wasm/validate_function.h"

namespace mayfly::wasm {

PackedType FunctionValidator::memory_address(uint32_t memory_index) {
  if (memory_index >= context_.module.memories.size()) {
    fail_index("unknown memory", memory_index);
    return packed::kI32;
  }
  const AddressType address = context_.module.memories[memory_index].address;
  return address == AddressType::kI64 ? packed::kI64 : packed::kI32;
}

// wasm-3.0 #binary-memarg: bit 6 of the flags says that a memory index follows.
PackedType FunctionValidator::memarg(uint32_t natural_align_log2, bool is_atomic) {
  constexpr uint32_t kHasMemoryIndex = 0x40;
  const uint32_t flags = cursor_.u32();
  if (flags >= 2 * kHasMemoryIndex) {
    fail("malformed memop flags");
    return packed::kI32;
  }
  const uint32_t align_log2 = flags & (kHasMemoryIndex - 1);
  const uint32_t memory_index = (flags & kHasMemoryIndex) != 0 ? cursor_.u32() : 0;
  const uint64_t memory_offset = cursor_.u64();
  const PackedType address = memory_address(memory_index);
  if (align_log2 > natural_align_log2) {
    fail("alignment must not be larger than natural: 2^" + std::to_string(align_log2));
  }
  if (is_atomic && align_log2 != natural_align_log2) {
    fail("atomic alignment must be natural: 2^" + std::to_string(align_log2));
  }
  if (memory_offset > UINT32_MAX && address == packed::kI32) {
    fail("offset out of range: " + std::to_string(memory_offset));
  }
  return address;
}

void FunctionValidator::lane(uint32_t lanes) {
  const uint8_t index = cursor_.u8();
  if (index >= lanes) fail_index("invalid lane index", index);
}

void FunctionValidator::shuffle_lanes() {
  for (int i = 0; i < 16; ++i) lane(32);
}

bool FunctionValidator::check_data_index(uint32_t data_index) {
  if (!context_.data_count) {
    fail("data count section required");
    return false;
  }
  if (data_index >= *context_.data_count) {
    fail_index("unknown data segment", data_index);
    return false;
  }
  return true;
}

void FunctionValidator::memory_init() {
  const uint32_t data_index = cursor_.u32();
  const uint32_t memory_index = cursor_.u32();
  if (cursor_.failed()) return;
  const PackedType address = memory_address(memory_index);
  if (!check_data_index(data_index)) return;
  pop(packed::kI32);
  pop(packed::kI32);
  pop(address);
}

// The length is as wide as the narrower of the two memories.
void FunctionValidator::memory_copy() {
  const uint32_t to_index = cursor_.u32();
  const uint32_t from_index = cursor_.u32();
  if (cursor_.failed()) return;
  const PackedType to = memory_address(to_index);
  const PackedType from = memory_address(from_index);
  pop(to == packed::kI32 ? to : from);
  pop(from);
  pop(to);
}

void FunctionValidator::data_drop() {
  const uint32_t data_index = cursor_.u32();
  if (!cursor_.failed()) check_data_index(data_index);
}

}  // namespace mayfly::wasm
