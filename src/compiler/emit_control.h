// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ControlEmitter: the body of a function: its labels, its locals, and the walk over its
// instructions. Code that cannot be reached is skipped, never emitted.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "compiler/function_emitter.h"
#include "wasm/instruction.h"

namespace mayfly::compiler {

// Emits a function that the module defines, as func.N.
void emit_function(ModuleEmitter& module, uint32_t function_index);

class ControlEmitter {
 public:
  ControlEmitter(FunctionEmitter& emitter, uint32_t function_index);

  void emit_body();

 private:
  enum class LabelKind : uint8_t { kFunction, kBlock, kLoop, kIf };
  struct Label {
    LabelKind kind = LabelKind::kBlock;
    size_t height = 0;  // of the operand stack below the parameters
    std::vector<llvm::Type*> params;
    std::vector<llvm::Type*> results;
    // Where a branch goes: a loop's head, else what follows the block. Null until the first branch.
    llvm::BasicBlock* target = nullptr;
    std::vector<llvm::PHINode*> values;  // of the target, one per value that a branch carries
    llvm::BasicBlock* else_block = nullptr;
    std::vector<llvm::Value*> else_params;
  };

  void emit(const wasm::Instruction& instruction);
  void cut_block();
  void skip(const wasm::Instruction& instruction);
  bool emit_structure(const wasm::Instruction& instruction);
  bool emit_branch(const wasm::Instruction& instruction);
  bool emit_variable(const wasm::Instruction& instruction);
  void emit_operation(const wasm::Instruction& instruction);
  void set_location(const wasm::Instruction& instruction);

  Label make_label(LabelKind kind, const wasm::BlockType& type);
  Label& label(uint32_t depth) { return labels_[labels_.size() - 1 - depth]; }
  const std::vector<llvm::Type*>& branch_types(const Label& to) const;
  void make_target(Label& to);
  void begin_loop(const wasm::Instruction& instruction);
  void begin_if(const wasm::Instruction& instruction);
  void begin_else();
  void end_label();

  void jump(uint32_t depth);  // with the operands on top of the stack; ends the block
  void jump_if(uint32_t depth, llvm::Value* condition);
  void emit_br_table(const wasm::Instruction& instruction);
  llvm::Value* table_of_targets(const std::vector<uint32_t>& positions, llvm::Value* index);
  void emit_br_on_null(const wasm::Instruction& instruction);
  void emit_br_on_non_null(const wasm::Instruction& instruction);
  void emit_return();
  void emit_select();

  llvm::AllocaInst* local(uint32_t index);
  wasm::ValType local_type(uint32_t index) const;

  FunctionEmitter& f_;
  ModuleEmitter& module_;
  const wasm::FuncType& type_;
  uint32_t function_index_;
  std::vector<Label> labels_;
  uint64_t skipped_depth_ = 0;  // blocks opened in unreachable code
  bool reachable_ = true;
  // First local after each group, and its type; ascending.
  std::vector<std::pair<uint32_t, wasm::ValType>> local_groups_;
  // Made at first use: declaring 50,000 locals costs three bytes. Only looked up.
  std::map<uint32_t, llvm::AllocaInst*> locals_;
};

// emit_call.cc. A tail call ends the block.
void emit_call(FunctionEmitter& f, const wasm::Instruction& instruction);
bool is_call(wasm::Opcode opcode);
bool is_tail_call(wasm::Opcode opcode);

}  // namespace mayfly::compiler
