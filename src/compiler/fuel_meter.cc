// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of docs/fuel.md, and the code that counts.
#include "compiler/fuel_meter.h"

#include <cstddef>

#include "compiler/function_emitter.h"
#include "guest_abi/call_page.h"

namespace mayfly::compiler {

using wasm::Opcode;

namespace {

// Bulk operations on memories: one unit for as many bytes as the widest access has.
constexpr unsigned kBytesPerUnitLog2 = 4;

llvm::Value* fuel_cell(llvm::IRBuilder<>& ir) {
  constexpr uint64_t kAddress = guest_abi::kCallPage + offsetof(guest_abi::CallPage, fuel);
  return ir.CreateIntToPtr(ir.getInt64(kAddress), ir.getPtrTy());
}

}  // namespace

// What is free costs no machine instruction of its own.
uint32_t fuel_cost(Opcode opcode) {
  switch (opcode) {
    case Opcode::unreachable:
    case Opcode::nop:
    case Opcode::block:
    case Opcode::loop:
    case Opcode::else_:
    case Opcode::end:
    case Opcode::drop:
    case Opcode::local_get:
    case Opcode::local_set:
    case Opcode::local_tee:
    case Opcode::i32_const:
    case Opcode::i64_const:
    case Opcode::f32_const:
    case Opcode::f64_const:
    case Opcode::v128_const:
      return 0;
    default:
      return 1;
  }
}

llvm::Value* load_fuel(llvm::IRBuilder<>& ir) {
  return ir.CreateAlignedLoad(ir.getInt64Ty(), fuel_cell(ir), llvm::Align(8), /*isVolatile=*/true);
}

void store_fuel(llvm::IRBuilder<>& ir, llvm::Value* fuel) {
  ir.CreateAlignedStore(fuel, fuel_cell(ir), llvm::Align(8), /*isVolatile=*/true);
}

void FuelMeter::start(llvm::Value* fuel) {
  variable_ = f_.new_variable(f_.ir().getInt64Ty(), fuel);
}

llvm::Value* FuelMeter::left() { return f_.ir().CreateLoad(f_.ir().getInt64Ty(), variable_); }

void FuelMeter::set_left(llvm::Value* fuel) { f_.ir().CreateStore(fuel, variable_); }

void FuelMeter::settle() {
  if (is_on() && due_ != 0) set_left(f_.ir().CreateSub(left(), f_.ir().getInt64(due_)));
  due_ = 0;
}

void FuelMeter::charge_units(llvm::Value* units) {
  if (!is_on()) return;
  set_left(f_.ir().CreateSub(left(), units));
  check();
}

void FuelMeter::charge_bytes(llvm::Value* bytes) {
  if (is_on()) charge_units(f_.ir().CreateLShr(bytes, kBytesPerUnitLog2));
}

void FuelMeter::check() {
  if (!is_on()) return;
  settle();
  llvm::IRBuilder<>& ir = f_.ir();
  llvm::Value* fuel = left();
  llvm::BasicBlock* empty = f_.new_block("empty");
  llvm::BasicBlock* next = f_.new_block("next");
  ir.CreateCondBr(ir.CreateICmpSLT(fuel, ir.getInt64(0)), empty, next);
  ir.SetInsertPoint(empty);
  store_fuel(ir, fuel);
  f_.trap(guest_abi::TrapCode::kOutOfFuel);
  ir.SetInsertPoint(next);
}

}  // namespace mayfly::compiler
