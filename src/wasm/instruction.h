// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opcode, Instruction and InstructionReader: how code that works on a valid module reads a body.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "wasm/module.h"
#include "wasm/types.h"

namespace mayfly::wasm {

// One enumerator per instruction of opcodes.inc, named as the text format names it with '.'
// and '/' replaced by '_' and an underscore after a C++ keyword: i32_add, memory_grow, if_,
// return_, i8x16_relaxed_swizzle. select without a type is `select`, with one `select_t`;
// ref.test / ref.cast have `_null` forms.
// The value is the opcode byte, or 0x100 * k + n for instruction n of a prefix:
// 0xFB: 0x100, 0xFC: 0x200, 0xFD: 0x300 (n up to 0x1FF), 0xFE: 0x500.
enum class Opcode : uint16_t {
#define MAYFLY_OPCODE(name, value, text, immediates, signature) name = value,
#include "wasm/opcodes.inc"
#undef MAYFLY_OPCODE
};

std::string_view to_string(Opcode opcode);  // "i32.add"

struct BlockType {
  enum class Kind : uint8_t { kEmpty, kValue, kTypeIndex };
  Kind kind = Kind::kEmpty;
  ValType value;            // kValue: the one result
  uint32_t type_index = 0;  // kTypeIndex
};

struct MemArg {
  uint64_t offset = 0;
  uint32_t align_log2 = 0;
  uint32_t memory_index = 0;
};

enum class CatchKind : uint8_t { kCatch, kCatchRef, kCatchAll, kCatchAllRef };
struct Catch {
  CatchKind kind = CatchKind::kCatch;
  uint32_t tag_index = 0;
  uint32_t label = 0;
};

// One decoded instruction. Which fields mean something depends on the opcode's immediates:
//   index, index2   the indices in the order in which the text format writes them
//                   (call f; local.get x; memory.copy dst src; table.init table elem -> index is
//                   the table, index2 the segment; memory.init memory data likewise;
//                   call_indirect table type -> index is the table, index2 the type;
//                   struct.get type field; array.new_fixed type count; br_on_cast label)
//   constant        i32/i64 (sign-extended), f32/f64 bits
//   vector          v128.const bytes, i8x16.shuffle lanes
struct Instruction {
  Opcode opcode{};
  uint8_t lane = 0;
  uint64_t offset = 0;  // of the opcode, from the module's first byte
  uint32_t index = 0;
  uint32_t index2 = 0;
  uint64_t constant = 0;
  uint8_t vector[16] = {};
  MemArg memarg;
  BlockType block;
  RefType ref;   // ref.null (nullable heap type), ref.test, ref.cast; br_on_cast: the first type
  RefType ref2;  // br_on_cast: the second type
  std::vector<uint32_t> labels;  // br_table: targets, the default last
  std::vector<Catch> catches;    // try_table
  std::vector<ValType> types;    // select_t
};

struct LocalGroup {
  uint32_t count = 0;
  ValType type;
};

// Reads the instructions of a body or a constant expression of a valid module, in order.
// The bytes must be those that decode() accepted: a broken encoding is a CHECK.
class InstructionReader {
 public:
  InstructionReader(std::span<const uint8_t> module_bytes, ByteRange code);

  // The locals' declarations; call it once, first, for a body; never for a constant expression.
  std::vector<LocalGroup> read_locals();
  bool at_end() const { return position_ == end_; }
  // The next instruction; the reference is valid until the next call.
  const Instruction& next();

 private:
  std::span<const uint8_t> bytes_;
  uint64_t position_;
  uint64_t end_;
  Instruction instruction_;
};

}  // namespace mayfly::wasm
