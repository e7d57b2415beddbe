// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What opcodes.inc says about an instruction, as tables that are indexed by the opcode's value.
// Signature: "ii:i" is the types popped, a colon, the types pushed; i I f F v are i32 i64 f32 f64
// v128, and a is the address type of the memory. "*" is an instruction with a rule of its own.
#pragma once

#include <array>
#include <cstdint>

#include "wasm/instruction.h"

namespace mayfly::wasm {

// The enumerators are the words of opcodes.inc.
enum class Immediates : uint8_t {
  unknown,  // no instruction has this value
  none,
  zero,            // one byte that is 0
  index,           // a u32
  index2,          // two u32 in the order of the text format
  index2_swapped,  // two u32, the text format's second first
  memory,          // a memory index
  block,           // a block type
  br_table,        // labels
  try_table,       // a block type and catch clauses
  select_t,        // value types
  heap,            // a heap type
  br_on_cast,      // two null bits, a label, two heap types
  i32,
  i64,
  f32,
  f64,
  v128,
  shuffle,  // 16 lanes below 32
  lane2,    // a lane below 2, and so on
  lane4,
  lane8,
  lane16,
  mem0,  // a memarg whose natural alignment is 2^0 bytes, and so on
  mem1,
  mem2,
  mem3,
  mem4,
  memlane0,  // the same and a lane below 16 >> 0, and so on
  memlane1,
  memlane2,
  memlane3,
  atomic0,  // a memarg whose alignment must be 2^0, and so on
  atomic1,
  atomic2,
  atomic3,
};

inline constexpr uint32_t kOpcodeValues = 0x600;

// The values of the instructions of a prefix byte: the first, and how many there may be.
struct OpcodePrefix {
  uint32_t first = 0;  // 0: not a prefix
  uint32_t count = 0;
};
constexpr OpcodePrefix opcode_prefix(uint8_t byte) {
  switch (byte) {
    case 0xFB:
      return {0x100, 0x100};
    case 0xFC:
      return {0x200, 0x100};
    case 0xFD:
      return {0x300, 0x200};
    case 0xFE:
      return {0x500, 0x100};
    default:
      return {};
  }
}

inline constexpr std::array<Immediates, kOpcodeValues> kImmediates = [] {
  std::array<Immediates, kOpcodeValues> table{};
#define MAYFLY_OPCODE(name, value, text, immediates, signature) \
  table[value] = Immediates::immediates;
#include "wasm/opcodes.inc"
#undef MAYFLY_OPCODE
  return table;
}();

}  // namespace mayfly::wasm
