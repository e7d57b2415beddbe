// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// FunctionEmitter: the LLVM function that one Wasm function becomes, and its operand stack.
// Each family of instructions has an emitter function of its own, in a file of its own.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <cstdint>
#include <vector>

#include "compiler/fuel_meter.h"
#include "guest_abi/trap.h"
#include "wasm/instruction.h"
#include "wasm/module.h"

namespace mayfly::compiler {

class ModuleEmitter;

class FunctionEmitter {
 public:
  // Positions the builder in a new block `entry` of an empty function.
  FunctionEmitter(ModuleEmitter& module, llvm::Function& function, uint32_t function_index);

  ModuleEmitter& module() { return module_; }
  llvm::IRBuilder<>& ir() { return ir_; }
  llvm::Function& function() { return function_; }
  uint32_t function_index() const { return function_index_; }
  FuelMeter& fuel() { return fuel_; }

  // The operand stack. A v128 is a <2 x i64>, a reference a ptr.
  void push(llvm::Value* value) { operands_.push_back(value); }
  llvm::Value* pop();
  // The last `count` operands, first one first.
  std::vector<llvm::Value*> pop_many(size_t count);
  size_t height() const { return operands_.size(); }
  void truncate(size_t height) { operands_.resize(height); }
  // v128 as lanes of `type` (a 128-bit vector type); push_vector takes any 128-bit vector.
  llvm::Value* pop_vector(llvm::Type* type);
  struct Pair {
    llvm::Value* left;
    llvm::Value* right;  // was pushed last
  };
  Pair pop_vectors(llvm::Type* type);
  void push_vector(llvm::Value* value);

  // The address of an access of access_bytes at index + memarg.offset (index as popped: i32 or
  // i64). The access faults where the memory ends; memory64 gets an explicit check here.
  llvm::Value* memory_address(const wasm::MemArg& memarg, llvm::Value* index,
                              uint64_t access_bytes);
  // The address of byte index (an i64) of a memory, unchecked.
  llvm::Value* byte_address(uint32_t memory_index, llvm::Value* index);
  // Volatile, byte-aligned accesses: they stay, and stay in order, because they may trap.
  llvm::Value* load(llvm::Type* type, llvm::Value* address);
  void store(llvm::Value* value, llvm::Value* address);

  // Continues in a new block where condition (an i1) is false; traps where it is true.
  void trap_if(llvm::Value* condition, guest_abi::TrapCode code);
  void trap(guest_abi::TrapCode code);  // ends the block

  llvm::BasicBlock* new_block(const char* name);
  // A variable in the frame, made and initialised in the entry block.
  llvm::AllocaInst* new_variable(llvm::Type* type, llvm::Value* initial);
  // Ends the entry block, once all variables are known.
  void finish_entry(llvm::BasicBlock* body);
  // A volatile load, or the value where it is known.
  llvm::Value* load_global(uint32_t global_index);
  // Whether a copy of that many bytes of body still has its place in this function.
  bool take_copied_bytes(uint64_t bytes);
  // Room for `count` result slots of a callee, shared by all calls of the function.
  llvm::Value* result_area(size_t count);

 private:
  llvm::Value* hide_if_far(llvm::Value* index);

  ModuleEmitter& module_;
  llvm::Function& function_;
  uint32_t function_index_;
  llvm::IRBuilder<> ir_;
  std::vector<llvm::Value*> operands_;
  llvm::BasicBlock* entry_ = nullptr;
  llvm::AllocaInst* result_area_ = nullptr;
  size_t result_area_slots_ = 0;
  FuelMeter fuel_;
  uint64_t copied_bytes_ = 0;
};

// Each emits one instruction of its family in reachable code.
void emit_numeric(FunctionEmitter& f, const wasm::Instruction& instruction);  // scalar, constants
void emit_simd(FunctionEmitter& f, const wasm::Instruction& instruction);     // all of 0xFD
void emit_memory(FunctionEmitter& f, const wasm::Instruction& instruction);   // scalar, bulk
void emit_table(FunctionEmitter& f, const wasm::Instruction& instruction);
void emit_reference(FunctionEmitter& f, const wasm::Instruction& instruction);

}  // namespace mayfly::compiler
