// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// To the guest library: a C call with the MemoryInfo of the binding's memories in front.
// To the host: the arguments to the call page's slots, mayfly_host_call, the results from there.
#include "compiler/adapter_emitter.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include "base/check.h"
#include "compiler/code_generator.h"
#include "compiler/fuel_meter.h"
#include "compiler/instance_symbols.h"
#include "guest_abi/call_page.h"

namespace mayfly::compiler {
namespace {

using image::Binding;

class AdapterEmitter {
 public:
  AdapterEmitter(const PlanView& plan, const image::BuildOptions& options)
      : plan_(plan), counts_fuel_(options.fuel), module_("adapters", context_), ir_(context_) {
    module_.setUwtable(llvm::UWTableKind::Async);
  }

  bool emit_all() {
    for (uint32_t step = 0; step < plan_.step_count(); ++step) {
      const wasm::Module& module = plan_.module_of(step);
      for (uint32_t index = 0; index < module.imported_functions; ++index) {
        const Target target = plan_.resolve(step, wasm::ExternKind::kFunc, index);
        if (target.kind != Binding::Kind::kInstance) emit(step, index, *target.binding);
      }
    }
    return !module_.empty();
  }
  llvm::Module& module() { return module_; }

 private:
  llvm::Type* value_type(const wasm::ValType& type) {
    switch (type.kind) {
      case wasm::ValKind::kI32:
        return ir_.getInt32Ty();
      case wasm::ValKind::kI64:
        return ir_.getInt64Ty();
      case wasm::ValKind::kF32:
        return ir_.getFloatTy();
      case wasm::ValKind::kF64:
        return ir_.getDoubleTy();
      case wasm::ValKind::kV128:
        return llvm::FixedVectorType::get(ir_.getInt64Ty(), 2);
      default:
        return ir_.getPtrTy();
    }
  }

  // abi.h: one or two results are returned, more go to an area whose address comes first.
  static bool uses_result_area(const wasm::FuncType& type) { return type.results.size() > 2; }

  llvm::FunctionType* function_type(const wasm::FuncType& type) {
    std::vector<llvm::Type*> params;
    if (counts_fuel_) params.push_back(ir_.getInt64Ty());
    if (uses_result_area(type)) params.push_back(ir_.getPtrTy());
    for (const wasm::ValType& param : type.params) params.push_back(value_type(param));
    std::vector<llvm::Type*> parts;
    if (!uses_result_area(type)) {
      for (const wasm::ValType& result : type.results) parts.push_back(value_type(result));
    }
    if (counts_fuel_) parts.push_back(ir_.getInt64Ty());
    llvm::Type* result = ir_.getVoidTy();
    if (parts.size() == 1) result = parts[0];
    if (parts.size() > 1) result = llvm::StructType::get(context_, parts);
    return llvm::FunctionType::get(result, params, false);
  }

  // The callee may read the fuel, and a host function that calls back uses some.
  void leave_wasm(llvm::Function& function) {
    if (counts_fuel_) store_fuel(ir_, function.getArg(0));
  }

  void return_to_wasm(std::vector<llvm::Value*> results) {
    if (counts_fuel_) results.push_back(load_fuel(ir_));
    if (results.empty()) {
      ir_.CreateRetVoid();
    } else if (results.size() == 1) {
      ir_.CreateRet(results[0]);
    } else {
      ir_.CreateAggregateRet(results.data(), static_cast<unsigned>(results.size()));
    }
  }

  llvm::GlobalVariable* declare(const std::string& name) {
    llvm::Constant* known = module_.getOrInsertGlobal(name, ir_.getInt8Ty());
    auto* variable = llvm::cast<llvm::GlobalVariable>(known);
    variable->setDSOLocal(true);
    return variable;
  }

  void emit(uint32_t step, uint32_t index, const Binding& binding) {
    const wasm::FuncType& type = plan_.module_of(step).func_type(index);
    llvm::Function* function = llvm::Function::Create(
        function_type(type), llvm::Function::ExternalLinkage, adapter_symbol(step, index), module_);
    function->setCallingConv(llvm::CallingConv::Tail);
    function->addFnAttr(llvm::Attribute::NoUnwind);
    function->addFnAttr("no-builtins");
    function->setUWTableKind(llvm::UWTableKind::Async);
    ir_.SetInsertPoint(llvm::BasicBlock::Create(context_, "", function));
    if (binding.kind == Binding::Kind::kGuest) {
      emit_guest_call(step, type, binding, *function);
    } else {
      emit_host_call(type, binding.host_index, *function);
    }
    emit_funcref(step, index, *function);
  }

  llvm::Constant* memory_info(uint32_t step, uint32_t index) {
    if (index == image::kNoMemory) return llvm::ConstantPointerNull::get(ir_.getPtrTy());
    const Target memory = plan_.resolve(step, wasm::ExternKind::kMemory, index);
    return declare(image_symbol(memory.definition, "mem") + ".info");
  }

