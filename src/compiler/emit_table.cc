// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tables of references: 8 bytes an entry, always checked against the size of the moment.
#include <llvm/IR/Instructions.h>

#include <cstddef>

#include "base/check.h"
#include "compiler/emit_bulk.h"
#include "compiler/module_emitter.h"
#include "guest_abi/instance.h"

namespace mayfly::compiler {

namespace {

using guest_abi::TableInfo;
using guest_abi::TrapCode;
using wasm::Opcode;

llvm::Value* widened(FunctionEmitter& f, llvm::Value* value) {
  return f.ir().CreateZExt(value, f.ir().getInt64Ty());
}

llvm::Value* narrowed(FunctionEmitter& f, uint32_t table, llvm::Value* value) {
  const bool is_64_bit = f.module().wasm().tables[table].type.address == wasm::AddressType::kI64;
  return is_64_bit ? value : f.ir().CreateTrunc(value, f.ir().getInt32Ty());
}

llvm::Value* entry_count(FunctionEmitter& f, uint32_t table) {
  llvm::IRBuilder<>& ir = f.ir();
  if (f.module().shape().table_has_fixed_size(table)) {
    return ir.getInt64(f.module().wasm().tables[table].type.limits.min);
  }
  return f.load(ir.getInt64Ty(), ir.CreateConstGEP1_64(ir.getInt8Ty(), f.module().table_info(table),
                                                       offsetof(TableInfo, size)));
}

llvm::Value* address_of(FunctionEmitter& f, uint32_t table, llvm::Value* index) {
  return f.ir().CreateGEP(f.ir().getInt64Ty(), f.module().table(table), index);
}

void emit_grow(FunctionEmitter& f, uint32_t table) {
  llvm::IRBuilder<>& ir = f.ir();
  llvm::Value* delta = widened(f, f.pop());
  llvm::Value* value = ir.CreatePtrToInt(f.pop(), ir.getInt64Ty());
  llvm::Value* size =
      ir.CreateCall(f.module().table_grow(), {f.module().table_info(table), delta, value});
  if (f.fuel().is_on()) {
    llvm::Value* failed = ir.CreateICmpEQ(size, ir.getInt64(UINT64_MAX));
    f.fuel().charge_units(ir.CreateSelect(failed, ir.getInt64(0), delta));
  }
  f.push(narrowed(f, table, size));
}

void emit_copy(FunctionEmitter& f, uint32_t to_table, uint32_t from_table) {
  llvm::Value* count = widened(f, f.pop());
  llvm::Value* from = widened(f, f.pop());
  llvm::Value* to = widened(f, f.pop());
  trap_if_past(f, from, count, entry_count(f, from_table), TrapCode::kTableOutOfBounds);
  trap_if_past(f, to, count, entry_count(f, to_table), TrapCode::kTableOutOfBounds);
  f.fuel().charge_units(count);
  f.ir().CreateMemMove(address_of(f, to_table, to), llvm::Align(8), address_of(f, from_table, from),
                       llvm::Align(8), f.ir().CreateShl(count, 3), /*isVolatile=*/true);
}

}  // namespace

llvm::Value* table_entry(FunctionEmitter& f, uint32_t table, llvm::Value* index, TrapCode code) {
  llvm::Value* wide = widened(f, index);
  f.trap_if(f.ir().CreateICmpUGE(wide, entry_count(f, table)), code);
  return address_of(f, table, wide);
}

void emit_table_fill(FunctionEmitter& f, uint32_t table, llvm::Value* start, llvm::Value* value,
                     llvm::Value* count) {
  llvm::IRBuilder<>& ir = f.ir();
  trap_if_past(f, start, count, entry_count(f, table), TrapCode::kTableOutOfBounds);
  f.fuel().charge_units(count);
  llvm::BasicBlock* before = ir.GetInsertBlock();
  llvm::BasicBlock* head = f.new_block("fill");
  llvm::BasicBlock* body = f.new_block("fill.entry");
  llvm::BasicBlock* after = f.new_block("filled");
  ir.CreateBr(head);
  ir.SetInsertPoint(head);
  llvm::PHINode* done = ir.CreatePHI(ir.getInt64Ty(), 2);
  done->addIncoming(ir.getInt64(0), before);
  ir.CreateCondBr(ir.CreateICmpULT(done, count), body, after);
  ir.SetInsertPoint(body);
  f.store(value, address_of(f, table, ir.CreateAdd(start, done)));
  done->addIncoming(ir.CreateAdd(done, ir.getInt64(1)), body);
  ir.CreateBr(head);
  ir.SetInsertPoint(after);
}

void emit_table_init(FunctionEmitter& f, uint32_t table, uint32_t segment, llvm::Value* to,
                     llvm::Value* from, llvm::Value* count) {
  llvm::IRBuilder<>& ir = f.ir();
  llvm::Value* size = f.load(ir.getInt64Ty(), f.module().element_segment_size(segment));
  trap_if_past(f, from, count, size, TrapCode::kTableOutOfBounds);
  trap_if_past(f, to, count, entry_count(f, table), TrapCode::kTableOutOfBounds);
  f.fuel().charge_units(count);
  llvm::Value* source = ir.CreateGEP(ir.getInt64Ty(), f.module().element_segment(segment), from);
  ir.CreateMemMove(address_of(f, table, to), llvm::Align(8), source, llvm::Align(8),
                   ir.CreateShl(count, 3), /*isVolatile=*/true);
}

void emit_table(FunctionEmitter& f, const wasm::Instruction& instruction) {
  llvm::IRBuilder<>& ir = f.ir();
  const uint32_t table = instruction.index;
  switch (instruction.opcode) {
    case Opcode::table_get: {
      llvm::Value* entry = table_entry(f, table, f.pop(), TrapCode::kTableOutOfBounds);
      return f.push(f.load(ir.getPtrTy(), entry));
    }
    case Opcode::table_set: {
      llvm::Value* value = f.pop();
      return f.store(value, table_entry(f, table, f.pop(), TrapCode::kTableOutOfBounds));
    }
    case Opcode::table_size:
      return f.push(narrowed(f, table, entry_count(f, table)));
    case Opcode::table_grow:
      return emit_grow(f, table);
    case Opcode::table_fill: {
      llvm::Value* count = widened(f, f.pop());
      llvm::Value* value = f.pop();
      return emit_table_fill(f, table, widened(f, f.pop()), value, count);
    }
    case Opcode::table_copy:
      return emit_copy(f, table, instruction.index2);
    case Opcode::table_init: {
      llvm::Value* count = widened(f, f.pop());
      llvm::Value* from = widened(f, f.pop());
      return emit_table_init(f, table, instruction.index2, widened(f, f.pop()), from, count);
    }
    case Opcode::elem_drop:
      return f.store(ir.getInt64(0), f.module().element_segment_size(instruction.index));
    default:
      CHECK(false, wasm::to_string(instruction.opcode));
  }
}

}  // namespace mayfly::compiler
