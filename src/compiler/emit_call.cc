// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls: direct, through a table, through a reference, and their tail forms.
#include <llvm/IR/Constants.h>
#include <llvm/IR/Instructions.h>

#include <cstddef>

#include "base/check.h"
#include "compiler/emit_bulk.h"
#include "compiler/emit_control.h"
#include "compiler/module_emitter.h"
#include "guest_abi/call_page.h"
#include "guest_abi/instance.h"

namespace mayfly::compiler {

namespace {

using guest_abi::FuncRef;
using guest_abi::TrapCode;
using wasm::Opcode;

struct Callee {
  llvm::Value* code = nullptr;
  uint32_t type_index = 0;
};

llvm::Value* code_of(FunctionEmitter& f, llvm::Value* reference) {
  // A null reference faults here, below kNullEnd.
  return f.load(f.ir().getPtrTy(),
                f.ir().CreateConstGEP1_64(f.ir().getInt8Ty(), reference, offsetof(FuncRef, code)));
}

Callee indirect_callee(FunctionEmitter& f, uint32_t table, uint32_t type_index) {
  llvm::IRBuilder<>& ir = f.ir();
  llvm::Value* entry = table_entry(f, table, f.pop(), TrapCode::kUndefinedElement);
  llvm::Value* reference = f.load(ir.getPtrTy(), entry);
  // A null entry faults here, at offsetof(type_id): the host knows it by that address.
  llvm::Value* type_id = f.load(ir.getInt32Ty(), ir.CreateConstGEP1_64(ir.getInt8Ty(), reference,
                                                                       offsetof(FuncRef, type_id)));
  f.trap_if(ir.CreateICmpNE(type_id, f.module().type_id(type_index)),
            TrapCode::kIndirectCallTypeMismatch);
  return {code_of(f, reference), type_index};
}

Callee callee_of(FunctionEmitter& f, const wasm::Instruction& instruction) {
  switch (instruction.opcode) {
    case Opcode::call:
    case Opcode::return_call:
      return {f.module().function(instruction.index),
              f.module().wasm().functions[instruction.index].type_index};
    case Opcode::call_indirect:
    case Opcode::return_call_indirect:
      return indirect_callee(f, instruction.index, instruction.index2);
    case Opcode::call_ref:
    case Opcode::return_call_ref:
      return {code_of(f, f.pop()), instruction.index};
    default:
      CHECK(false, static_cast<int>(instruction.opcode));
      return {};
  }
}

void push_results(FunctionEmitter& f, const wasm::FuncType& type, llvm::Value* result,
                  llvm::Value* area) {
  llvm::IRBuilder<>& ir = f.ir();
  const auto count = static_cast<unsigned>(type.results.size());
  const auto part = [&](unsigned i) {
    return result->getType()->isStructTy() ? ir.CreateExtractValue(result, i) : result;
  };
  for (unsigned i = 0; i < count; ++i) {
    if (area == nullptr) {
      f.push(part(i));
      continue;
    }
    llvm::Value* slot = ir.CreateConstGEP1_64(ir.getInt128Ty(), area, i);
    f.push(ir.CreateAlignedLoad(f.module().value_type(type.results[i]), slot, llvm::Align(16)));
  }
  if (f.fuel().is_on()) f.fuel().set_left(part(area == nullptr ? count : 0));
}

// As long as copies do not outweigh the caller.
void copy_if_small(FunctionEmitter& f, uint32_t callee, llvm::CallInst& call) {
  if (!f.module().shape().is_inlined(callee)) return;
  const auto& functions = f.module().wasm().functions;
  const uint64_t bytes = functions[callee].body.size;
  if (!f.take_copied_bytes(bytes)) return;
  call.addFnAttr(llvm::Attribute::AlwaysInline);
  f.module().want_copy(callee);
}

}  // namespace

bool is_tail_call(Opcode opcode) {
  return opcode == Opcode::return_call || opcode == Opcode::return_call_indirect ||
         opcode == Opcode::return_call_ref;
}

bool is_call(Opcode opcode) {
  return opcode == Opcode::call || opcode == Opcode::call_indirect || opcode == Opcode::call_ref ||
         is_tail_call(opcode);
}

void emit_call(FunctionEmitter& f, const wasm::Instruction& instruction) {
  llvm::IRBuilder<>& ir = f.ir();
  const Callee callee = callee_of(f, instruction);
  const wasm::FuncType& type = f.module().wasm().types[callee.type_index].func;
  const bool is_tail = is_tail_call(instruction.opcode);
  std::vector<llvm::Value*> arguments = f.pop_many(type.params.size());
  llvm::Value* area = nullptr;
  if (ModuleEmitter::uses_result_area(type)) {
    // A tail call has the caller's results, so it hands on the caller's area.
    area = is_tail ? f.function().getArg(f.module().area_position())
                   : f.result_area(type.results.size());
    arguments.insert(arguments.begin(), area);
  }
  if (f.fuel().is_on()) arguments.insert(arguments.begin(), f.fuel().left());
  llvm::CallInst* call =
      ir.CreateCall(f.module().function_type(callee.type_index), callee.code, arguments);
  call->setCallingConv(llvm::CallingConv::Tail);
  if (!is_tail) {
    if (instruction.opcode == Opcode::call) copy_if_small(f, instruction.index, *call);
    push_results(f, type, call, area);
    return;
  }
  call->setTailCallKind(llvm::CallInst::TCK_MustTail);
  if (call->getType()->isVoidTy()) {
    ir.CreateRetVoid();
  } else {
    ir.CreateRet(call);
  }
}

}  // namespace mayfly::compiler
