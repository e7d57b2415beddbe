// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Immediates and blocks. Calls of own functions are five bytes that ModuleWriter fills in.
#include "linker/code_writer.h"

#include <bit>

#include "base/check.h"

namespace mayfly::linker {
namespace {

uint8_t value_type(Flat type) { return static_cast<uint8_t>(0x7f - static_cast<uint8_t>(type)); }

uint32_t width_log2(Op op) {
  switch (op) {
    case Op::kI32Load8S:
    case Op::kI32Load8U:
    case Op::kI32Store8:
      return 0;
    case Op::kI32Load16S:
    case Op::kI32Load16U:
    case Op::kI32Store16:
      return 1;
    case Op::kI64Load:
    case Op::kF64Load:
    case Op::kI64Store:
    case Op::kF64Store:
      return 3;
    default:
      return 2;
  }
}

}  // namespace

uint32_t CodeWriter::add_local(Flat type) {
  locals_.push_back(type);
  return next_local_++;
}

CodeWriter& CodeWriter::immediate(uint32_t value) {
  while (value >= 0x80) {
    code_.push_back(static_cast<uint8_t>(value | 0x80));
    value >>= 7;
  }
  code_.push_back(static_cast<uint8_t>(value));
  return *this;
}

CodeWriter& CodeWriter::i32(uint32_t value) {
  op(Op::kI32Const);
  auto left = static_cast<int32_t>(value);
  while (left < -0x40 || left >= 0x40) {
    code_.push_back(static_cast<uint8_t>(left | 0x80));
    left >>= 7;
  }
  code_.push_back(static_cast<uint8_t>(left & 0x7f));
  return *this;
}

CodeWriter& CodeWriter::i64(uint64_t value) {
  op(Op::kI64Const);
  auto left = static_cast<int64_t>(value);
  while (left < -0x40 || left >= 0x40) {
    code_.push_back(static_cast<uint8_t>(left | 0x80));
    left >>= 7;
  }
  code_.push_back(static_cast<uint8_t>(left & 0x7f));
  return *this;
}

CodeWriter& CodeWriter::call(FunctionRef function) {
  op(Op::kCall);
  if (function.is_import) return immediate(function.index);
  fixups_.push_back({code_.size(), function.index});
  code_.resize(code_.size() + 5);
  return *this;
}

CodeWriter& CodeWriter::access(Op op_code, uint32_t memory, uint32_t offset) {
  op(op_code);
  constexpr uint32_t kHasMemory = 0x40;
  immediate(width_log2(op_code) | (memory == 0 ? 0 : kHasMemory));
  if (memory != 0) immediate(memory);
  return immediate(offset);
}

CodeWriter& CodeWriter::memory_copy(uint32_t to, uint32_t from) {
  code_.push_back(0xfc);
  return immediate(10).immediate(to).immediate(from);
}

CodeWriter& CodeWriter::zero(Flat type) {
  switch (type) {
    case Flat::kI32:
      return i32(0);
    case Flat::kI64:
      return i64(0);
    case Flat::kF32:
      op(Op::kF32Const);
      code_.insert(code_.end(), 4, 0);
      return *this;
    case Flat::kF64:
      op(Op::kF64Const);
      code_.insert(code_.end(), 8, 0);
      return *this;
  }
  return *this;
}

CodeWriter::Label CodeWriter::open(Op block) {
  constexpr uint8_t kEmptyType = 0x40;
  op(block);
  code_.push_back(kEmptyType);
  return ++depth_;
}

CodeWriter& CodeWriter::end() {
  CHECK(depth_ > 0, depth_);
  --depth_;
  return op(Op::kEnd);
}

CodeWriter& CodeWriter::br_table(std::span<const Label> labels, Label otherwise) {
  op(Op::kBrTable).immediate(static_cast<uint32_t>(labels.size()));
  for (const Label label : labels) immediate(depth_ - label);
  return immediate(depth_ - otherwise);
}

component::Bytes CodeWriter::finish(std::vector<Fixup>& fixups) {
  CHECK(depth_ == 0, depth_);
  op(Op::kEnd);
  component::BinaryWriter head;
  head.u32(static_cast<uint32_t>(locals_.size()));
  for (const Flat local : locals_) head.u32(1).u8(value_type(local));
  component::Bytes body = head.take();
  for (Fixup& fixup : fixups_) fixup.position += body.size();
  body.insert(body.end(), code_.begin(), code_.end());
  fixups = std::move(fixups_);
  return body;
}

}  // namespace mayfly::linker
