// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// References: null is address 0, a function's is the address of its FuncRef.
#include <llvm/IR/Constants.h>

#include "base/check.h"
#include "compiler/function_emitter.h"
#include "compiler/module_emitter.h"

namespace mayfly::compiler {

void emit_reference(FunctionEmitter& f, const wasm::Instruction& instruction) {
  llvm::IRBuilder<>& ir = f.ir();
  switch (instruction.opcode) {
    case wasm::Opcode::ref_null:
      return f.push(llvm::ConstantPointerNull::get(ir.getPtrTy()));
    case wasm::Opcode::ref_is_null:
      return f.push(ir.CreateZExt(ir.CreateIsNull(f.pop()), ir.getInt32Ty()));
    case wasm::Opcode::ref_func:
      return f.push(f.module().funcref(instruction.index));
    case wasm::Opcode::ref_as_non_null: {
      llvm::Value* reference = f.pop();
      f.trap_if(ir.CreateIsNull(reference), guest_abi::TrapCode::kNullReference);
      return f.push(reference);
    }
    default:
      CHECK(false, wasm::to_string(instruction.opcode));
  }
}

}  // namespace mayfly::compiler
