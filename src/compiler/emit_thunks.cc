// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// thunk.T: from the C ABI and slots to the Wasm ABI, for calls by the host.
#include <llvm/IR/Constants.h>
#include <llvm/IR/IRBuilder.h>

#include <set>
#include <string>

#include "compiler/emit_data.h"
#include "compiler/module_emitter.h"
#include "guest_abi/call_page.h"

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
    for (size_t i = 0; i < type.results.size(); ++i) {
      store_result(i, result(type, call, arguments, i));
    }
    ir_.CreateRetVoid();
  }

 private:
  llvm::Value* slot(llvm::Value* slots, size_t index) {
    return ir_.CreateConstGEP1_64(ir_.getInt8Ty(), slots, index * sizeof(guest_abi::Slot));
  }

  llvm::Value* result(const wasm::FuncType& type, llvm::CallInst* call,
                      const std::vector<llvm::Value*>& arguments, size_t index) {
    if (type.results.size() == 1) return call;
    if (type.results.size() == 2) {
      return ir_.CreateExtractValue(call, static_cast<unsigned>(index));
    }
    return ir_.CreateAlignedLoad(module_.value_type(type.results[index]), slot(arguments[0], index),
                                 llvm::Align(16));
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
  llvm::Type* nothing = llvm::Type::getVoidTy(module.context());
  ThunkEmitter(module, "thunk.instantiate").emit({}, llvm::FunctionType::get(nothing, false));
}

}  // namespace mayfly::compiler
