// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linear memory: loads, stores, and bulk operations, which check bounds before they write.
#include <cstddef>

#include "base/check.h"
#include "compiler/emit_bulk.h"
#include "compiler/float_semantics.h"
#include "compiler/module_emitter.h"
#include "guest_abi/instance.h"

namespace mayfly::compiler {

namespace {

using guest_abi::MemoryInfo;
using guest_abi::TrapCode;
using wasm::Opcode;

enum class Sign : uint8_t { kSigned, kUnsigned };

void emit_load(FunctionEmitter& f, const wasm::Instruction& instruction, llvm::Type* type) {
  const uint64_t bytes = type->getPrimitiveSizeInBits().getFixedValue() / 8;
  f.push(f.load(type, f.memory_address(instruction.memarg, f.pop(), bytes)));
}

// Loads `bits` bits and widens them to `type`.
void emit_narrow_load(FunctionEmitter& f, const wasm::Instruction& instruction, unsigned bits,
                      llvm::Type* type, Sign sign) {
  llvm::Value* address = f.memory_address(instruction.memarg, f.pop(), bits / 8);
  llvm::Value* value = f.load(f.ir().getIntNTy(bits), address);
  f.push(sign == Sign::kSigned ? f.ir().CreateSExt(value, type) : f.ir().CreateZExt(value, type));
}

void emit_store(FunctionEmitter& f, const wasm::Instruction& instruction, unsigned bits) {
  llvm::Value* value = visible(f.pop());
  if (value->getType()->isIntegerTy()) {
    value = f.ir().CreateTrunc(value, f.ir().getIntNTy(bits));
  }
  f.store(value, f.memory_address(instruction.memarg, f.pop(), bits / 8));
}

bool emit_access(FunctionEmitter& f, const wasm::Instruction& instruction) {
  llvm::IRBuilder<>& ir = f.ir();
  llvm::Type* i32 = ir.getInt32Ty();
  llvm::Type* i64 = ir.getInt64Ty();
  switch (instruction.opcode) {
    case Opcode::i32_load:
      return emit_load(f, instruction, i32), true;
    case Opcode::i64_load:
      return emit_load(f, instruction, i64), true;
    case Opcode::f32_load:
      return emit_load(f, instruction, ir.getFloatTy()), true;
    case Opcode::f64_load:
      return emit_load(f, instruction, ir.getDoubleTy()), true;
    case Opcode::i32_load8_s:
      return emit_narrow_load(f, instruction, 8, i32, Sign::kSigned), true;
    case Opcode::i32_load8_u:
      return emit_narrow_load(f, instruction, 8, i32, Sign::kUnsigned), true;
    case Opcode::i32_load16_s:
      return emit_narrow_load(f, instruction, 16, i32, Sign::kSigned), true;
    case Opcode::i32_load16_u:
      return emit_narrow_load(f, instruction, 16, i32, Sign::kUnsigned), true;
    case Opcode::i64_load8_s:
      return emit_narrow_load(f, instruction, 8, i64, Sign::kSigned), true;
    case Opcode::i64_load8_u:
      return emit_narrow_load(f, instruction, 8, i64, Sign::kUnsigned), true;
    case Opcode::i64_load16_s:
      return emit_narrow_load(f, instruction, 16, i64, Sign::kSigned), true;
    case Opcode::i64_load16_u:
      return emit_narrow_load(f, instruction, 16, i64, Sign::kUnsigned), true;
    case Opcode::i64_load32_s:
      return emit_narrow_load(f, instruction, 32, i64, Sign::kSigned), true;
    case Opcode::i64_load32_u:
      return emit_narrow_load(f, instruction, 32, i64, Sign::kUnsigned), true;
    case Opcode::i32_store8:
    case Opcode::i64_store8:
      return emit_store(f, instruction, 8), true;
    case Opcode::i32_store16:
    case Opcode::i64_store16:
      return emit_store(f, instruction, 16), true;
    case Opcode::i32_store:
    case Opcode::f32_store:
    case Opcode::i64_store32:
      return emit_store(f, instruction, 32), true;
    case Opcode::i64_store:
    case Opcode::f64_store:
      return emit_store(f, instruction, 64), true;
    default:
      return false;
  }
}

bool is_64_bit(FunctionEmitter& f, uint32_t memory) {
  return f.module().wasm().memories[memory].address == wasm::AddressType::kI64;
}

llvm::Value* byte_count(FunctionEmitter& f, uint32_t memory) {
  llvm::IRBuilder<>& ir = f.ir();
  return f.load(ir.getInt64Ty(),
                ir.CreateConstGEP1_64(ir.getInt8Ty(), f.module().memory_info(memory),
                                      offsetof(MemoryInfo, bytes)));
}

// As a memory's address type has it.
llvm::Value* narrowed(FunctionEmitter& f, uint32_t memory, llvm::Value* value) {
  return is_64_bit(f, memory) ? value : f.ir().CreateTrunc(value, f.ir().getInt32Ty());
}

llvm::Value* widened(FunctionEmitter& f, llvm::Value* value) {
  return f.ir().CreateZExt(value, f.ir().getInt64Ty());
}

void emit_size(FunctionEmitter& f, uint32_t memory) {
  const unsigned shift = f.module().wasm().memories[memory].page_size_log2;
  f.push(narrowed(f, memory, f.ir().CreateLShr(byte_count(f, memory), shift)));
}

void emit_grow(FunctionEmitter& f, uint32_t memory) {
  llvm::Value* delta = widened(f, f.pop());
  llvm::Value* pages =
      f.ir().CreateCall(f.module().memory_grow(), {f.module().memory_info(memory), delta});
  if (f.fuel().is_on()) {
    llvm::Value* failed = f.ir().CreateICmpEQ(pages, f.ir().getInt64(UINT64_MAX));
    const unsigned shift = f.module().wasm().memories[memory].page_size_log2;
    llvm::Value* bytes = f.ir().CreateShl(delta, shift);
    f.fuel().charge_bytes(f.ir().CreateSelect(failed, f.ir().getInt64(0), bytes));
  }
  f.push(narrowed(f, memory, pages));
}

void emit_fill(FunctionEmitter& f, uint32_t memory) {
  llvm::Value* count = widened(f, f.pop());
  llvm::Value* value = f.ir().CreateTrunc(f.pop(), f.ir().getInt8Ty());
  llvm::Value* start = widened(f, f.pop());
  trap_if_past(f, start, count, byte_count(f, memory), TrapCode::kMemoryOutOfBounds);
  f.fuel().charge_bytes(count);
  f.ir().CreateMemSet(f.byte_address(memory, start), value, count, llvm::Align(1),
                      /*isVolatile=*/true);
}

void emit_copy(FunctionEmitter& f, uint32_t to_memory, uint32_t from_memory) {
  llvm::Value* count = widened(f, f.pop());
  llvm::Value* from = widened(f, f.pop());
  llvm::Value* to = widened(f, f.pop());
  trap_if_past(f, from, count, byte_count(f, from_memory), TrapCode::kMemoryOutOfBounds);
  trap_if_past(f, to, count, byte_count(f, to_memory), TrapCode::kMemoryOutOfBounds);
  f.fuel().charge_bytes(count);
  f.ir().CreateMemMove(f.byte_address(to_memory, to), llvm::Align(1),
                       f.byte_address(from_memory, from), llvm::Align(1), count,
                       /*isVolatile=*/true);
}

void emit_drop(FunctionEmitter& f, uint32_t segment) {
  f.store(f.ir().getInt64(0), f.module().data_segment_size(segment));
}

}  // namespace

void emit_memory_init(FunctionEmitter& f, uint32_t memory, uint32_t segment, llvm::Value* to,
                      llvm::Value* from, llvm::Value* count) {
  llvm::IRBuilder<>& ir = f.ir();
  llvm::Value* size = f.load(ir.getInt64Ty(), f.module().data_segment_size(segment));
  trap_if_past(f, from, count, size, TrapCode::kMemoryOutOfBounds);
  trap_if_past(f, to, count, byte_count(f, memory), TrapCode::kMemoryOutOfBounds);
  f.fuel().charge_bytes(count);
  llvm::Value* source = ir.CreateGEP(ir.getInt8Ty(), f.module().data_segment(segment), from);
  ir.CreateMemMove(f.byte_address(memory, to), llvm::Align(1), source, llvm::Align(1), count,
                   /*isVolatile=*/true);
}

void trap_if_past(FunctionEmitter& f, llvm::Value* start, llvm::Value* count, llvm::Value* size,
                  TrapCode code) {
  llvm::IRBuilder<>& ir = f.ir();
  // Neither comparison can wrap: a difference is used only where it is not negative.
  llvm::Value* too_many = ir.CreateICmpUGT(count, size);
  llvm::Value* past = ir.CreateICmpUGT(start, ir.CreateSub(size, count));
  f.trap_if(ir.CreateOr(too_many, past), code);
}

void emit_memory(FunctionEmitter& f, const wasm::Instruction& instruction) {
  if (emit_access(f, instruction)) return;
  switch (instruction.opcode) {
    case Opcode::memory_size:
      return emit_size(f, instruction.index);
    case Opcode::memory_grow:
      return emit_grow(f, instruction.index);
    case Opcode::memory_fill:
      return emit_fill(f, instruction.index);
    case Opcode::memory_copy:
      return emit_copy(f, instruction.index, instruction.index2);
    case Opcode::data_drop:
      return emit_drop(f, instruction.index);
    case Opcode::memory_init: {
      llvm::Value* count = widened(f, f.pop());
      llvm::Value* from = widened(f, f.pop());
      llvm::Value* to = widened(f, f.pop());
      return emit_memory_init(f, instruction.index, instruction.index2, to, from, count);
    }
    default:
      CHECK(false, wasm::to_string(instruction.opcode));
  }
}

}  // namespace mayfly::compiler
