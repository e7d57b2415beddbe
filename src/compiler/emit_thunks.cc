// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// thunk.T: from the C ABI and slots to the Wasm ABI, for calls by the host.
#include <llvm/IR/Constants.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Intrinsics.h>

#include <set>
#include <string>

#include "compiler/emit_data.h"
#include "compiler/fuel_meter.h"
#include "compiler/module_emitter.h"
#include "guest_abi/call_page.h"
#include "guest_abi/trap.h"

namespace mayfly::compiler {

namespace {

class ThunkEmitter {
 public:
  ThunkEmitter(ModuleEmitter& module, const std::string& name)
      : module_(module), ir_(module.context()) {
    llvm::Type* ptr = ir_.getPtrTy();
    llvm::Function* thunk =
        module.new_function(llvm::FunctionType::get(ir_.getVoidTy(), {ptr, ptr}, false), name);
    thunk->setCallingConv(llvm::CallingConv::C);
    ir_.SetInsertPoint(llvm::BasicBlock::Create(module.context(), "entry", thunk));
    code_ = thunk->getArg(0);
    slots_ = thunk->getArg(1);
  }

  void emit(const wasm::FuncType& type, llvm::FunctionType* code_type) {
    std::vector<llvm::Value*> arguments;
    if (module_.counts_fuel()) arguments.push_back(load_fuel(ir_));
    // An area of its own: the slots serve other calls while this one runs.
    if (ModuleEmitter::uses_result_area(type)) {
      llvm::AllocaInst* area =
          ir_.CreateAlloca(ir_.getInt128Ty(), ir_.getInt64(type.results.size()));
      area->setAlignment(llvm::Align(16));
      arguments.push_back(area);
    }
    for (size_t i = 0; i < type.params.size(); ++i) {
      arguments.push_back(ir_.CreateAlignedLoad(module_.value_type(type.params[i]), slot(slots_, i),
                                                llvm::Align(16)));
    }
    llvm::CallInst* call = ir_.CreateCall(code_type, code_, arguments);
    call->setCallingConv(llvm::CallingConv::Tail);
    const auto count = static_cast<unsigned>(type.results.size());
    for (unsigned i = 0; i < count; ++i) store_result(i, result(type, call, arguments, i));
    if (module_.counts_fuel()) {
      take_fuel(part(call, ModuleEmitter::uses_result_area(type) ? 0 : count));
    }
    ir_.CreateRetVoid();
  }

 private:
  llvm::Value* slot(llvm::Value* slots, size_t index) {
    return ir_.CreateConstGEP1_64(ir_.getInt8Ty(), slots, index * sizeof(guest_abi::Slot));
  }

  llvm::Value* result(const wasm::FuncType& type, llvm::CallInst* call,
                      const std::vector<llvm::Value*>& arguments, unsigned index) {
    if (!ModuleEmitter::uses_result_area(type)) return part(call, index);
    return ir_.CreateAlignedLoad(module_.value_type(type.results[index]),
                                 slot(arguments[module_.area_position()], index), llvm::Align(16));
  }

  llvm::Value* part(llvm::Value* returned, unsigned index) {
    if (!returned->getType()->isStructTy()) return returned;
    return ir_.CreateExtractValue(returned, index);
  }

  // A call that took more than there was has no results.
  void take_fuel(llvm::Value* left) {
    store_fuel(ir_, left);
    llvm::Function* thunk = ir_.GetInsertBlock()->getParent();
    llvm::BasicBlock* empty = llvm::BasicBlock::Create(module_.context(), "empty", thunk);
    llvm::BasicBlock* next = llvm::BasicBlock::Create(module_.context(), "next", thunk);
    ir_.CreateCondBr(ir_.CreateICmpSLT(left, ir_.getInt64(0)), empty, next);
    ir_.SetInsertPoint(empty);
    const auto code = static_cast<uint8_t>(guest_abi::TrapCode::kOutOfFuel);
    ir_.CreateIntrinsic(llvm::Intrinsic::ubsantrap, {}, {ir_.getInt8(code)});
    ir_.CreateUnreachable();
    ir_.SetInsertPoint(next);
  }

  // All 16 bytes: what a value does not fill is zero.
  void store_result(size_t index, llvm::Value* value) {
    llvm::Type* type = value->getType();
    if (!type->isVectorTy()) {
      if (type->isPointerTy()) {
        value = ir_.CreatePtrToInt(value, ir_.getInt64Ty());
      } else if (!type->isIntegerTy()) {
        value = ir_.CreateBitCast(value, ir_.getIntNTy(type->getScalarSizeInBits()));
      }
      value = ir_.CreateZExt(value, ir_.getInt64Ty());
      llvm::Value* zero =
          llvm::Constant::getNullValue(llvm::FixedVectorType::get(ir_.getInt64Ty(), 2));
      value = ir_.CreateInsertElement(zero, value, uint64_t{0});
    }
    ir_.CreateAlignedStore(value, slot(slots_, index), llvm::Align(16));
  }

  ModuleEmitter& module_;
  llvm::IRBuilder<> ir_;
  llvm::Value* code_ = nullptr;
  llvm::Value* slots_ = nullptr;
};

}  // namespace

void emit_thunks(ModuleEmitter& module) {
  std::set<uint32_t> types;
  for (const wasm::Export& entry : module.wasm().exports) {
    if (entry.kind != wasm::ExternKind::kFunc) continue;
    types.insert(module.wasm().functions[entry.index].type_index);
  }
  for (const uint32_t type : types) {
    ThunkEmitter(module, symbol("thunk", type))
        .emit(module.wasm().types[type].func, module.function_type(type));
  }
  ThunkEmitter(module, "thunk.instantiate").emit({}, module.instantiate_type());
}

}  // namespace mayfly::compiler
