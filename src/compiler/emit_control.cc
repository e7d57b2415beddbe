// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Labels and branches. A label's values arrive as phis in its target block, which exists only
// when some branch goes there.
#include "compiler/emit_control.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/Instructions.h>

#include <algorithm>

#include "base/check.h"
#include "compiler/module_emitter.h"

namespace mayfly::compiler {

namespace {

using wasm::Opcode;

// A br_table of more targets looks its case up in a table of its own: LLVM's time grows with the
// square of a switch's cases.
constexpr size_t kSwitchTargetsMax = 256;

}  // namespace

ControlEmitter::Label ControlEmitter::make_label(LabelKind kind, const wasm::BlockType& type) {
  Label made;
  made.kind = kind;
  switch (type.kind) {
    case wasm::BlockType::Kind::kEmpty:
      break;
    case wasm::BlockType::Kind::kValue:
      made.results.push_back(module_.value_type(type.value));
      break;
    case wasm::BlockType::Kind::kTypeIndex: {
      const wasm::FuncType& func = module_.wasm().types[type.type_index].func;
      for (const wasm::ValType& value : func.params)
        made.params.push_back(module_.value_type(value));
      for (const wasm::ValType& value : func.results) {
        made.results.push_back(module_.value_type(value));
      }
      break;
    }
  }
  return made;
}

const std::vector<llvm::Type*>& ControlEmitter::branch_types(const Label& to) const {
  return to.kind == LabelKind::kLoop ? to.params : to.results;
}

void ControlEmitter::make_target(Label& to) {
  if (to.target != nullptr) return;
  to.target = f_.new_block("label");
  llvm::IRBuilder<> builder(to.target);
  for (llvm::Type* type : branch_types(to)) to.values.push_back(builder.CreatePHI(type, 2));
}

void ControlEmitter::begin_loop(const wasm::Instruction& instruction) {
  labels_.push_back(make_label(LabelKind::kLoop, instruction.block));
  Label& loop = labels_.back();
  loop.height = f_.height() - loop.params.size();
  jump(0);
  f_.truncate(loop.height);
  f_.ir().SetInsertPoint(loop.target);
  for (llvm::PHINode* value : loop.values) f_.push(value);
  f_.fuel().check();
  reachable_ = true;
}

void ControlEmitter::begin_if(const wasm::Instruction& instruction) {
  llvm::Value* condition = f_.ir().CreateIsNotNull(f_.pop());
  labels_.push_back(make_label(LabelKind::kIf, instruction.block));
  Label& made = labels_.back();
  made.height = f_.height() - made.params.size();
  made.else_params = f_.pop_many(made.params.size());
  for (llvm::Value* param : made.else_params) f_.push(param);
  llvm::BasicBlock* then_block = f_.new_block("then");
  made.else_block = f_.new_block("else");
  f_.ir().CreateCondBr(condition, then_block, made.else_block);
  f_.ir().SetInsertPoint(then_block);
}

void ControlEmitter::begin_else() {
  if (reachable_) jump(0);
  Label& open = labels_.back();
  f_.truncate(open.height);
  f_.ir().SetInsertPoint(open.else_block);
  for (llvm::Value* param : open.else_params) f_.push(param);
  open.else_block = nullptr;
  reachable_ = true;
}

void ControlEmitter::end_label() {
  if (labels_.back().else_block != nullptr) begin_else();  // `if` without `else`
  if (labels_.back().kind == LabelKind::kFunction) {
    if (reachable_) emit_return();
    reachable_ = false;
    labels_.pop_back();
    return;
  }
  if (labels_.back().kind != LabelKind::kLoop && labels_.back().target != nullptr) {
    if (reachable_) jump(0);
    const Label& closed = labels_.back();
    f_.truncate(closed.height);
    f_.ir().SetInsertPoint(closed.target);
    for (llvm::PHINode* value : closed.values) f_.push(value);
    reachable_ = true;
  }
  // A loop is left, and a label without branches is reached, only from above.
  labels_.pop_back();
}

void ControlEmitter::jump(uint32_t depth) {
  reachable_ = false;
  if (label(depth).kind == LabelKind::kFunction) {
    emit_return();
    return;
  }
  Label& to = label(depth);
  make_target(to);
  const size_t count = to.values.size();
  const std::vector<llvm::Value*> values = f_.pop_many(count);
  llvm::BasicBlock* from = f_.ir().GetInsertBlock();
  for (size_t i = 0; i < count; ++i) to.values[i]->addIncoming(values[i], from);
  for (llvm::Value* value : values) f_.push(value);
  f_.ir().CreateBr(to.target);
}

void ControlEmitter::jump_if(uint32_t depth, llvm::Value* condition) {
  llvm::BasicBlock* taken = f_.new_block("taken");
  llvm::BasicBlock* next = f_.new_block("next");
  f_.ir().CreateCondBr(condition, taken, next);
  f_.ir().SetInsertPoint(taken);
  jump(depth);
  f_.ir().SetInsertPoint(next);
  reachable_ = true;
}

void ControlEmitter::emit_return() {
  const size_t count = type_.results.size();
  const std::vector<llvm::Value*> values = f_.pop_many(count);
  llvm::IRBuilder<>& ir = f_.ir();
  std::vector<llvm::Value*> parts = values;
  if (ModuleEmitter::uses_result_area(type_)) {
    llvm::Value* area = f_.function().getArg(module_.area_position());
    for (size_t i = 0; i < count; ++i) {
      ir.CreateAlignedStore(values[i], ir.CreateConstGEP1_64(ir.getInt128Ty(), area, i),
                            llvm::Align(16));
    }
    parts.clear();
  }
  if (f_.fuel().is_on()) parts.push_back(f_.fuel().left());
  if (parts.empty()) {
    ir.CreateRetVoid();
  } else if (parts.size() == 1) {
    ir.CreateRet(parts[0]);
  } else {
    ir.CreateAggregateRet(parts.data(), static_cast<unsigned>(parts.size()));
  }
  for (llvm::Value* value : values) f_.push(value);
  reachable_ = false;
}

// The case number of `index` in a constant table: positions[min(index, last)].
llvm::Value* ControlEmitter::table_of_targets(const std::vector<uint32_t>& positions,
                                              llvm::Value* index) {
  llvm::IRBuilder<>& ir = f_.ir();
  llvm::Constant* contents = llvm::ConstantDataArray::get(module_.context(), positions);
  llvm::GlobalVariable* table = module_.private_constant(contents);
  llvm::Value* last = ir.getInt32(static_cast<uint32_t>(positions.size() - 1));
  llvm::Value* clamped = ir.CreateSelect(ir.CreateICmpULT(index, last), index, last);
  llvm::Value* wide = ir.CreateZExt(clamped, ir.getInt64Ty());
  return ir.CreateAlignedLoad(ir.getInt32Ty(), ir.CreateGEP(ir.getInt32Ty(), table, wide),
                              llvm::Align(4));
}

void ControlEmitter::emit_br_table(const wasm::Instruction& instruction) {
  const std::vector<uint32_t>& depths = instruction.labels;
  llvm::Value* index = f_.pop();
  llvm::BasicBlock* from = f_.ir().GetInsertBlock();

  // One block per label, however many entries name it.
  std::vector<uint32_t> distinct(depths);
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<llvm::BasicBlock*> blocks;
  for (const uint32_t depth : distinct) {
    blocks.push_back(f_.new_block("case"));
    f_.ir().SetInsertPoint(blocks.back());
    jump(depth);
  }
  std::vector<uint32_t> positions;
  positions.reserve(depths.size());
  for (const uint32_t depth : depths) {
    const auto found = std::lower_bound(distinct.begin(), distinct.end(), depth);
    positions.push_back(static_cast<uint32_t>(found - distinct.begin()));
  }

  f_.ir().SetInsertPoint(from);
  if (positions.size() > kSwitchTargetsMax && distinct.size() < positions.size()) {
    index = table_of_targets(positions, index);
    positions.resize(distinct.size());
    for (uint32_t i = 0; i < positions.size(); ++i) positions[i] = i;
  }
  const uint32_t cases = static_cast<uint32_t>(positions.size() - 1);
  llvm::SwitchInst* branch = f_.ir().CreateSwitch(index, blocks[positions[cases]], cases);
  for (uint32_t i = 0; i < cases; ++i) {
    branch->addCase(f_.ir().getInt32(i), blocks[positions[i]]);
  }
  reachable_ = false;
}

void ControlEmitter::emit_br_on_null(const wasm::Instruction& instruction) {
  llvm::Value* reference = f_.pop();
  jump_if(instruction.index, f_.ir().CreateIsNull(reference));
  f_.push(reference);
}

void ControlEmitter::emit_br_on_non_null(const wasm::Instruction& instruction) {
  llvm::Value* reference = f_.pop();
  f_.push(reference);
  jump_if(instruction.index, f_.ir().CreateIsNotNull(reference));
  f_.pop();
}

bool ControlEmitter::emit_structure(const wasm::Instruction& instruction) {
  switch (instruction.opcode) {
    case Opcode::nop:
      return true;
    case Opcode::block:
      labels_.push_back(make_label(LabelKind::kBlock, instruction.block));
      labels_.back().height = f_.height() - labels_.back().params.size();
      return true;
    case Opcode::loop:
      begin_loop(instruction);
      return true;
    case Opcode::if_:
      begin_if(instruction);
      return true;
    case Opcode::else_:
      begin_else();
      return true;
    case Opcode::end:
      end_label();
      return true;
    default:
      return false;
  }
}

bool ControlEmitter::emit_branch(const wasm::Instruction& instruction) {
  switch (instruction.opcode) {
    case Opcode::unreachable:
      f_.trap(guest_abi::TrapCode::kUnreachable);
      reachable_ = false;
      return true;
    case Opcode::br:
      jump(instruction.index);
      return true;
    case Opcode::br_if:
      jump_if(instruction.index, f_.ir().CreateIsNotNull(f_.pop()));
      return true;
    case Opcode::br_table:
      emit_br_table(instruction);
      return true;
    case Opcode::br_on_null:
      emit_br_on_null(instruction);
      return true;
    case Opcode::br_on_non_null:
      emit_br_on_non_null(instruction);
      return true;
    case Opcode::return_:
      emit_return();
      return true;
    default:
      return false;
  }
}

void ControlEmitter::emit_select() {
  llvm::Value* condition = f_.ir().CreateIsNotNull(f_.pop());
  llvm::Value* if_zero = f_.pop();
  llvm::Value* if_not_zero = f_.pop();
  f_.push(f_.ir().CreateSelect(condition, if_not_zero, if_zero));
}

// Unreachable code only opens and closes blocks.
void ControlEmitter::skip(const wasm::Instruction& instruction) {
  switch (instruction.opcode) {
    case Opcode::block:
    case Opcode::loop:
    case Opcode::if_:
      ++skipped_depth_;
      return;
    case Opcode::else_:
      if (skipped_depth_ == 0) begin_else();
      return;
    case Opcode::end:
      if (skipped_depth_ == 0) {
        end_label();
      } else {
        --skipped_depth_;
      }
      return;
    default:
      return;
  }
}

}  // namespace mayfly::compiler
