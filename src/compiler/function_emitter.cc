// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operand stack, accesses to linear memory, and traps.
#include "compiler/function_emitter.h"

#include <llvm/IR/Intrinsics.h>

#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "compiler/float_semantics.h"
#include "compiler/leaf_function.h"
#include "compiler/module_emitter.h"
#include "guest_abi/layout.h"

namespace mayfly::compiler {

FunctionEmitter::FunctionEmitter(ModuleEmitter& module, llvm::Function& function,
                                 uint32_t function_index)
    : module_(module),
      function_(function),
      function_index_(function_index),
      ir_(module.context()),
      fuel_(*this) {
  entry_ = new_block("entry");
  ir_.SetInsertPoint(entry_);
}

llvm::Value* FunctionEmitter::pop() {
  CHECK(!operands_.empty(), function_index_);
  llvm::Value* value = operands_.back();
  operands_.pop_back();
  return value;
}

std::vector<llvm::Value*> FunctionEmitter::pop_many(size_t count) {
  CHECK(operands_.size() >= count, function_index_, count);
  const auto first = operands_.end() - static_cast<std::ptrdiff_t>(count);
  std::vector<llvm::Value*> values(first, operands_.end());
  operands_.erase(first, operands_.end());
  return values;
}

llvm::Value* FunctionEmitter::pop_vector(llvm::Type* type) {
  return ir_.CreateBitCast(pop(), type);
}

FunctionEmitter::Pair FunctionEmitter::pop_vectors(llvm::Type* type) {
  llvm::Value* right = pop_vector(type);
  return {pop_vector(type), right};
}

void FunctionEmitter::push_vector(llvm::Value* value) {
  push(ir_.CreateBitCast(value, llvm::FixedVectorType::get(ir_.getInt64Ty(), 2)));
}

llvm::Value* FunctionEmitter::memory_address(const wasm::MemArg& memarg, llvm::Value* index,
                                             uint64_t access_bytes) {
  const wasm::MemoryType& type = module_.wasm().memories[memarg.memory_index];
  // Page tables end a memory at 64 KiB pages, and windows hold 33-bit sums.
  const bool needs_check = type.address == wasm::AddressType::kI64 || type.page_size_log2 != 16;
  llvm::Type* byte = ir_.getInt8Ty();
  llvm::Value* address = ir_.CreateZExt(index, ir_.getInt64Ty());
  if (needs_check) {
    // 65-bit sum: index + offset + access_bytes <= size, without wrapping.
    llvm::Value* info = module_.memory_info(memarg.memory_index);
    llvm::Value* size = load(ir_.getInt64Ty(), ir_.CreateConstGEP1_64(byte, info, 8));
    const bool wraps = memarg.offset > UINT64_MAX - access_bytes;
    llvm::Value* end = ir_.getInt64(wraps ? UINT64_MAX : memarg.offset + access_bytes);
    llvm::Value* too_small = ir_.CreateICmpULT(size, end);
    llvm::Value* past = ir_.CreateICmpUGT(address, ir_.CreateSub(size, end));
    trap_if(ir_.CreateOr(too_small, past), guest_abi::TrapCode::kMemoryOutOfBounds);
  }
  address = byte_address(memarg.memory_index, address);
  if (memarg.offset == 0) return address;
  return ir_.CreateGEP(byte, address, hide_if_far(ir_.getInt64(memarg.offset)));
}

llvm::Value* FunctionEmitter::byte_address(uint32_t memory_index, llvm::Value* index) {
  return ir_.CreateGEP(ir_.getInt8Ty(), module_.memory(memory_index), hide_if_far(index));
}

// LLVM's fast selector makes one displacement of a symbol and the constants that are added to it,
// whether or not the sum has 31 bits. It does not see through a freeze, and optimizers remove one.
llvm::Value* FunctionEmitter::hide_if_far(llvm::Value* index) {
  // An address has two constants at most, an index and an offset.
  constexpr uint64_t kNearBytes = (INT32_MAX - guest_abi::kLowMemory) / 2;
  const auto* constant = llvm::dyn_cast<llvm::ConstantInt>(index);
  if (constant == nullptr || constant->getZExtValue() <= kNearBytes) return index;
  return ir_.CreateFreeze(index);
}

llvm::Value* FunctionEmitter::load(llvm::Type* type, llvm::Value* address) {
  return ir_.CreateAlignedLoad(type, address, llvm::Align(1), /*isVolatile=*/true);
}

void FunctionEmitter::store(llvm::Value* value, llvm::Value* address) {
  ir_.CreateAlignedStore(value, address, llvm::Align(1), /*isVolatile=*/true);
}

void FunctionEmitter::trap_if(llvm::Value* condition, guest_abi::TrapCode code) {
  if (auto* constant = llvm::dyn_cast<llvm::ConstantInt>(condition);
      constant != nullptr && constant->isZero()) {
    return;
  }
  llvm::BasicBlock* trapping = new_block("trap");
  llvm::BasicBlock* next = new_block("next");
  ir_.CreateCondBr(condition, trapping, next);
  ir_.SetInsertPoint(trapping);
  trap(code);
  ir_.SetInsertPoint(next);
}

void FunctionEmitter::trap(guest_abi::TrapCode code) {
  llvm::CallInst* call = ir_.CreateIntrinsic(llvm::Intrinsic::ubsantrap, {},
                                             {ir_.getInt8(static_cast<uint8_t>(code))});
  // Each trap keeps its own address, from which the host finds the instruction.
  call->addFnAttr(llvm::Attribute::NoMerge);
  ir_.CreateUnreachable();
}

llvm::BasicBlock* FunctionEmitter::new_block(const char* name) {
  return llvm::BasicBlock::Create(module_.context(), name, &function_);
}

llvm::AllocaInst* FunctionEmitter::new_variable(llvm::Type* type, llvm::Value* initial) {
  llvm::IRBuilder<> entry(entry_);
  llvm::AllocaInst* variable = entry.CreateAlloca(type);
  entry.CreateStore(hidden_if_float(entry, initial), variable);
  return variable;
}

void FunctionEmitter::finish_entry(llvm::BasicBlock* body) {
  llvm::IRBuilder<>(entry_).CreateBr(body);
}

llvm::Value* FunctionEmitter::load_global(uint32_t global_index) {
  if (llvm::Constant* known = module_.constant_global(global_index)) {
    return hidden_if_float(ir_, known);
  }
  const wasm::ValType type = module_.wasm().globals[global_index].type.type;
  return load(module_.value_type(type), module_.global(global_index));
}

bool FunctionEmitter::take_copied_bytes(uint64_t bytes) {
  const uint64_t own = module_.wasm().functions[function_index_].body.size;
  if (bytes > kCopiedBytesMin + 2 * own - copied_bytes_) return false;
  copied_bytes_ += bytes;
  return true;
}

llvm::Value* FunctionEmitter::result_area(size_t count) {
  if (result_area_ == nullptr) {
    llvm::IRBuilder<> entry(entry_);
    result_area_ = entry.CreateAlloca(ir_.getInt128Ty(), ir_.getInt64(count));
    result_area_->setAlignment(llvm::Align(16));
  }
  if (count > result_area_slots_) {
    result_area_slots_ = count;
    result_area_->setOperand(0, ir_.getInt64(count));
  }
  return result_area_;
}

}  // namespace mayfly::compiler
