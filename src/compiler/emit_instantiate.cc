// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `instantiate`: what data alone cannot say, done by code, in the order of the spec. A step that
// traps leaves the effects of those before it.
#include <llvm/IR/Constants.h>

#include <memory>
#include <string>

#include "compiler/emit_bulk.h"
#include "compiler/emit_data.h"
#include "compiler/function_emitter.h"
#include "compiler/module_emitter.h"

namespace mayfly::compiler {

namespace {

using wasm::Opcode;

// Steps per LLVM function, so that the time to compile them stays linear in their number.
constexpr uint32_t kStepsMax = 128;

void emit_instruction(FunctionEmitter& f, const wasm::Instruction& instruction) {
  if (instruction.opcode == Opcode::global_get) {
    f.push(f.load_global(instruction.index));
  } else if (instruction.opcode == Opcode::ref_null || instruction.opcode == Opcode::ref_func) {
    emit_reference(f, instruction);
  } else if (instruction.opcode == Opcode::v128_const) {
    emit_simd(f, instruction);
  } else {
    emit_numeric(f, instruction);
  }
}

class InstantiateEmitter {
 public:
  explicit InstantiateEmitter(ModuleEmitter& module) : module_(module), wasm_(module.wasm()) {
    whole_ = module.new_function(module.instantiate_type(), "instantiate");
    whole_block_ = llvm::BasicBlock::Create(module_.context(), "entry", whole_);
  }

  // wasm-3.0 #exec-instantiation: globals, tables, element and data segments, start.
  void emit() {
    for (uint32_t i = wasm_.imported_globals; i < wasm_.globals.size(); ++i) init_global(i);
    for (uint32_t i = wasm_.imported_tables; i < wasm_.tables.size(); ++i) init_table(i);
    for (uint32_t i = 0; i < wasm_.elements.size(); ++i) init_references(i);
    for (uint32_t i = 0; i < wasm_.elements.size(); ++i) init_elements(i);
    for (uint32_t i = 0; i < wasm_.data.size(); ++i) init_data(i);
    finish_part();
    llvm::IRBuilder<> ir(whole_block_);
    if (!module_.counts_fuel()) {
      if (wasm_.start) call(ir, module_.function(*wasm_.start), {});
      ir.CreateRetVoid();
      return;
    }
    llvm::Value* fuel = whole_->getArg(0);
    if (wasm_.start) fuel = call(ir, module_.function(*wasm_.start), fuel);
    ir.CreateRet(fuel);
  }

 private:
  llvm::Function* new_function(const std::string& name) {
    llvm::Type* nothing = llvm::Type::getVoidTy(module_.context());
    return module_.new_function(llvm::FunctionType::get(nothing, false), name);
  }

  llvm::Value* call(llvm::IRBuilder<>& ir, llvm::Function* callee,
                    llvm::ArrayRef<llvm::Value*> arguments) {
    llvm::CallInst* made = ir.CreateCall(callee, arguments);
    made->setCallingConv(llvm::CallingConv::Tail);
    return made;
  }

  // The emitter of the next step's code.
  FunctionEmitter& step() {
    if (steps_ == kStepsMax) finish_part();
    if (part_ == nullptr) {
      llvm::Function* function = new_function(symbol("instantiate", parts_++));
      function->setLinkage(llvm::GlobalValue::InternalLinkage);
      function->addFnAttr(llvm::Attribute::NoInline);
      llvm::IRBuilder<> ir(whole_block_);
      call(ir, function, {});
      part_ = std::make_unique<FunctionEmitter>(module_, *function, wasm::kNoIndex);
      part_block_ = part_->new_block("body");
      part_->ir().SetInsertPoint(part_block_);
      steps_ = 0;
    }
    ++steps_;
    return *part_;
  }

  void finish_part() {
    if (part_ == nullptr) return;
    part_->ir().CreateRetVoid();
    part_->finish_entry(part_block_);
    part_.reset();
  }

  bool is_known(const wasm::ConstExpr& expression) const {
    return evaluate(module_.shape().bytes, expression, module_.shape().globals).kind !=
           ConstantValue::Kind::kUnknown;
  }

  llvm::Value* value_of(FunctionEmitter& f, const wasm::ConstExpr& expression) {
    wasm::InstructionReader reader(module_.shape().bytes, expression.code);
    while (!reader.at_end()) {
      const wasm::Instruction& instruction = reader.next();
      if (instruction.opcode == Opcode::end) break;
      emit_instruction(f, instruction);
    }
    return f.pop();
  }

  void init_global(uint32_t index) {
    if (module_.shape().globals[index].kind != ConstantValue::Kind::kUnknown) return;
    FunctionEmitter& f = step();
    f.store(value_of(f, wasm_.globals[index].init), module_.global(index));
  }

  void init_table(uint32_t index) {
    const wasm::Table& table = wasm_.tables[index];
    if (!table.init) return;
    FunctionEmitter& f = step();
    emit_table_fill(f, index, f.ir().getInt64(0), value_of(f, *table.init),
                    f.ir().getInt64(table.type.limits.min));
  }

  void init_references(uint32_t index) {
    const wasm::ElementSegment& segment = wasm_.elements[index];
    for (size_t i = 0; i < segment.expressions.size(); ++i) {
      if (is_known(segment.expressions[i])) continue;
      FunctionEmitter& f = step();
      f.store(value_of(f, segment.expressions[i]),
              f.ir().CreateConstGEP1_64(f.ir().getInt64Ty(), module_.element_segment(index), i));
    }
  }

  void init_elements(uint32_t index) {
    const wasm::ElementSegment& segment = wasm_.elements[index];
    if (segment.mode != wasm::SegmentMode::kActive) return;
    FunctionEmitter& f = step();
    llvm::IRBuilder<>& ir = f.ir();
    llvm::Value* offset = ir.CreateZExt(value_of(f, segment.offset), ir.getInt64Ty());
    emit_table_init(f, segment.table_index, index, offset, ir.getInt64(0),
                    ir.getInt64(segment.size()));
    f.store(ir.getInt64(0), module_.element_segment_size(index));
  }

  void init_data(uint32_t index) {
    const wasm::DataSegment& segment = wasm_.data[index];
    if (segment.mode != wasm::SegmentMode::kActive) return;
    FunctionEmitter& f = step();
    llvm::IRBuilder<>& ir = f.ir();
    llvm::Value* offset = ir.CreateZExt(value_of(f, segment.offset), ir.getInt64Ty());
    emit_memory_init(f, segment.memory_index, index, offset, ir.getInt64(0),
                     ir.getInt64(segment.bytes.size));
    f.store(ir.getInt64(0), module_.data_segment_size(index));
  }

  ModuleEmitter& module_;
  const wasm::Module& wasm_;
  llvm::Function* whole_ = nullptr;
  llvm::BasicBlock* whole_block_ = nullptr;
  std::unique_ptr<FunctionEmitter> part_;
  llvm::BasicBlock* part_block_ = nullptr;
  uint32_t parts_ = 0;
  uint32_t steps_ = 0;
};

}  // namespace

void emit_instantiate(ModuleEmitter& module) { InstantiateEmitter(module).emit(); }

}  // namespace mayfly::compiler