  void emit_guest_call(uint32_t step, const wasm::FuncType& type, const Binding& binding,
                       llvm::Function& function) {
    std::vector<llvm::Value*> arguments;
    for (const uint32_t memory : binding.memories) arguments.push_back(memory_info(step, memory));
    const unsigned first = counts_fuel_ ? 1 : 0;
    for (size_t i = 0; i < type.params.size(); ++i) {
      arguments.push_back(function.getArg(first + static_cast<unsigned>(i)));
    }
    std::vector<llvm::Type*> types;
    for (const llvm::Value* argument : arguments) types.push_back(argument->getType());
    CHECK(type.results.size() <= 1, type.results.size());
    llvm::Type* result = type.results.empty() ? ir_.getVoidTy() : value_type(type.results[0]);
    const llvm::FunctionCallee callee =
        module_.getOrInsertFunction(binding.symbol, llvm::FunctionType::get(result, types, false));
    leave_wasm(function);
    llvm::CallInst* call = ir_.CreateCall(callee, arguments);
    std::vector<llvm::Value*> results;
    if (!type.results.empty()) results.push_back(call);
    return_to_wasm(std::move(results));
  }

  llvm::Value* slot(size_t index, uint64_t offset = 0) {
    const uint64_t address = guest_abi::kCallPage + offsetof(guest_abi::CallPage, slots) +
                             index * sizeof(guest_abi::Slot) + offset;
    return ir_.CreateIntToPtr(ir_.getInt64(address), ir_.getPtrTy());
  }

  // Both words of a slot, so that nothing of an earlier call shows.
  void store_slot(size_t index, llvm::Value* value) {
    llvm::Type* type = value->getType();
    if (type->isVectorTy()) {
      ir_.CreateStore(value, slot(index));
      return;
    }
    if (type->isPointerTy()) value = ir_.CreatePtrToInt(value, ir_.getInt64Ty());
    if (type->isFloatTy()) value = ir_.CreateBitCast(value, ir_.getInt32Ty());
    if (type->isDoubleTy()) value = ir_.CreateBitCast(value, ir_.getInt64Ty());
    ir_.CreateStore(ir_.CreateZExt(value, ir_.getInt64Ty()), slot(index));
    ir_.CreateStore(ir_.getInt64(0), slot(index, sizeof(uint64_t)));
  }

  void emit_host_call(const wasm::FuncType& type, uint32_t host_index, llvm::Function& function) {
    const unsigned area = counts_fuel_ ? 1 : 0;
    const unsigned first = area + (uses_result_area(type) ? 1 : 0);
    for (unsigned i = 0; i < type.params.size(); ++i) store_slot(i, function.getArg(first + i));
    const llvm::FunctionCallee callee =
        module_.getOrInsertFunction("mayfly_host_call", ir_.getVoidTy(), ir_.getInt32Ty());
    leave_wasm(function);
    ir_.CreateCall(callee, {ir_.getInt32(host_index)});
    std::vector<llvm::Value*> results;
    for (size_t i = 0; i < type.results.size(); ++i) {
      results.push_back(ir_.CreateLoad(value_type(type.results[i]), slot(i)));
    }
    if (uses_result_area(type)) {
      for (size_t i = 0; i < results.size(); ++i) {
        llvm::Value* to = ir_.CreateConstGEP1_64(ir_.getInt8Ty(), function.getArg(area),
                                                 i * sizeof(guest_abi::Slot));
        ir_.CreateStore(results[i], to);
      }
      results.clear();
    }
    return_to_wasm(std::move(results));
  }

  void emit_funcref(uint32_t step, uint32_t index, llvm::Function& function) {
    const wasm::Module& module = plan_.module_of(step);
    const uint32_t type = plan_.type_number(step, module.functions[index].type_index);
    llvm::Constant* contents =
        llvm::ConstantStruct::getAnon({&function, ir_.getInt32(type), ir_.getInt32(index)});
    static_assert(sizeof(guest_abi::FuncRef) == 16);
    auto* variable = llvm::cast<llvm::GlobalVariable>(
        module_.getOrInsertGlobal(adapter_funcref_symbol(step, index), contents->getType()));
    variable->setInitializer(contents);
    variable->setConstant(true);
    variable->setAlignment(llvm::Align(16));
  }

  const PlanView& plan_;
  bool counts_fuel_;
  llvm::LLVMContext context_;
  llvm::Module module_;
  llvm::IRBuilder<> ir_;
};

}  // namespace

Result<std::vector<uint8_t>> emit_adapters(const PlanView& plan,
                                           const image::BuildOptions& options) {
  initialize_llvm();
  AdapterEmitter emitter(plan, options);
  if (!emitter.emit_all()) return std::vector<uint8_t>();
  CompileOptions compile;
  compile.cpu = options.cpu;
  compile.name = "adapters";
  return generate_object(emitter.module(), options.opt_level, compile);
}

}  // namespace mayfly::compiler
