// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// InstructionReader: one instruction after another from code that is known to be valid.
// It uses the decoder's own cursor, and a failure of that is a bug of this program.
#include "wasm/instruction.h"

#include <algorithm>

#include "base/check.h"
#include "wasm/byte_cursor.h"
#include "wasm/opcode_table.h"
#include "wasm/type_encoding.h"

namespace mayfly::wasm {
namespace {

Opcode read_opcode(ByteCursor& cursor) {
  const uint8_t byte = cursor.u8();
  const OpcodePrefix prefix = opcode_prefix(byte);
  if (prefix.first == 0) return static_cast<Opcode>(byte);
  const uint32_t number = cursor.u32();
  CHECK(number < prefix.count, int{byte}, number);
  return static_cast<Opcode>(prefix.first + number);
}

MemArg read_memarg(ByteCursor& cursor) {
  constexpr uint32_t kHasMemoryIndex = 0x40;
  MemArg memarg;
  const uint32_t flags = cursor.u32();
  memarg.align_log2 = flags & (kHasMemoryIndex - 1);
  if ((flags & kHasMemoryIndex) != 0) memarg.memory_index = cursor.u32();
  memarg.offset = cursor.u64();
  return memarg;
}

void read_br_table(ByteCursor& cursor, Instruction& instruction) {
  const uint32_t count = cursor.u32();
  CHECK(count <= cursor.remaining(), count, cursor.remaining());
  instruction.labels.clear();
  for (uint64_t i = 0; i <= count; ++i) instruction.labels.push_back(cursor.u32());
}

void read_try_table(ByteCursor& cursor, Instruction& instruction) {
  instruction.block = read_block_type(cursor);
  const uint32_t count = cursor.u32();
  CHECK(count <= cursor.remaining(), count, cursor.remaining());
  instruction.catches.clear();
  for (uint32_t i = 0; i < count; ++i) {
    Catch clause;
    clause.kind = static_cast<CatchKind>(cursor.u8());
    const bool has_tag = clause.kind == CatchKind::kCatch || clause.kind == CatchKind::kCatchRef;
    if (has_tag) clause.tag_index = cursor.u32();
    clause.label = cursor.u32();
    instruction.catches.push_back(clause);
  }
}

void read_select_types(ByteCursor& cursor, Instruction& instruction) {
  const uint32_t count = cursor.u32();
  CHECK(count <= cursor.remaining(), count, cursor.remaining());
  instruction.types.clear();
  for (uint32_t i = 0; i < count; ++i) instruction.types.push_back(read_val_type(cursor));
}

void read_heap(ByteCursor& cursor, Instruction& instruction) {
  const bool nullable =
      instruction.opcode != Opcode::ref_test && instruction.opcode != Opcode::ref_cast;
  instruction.ref = {nullable, read_heap_type(cursor)};
}

void read_br_on_cast(ByteCursor& cursor, Instruction& instruction) {
  const uint8_t flags = cursor.u8();
  instruction.index = cursor.u32();
  instruction.ref = {(flags & 1) != 0, read_heap_type(cursor)};
  instruction.ref2 = {(flags & 2) != 0, read_heap_type(cursor)};
}

void read_vector(ByteCursor& cursor, Instruction& instruction) {
  const auto bytes = cursor.bytes(sizeof instruction.vector);
  CHECK(bytes.size() == sizeof instruction.vector);
  std::copy(bytes.begin(), bytes.end(), instruction.vector);
}

void read_two_indices(ByteCursor& cursor, uint32_t& first, uint32_t& second) {
  first = cursor.u32();
  second = cursor.u32();
}

void read_memarg_and_lane(ByteCursor& cursor, Instruction& instruction) {
  instruction.memarg = read_memarg(cursor);
  instruction.lane = cursor.u8();
}

void read_immediates(ByteCursor& cursor, Immediates immediates, Instruction& in) {
  switch (immediates) {
    case Immediates::unknown:
      CHECK(false, static_cast<uint32_t>(in.opcode));
      break;
    case Immediates::none:
      break;
    case Immediates::zero:
      cursor.u8();
      break;
    case Immediates::memory:
    case Immediates::index:
      in.index = cursor.u32();
      break;
    case Immediates::index2:
      read_two_indices(cursor, in.index, in.index2);
      break;
    case Immediates::index2_swapped:
      read_two_indices(cursor, in.index2, in.index);
      break;
    case Immediates::block:
      in.block = read_block_type(cursor);
      break;
    case Immediates::br_table:
      read_br_table(cursor, in);
      break;
    case Immediates::try_table:
      read_try_table(cursor, in);
      break;
    case Immediates::select_t:
      read_select_types(cursor, in);
      break;
    case Immediates::heap:
      read_heap(cursor, in);
      break;
    case Immediates::br_on_cast:
      read_br_on_cast(cursor, in);
      break;
    case Immediates::i32:
      in.constant = static_cast<uint64_t>(int64_t{cursor.s32()});
      break;
    case Immediates::i64:
      in.constant = static_cast<uint64_t>(cursor.s64());
      break;
    case Immediates::f32:
      in.constant = cursor.fixed_u32();
      break;
    case Immediates::f64:
      in.constant = cursor.fixed_u64();
      break;
    case Immediates::v128:
    case Immediates::shuffle:
      read_vector(cursor, in);
      break;
    case Immediates::lane2:
    case Immediates::lane4:
    case Immediates::lane8:
    case Immediates::lane16:
      in.lane = cursor.u8();
      break;
    case Immediates::mem0:
    case Immediates::mem1:
    case Immediates::mem2:
    case Immediates::mem3:
    case Immediates::mem4:
    case Immediates::atomic0:
    case Immediates::atomic1:
    case Immediates::atomic2:
    case Immediates::atomic3:
      in.memarg = read_memarg(cursor);
      break;
    case Immediates::memlane0:
    case Immediates::memlane1:
    case Immediates::memlane2:
    case Immediates::memlane3:
      read_memarg_and_lane(cursor, in);
      break;
  }
}

}  // namespace

std::string_view to_string(Opcode opcode) {
  switch (opcode) {
#define MAYFLY_OPCODE(name, value, text, immediates, signature) \
  case Opcode::name:                                            \
    return text;
#include "wasm/opcodes.inc"
#undef MAYFLY_OPCODE
  }
  return "unknown opcode";
}

InstructionReader::InstructionReader(std::span<const uint8_t> module_bytes, ByteRange code)
    : bytes_(module_bytes), position_(code.offset), end_(code.offset + code.size) {
  CHECK(code.size <= bytes_.size() && code.offset <= bytes_.size() - code.size, code.offset,
        code.size, bytes_.size());
}

std::vector<LocalGroup> InstructionReader::read_locals() {
  ByteCursor cursor(bytes_, position_, end_);
  const uint32_t count = cursor.u32();
  CHECK(count <= cursor.remaining(), count, cursor.remaining());
  std::vector<LocalGroup> groups;
  for (uint32_t i = 0; i < count; ++i) {
    LocalGroup group;
    group.count = cursor.u32();
    group.type = read_val_type(cursor);
    groups.push_back(group);
  }
  CHECK(!cursor.failed(), position_);
  position_ = cursor.position();
  return groups;
}

const Instruction& InstructionReader::next() {
  CHECK(!at_end(), end_);
  ByteCursor cursor(bytes_, position_, end_);
  instruction_.offset = position_;
  instruction_.opcode = read_opcode(cursor);
  const auto value = static_cast<uint32_t>(instruction_.opcode);
  read_immediates(cursor, kImmediates[value], instruction_);
  CHECK(!cursor.failed(), instruction_.offset, value);
  position_ = cursor.position();
  return instruction_;
}

}  // namespace mayfly::wasm
