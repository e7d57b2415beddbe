// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A function's body: its locals, and the walk that hands each instruction to its family.
#include <llvm/IR/DebugInfoMetadata.h>

#include <algorithm>
#include <iterator>

#include "compiler/emit_control.h"
#include "compiler/module_emitter.h"

namespace mayfly::compiler {

namespace {

using wasm::Opcode;

// Instructions that leave no machine instruction whose place somebody asks for.
bool has_location(Opcode opcode) {
  switch (opcode) {
    case Opcode::nop:
    case Opcode::block:
    case Opcode::drop:
    case Opcode::end:
    case Opcode::else_:
    case Opcode::local_get:
    case Opcode::local_set:
    case Opcode::local_tee:
    case Opcode::i32_const:
    case Opcode::i64_const:
    case Opcode::f32_const:
    case Opcode::f64_const:
    case Opcode::v128_const:
      return false;
    default:
      return true;
  }
}

// Code generation takes time that grows with the square of a block, so a long one is cut where
// nothing is optimized, which is where such blocks occur.
constexpr uint32_t kBlockInstructionsMax = 4'000;

// Where more than one way leads on, or another function.
bool directs_control(Opcode opcode) {
  return (opcode <= Opcode::return_call_ref && opcode != Opcode::nop) ||
         opcode == Opcode::br_on_null || opcode == Opcode::br_on_non_null;
}

bool is_memory(Opcode opcode) {
  return (opcode >= Opcode::i32_load && opcode <= Opcode::memory_grow) ||
         opcode == Opcode::memory_init || opcode == Opcode::data_drop ||
         opcode == Opcode::memory_copy || opcode == Opcode::memory_fill;
}

bool is_table(Opcode opcode) {
  return opcode == Opcode::table_get || opcode == Opcode::table_set ||
         (opcode >= Opcode::table_init && opcode <= Opcode::table_fill);
}

bool is_reference(Opcode opcode) {
  return opcode >= Opcode::ref_null && opcode <= Opcode::ref_as_non_null;
}

}  // namespace

ControlEmitter::ControlEmitter(FunctionEmitter& emitter, uint32_t function_index)
    : f_(emitter),
      module_(emitter.module()),
      type_(module_.wasm().func_type(function_index)),
      function_index_(function_index) {}

void ControlEmitter::set_location(const wasm::Instruction& instruction) {
  if (!has_location(instruction.opcode)) return;
  f_.ir().SetCurrentDebugLocation(llvm::DILocation::get(module_.context(),
                                                        static_cast<unsigned>(instruction.offset),
                                                        0, f_.function().getSubprogram()));
}

void ControlEmitter::emit_body() {
  wasm::InstructionReader reader(module_.shape().bytes,
                                 module_.wasm().functions[function_index_].body);
  uint32_t first = 0;
  for (const wasm::ValType& param : type_.params) local_groups_.emplace_back(++first, param);
  for (const wasm::LocalGroup& group : reader.read_locals()) {
    if (group.count == 0) continue;
    first += group.count;
    local_groups_.emplace_back(first, group.type);
  }
  llvm::BasicBlock* body = f_.new_block("body");
  f_.ir().SetInsertPoint(body);
  if (module_.counts_fuel()) {
    f_.fuel().start(f_.function().getArg(0));
    if (module_.shape().has_calls(function_index_)) f_.fuel().check();
  }
  Label whole;
  whole.kind = LabelKind::kFunction;
  labels_.push_back(std::move(whole));
  uint32_t count = 0;
  while (!labels_.empty()) {
    const wasm::Instruction& instruction = reader.next();
    if (reachable_) {
      if (++count % kBlockInstructionsMax == 0) cut_block();
      set_location(instruction);
      emit(instruction);
    } else {
      skip(instruction);
    }
  }
  f_.finish_entry(body);
}

void ControlEmitter::cut_block() {
  llvm::BasicBlock* next = f_.new_block("next");
  f_.ir().CreateBr(next);
  f_.ir().SetInsertPoint(next);
}

void ControlEmitter::emit(const wasm::Instruction& instruction) {
  f_.fuel().charge(instruction.opcode);
  if (directs_control(instruction.opcode)) f_.fuel().settle();
  if (emit_variable(instruction) || emit_structure(instruction) || emit_branch(instruction)) return;
  if (is_call(instruction.opcode)) {
    emit_call(f_, instruction);
    if (is_tail_call(instruction.opcode)) reachable_ = false;
    return;
  }
  emit_operation(instruction);
}

void ControlEmitter::emit_operation(const wasm::Instruction& instruction) {
  const Opcode opcode = instruction.opcode;
  if (is_memory(opcode)) {
    emit_memory(f_, instruction);
  } else if (is_table(opcode)) {
    emit_table(f_, instruction);
  } else if (is_reference(opcode)) {
    emit_reference(f_, instruction);
  } else if (static_cast<uint16_t>(opcode) >= 0x300) {
    emit_simd(f_, instruction);
  } else {
    emit_numeric(f_, instruction);
  }
}

bool ControlEmitter::emit_variable(const wasm::Instruction& instruction) {
  llvm::IRBuilder<>& ir = f_.ir();
  switch (instruction.opcode) {
    case Opcode::drop:
      f_.pop();
      return true;
    case Opcode::select:
    case Opcode::select_t:
      emit_select();
      return true;
    case Opcode::local_get: {
      llvm::AllocaInst* variable = local(instruction.index);
      f_.push(ir.CreateLoad(variable->getAllocatedType(), variable));
      return true;
    }
    case Opcode::local_set:
      ir.CreateStore(f_.pop(), local(instruction.index));
      return true;
    case Opcode::local_tee: {
      llvm::Value* value = f_.pop();
      ir.CreateStore(value, local(instruction.index));
      f_.push(value);
      return true;
    }
    case Opcode::global_get:
      f_.push(f_.load_global(instruction.index));
      return true;
    case Opcode::global_set:
      f_.store(f_.pop(), module_.global(instruction.index));
      return true;
    default:
      return false;
  }
}

wasm::ValType ControlEmitter::local_type(uint32_t index) const {
  const auto group = std::upper_bound(
      local_groups_.begin(), local_groups_.end(), index,
      [](uint32_t wanted, const auto& candidate) { return wanted < candidate.first; });
  return group->second;
}

llvm::AllocaInst* ControlEmitter::local(uint32_t index) {
  llvm::AllocaInst*& variable = locals_[index];
  if (variable != nullptr) return variable;
  llvm::Type* type = module_.value_type(local_type(index));
  llvm::Value* initial = llvm::Constant::getNullValue(type);
  if (index < type_.params.size()) {
    initial = f_.function().getArg(index + module_.first_param(type_));
  }
  variable = f_.new_variable(type, initial);
  return variable;
}

void emit_function(ModuleEmitter& module, uint32_t function_index) {
  llvm::Function* function = module.function(function_index);
  module.attach_subprogram(*function, module.wasm().functions[function_index].body.offset);
  FunctionEmitter emitter(module, *function, function_index);
  ControlEmitter(emitter, function_index).emit_body();
}

}  // namespace mayfly::compiler
