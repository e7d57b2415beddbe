// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// FuelMeter: what a function charges for its instructions (docs/fuel.md), and where it finds out
// that nothing is left.
//
// Invariants:
//   1. What is charged depends on the WebAssembly instructions that ran and on nothing else: it
//      is settled before every place where control can go two ways, and LLVM sees additions only.
//   2. Between two checks a guest runs at most one body once: loops check at their head, and
//      functions that call check where they start.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <cstdint>

#include "wasm/instruction.h"

namespace mayfly::compiler {

class FunctionEmitter;

uint32_t fuel_cost(wasm::Opcode opcode);

// CallPage::fuel.
llvm::Value* load_fuel(llvm::IRBuilder<>& ir);
void store_fuel(llvm::IRBuilder<>& ir, llvm::Value* fuel);

// Off until start() is called: every other method does nothing then.
class FuelMeter {
 public:
  explicit FuelMeter(FunctionEmitter& emitter) : f_(emitter) {}

  void start(llvm::Value* fuel);
  bool is_on() const { return variable_ != nullptr; }

  void charge(wasm::Opcode opcode) { due_ += fuel_cost(opcode); }
  // What is due is taken off, here.
  void settle();
  // Takes off `units` (an i64, below 2^60), and traps when that is more than there is.
  void charge_units(llvm::Value* units);
  void charge_bytes(llvm::Value* bytes);
  // Settles, and traps when less than nothing is left.
  void check();

  // Settled by the caller; only while the meter is on.
  llvm::Value* left();
  void set_left(llvm::Value* fuel);

 private:
  FunctionEmitter& f_;
  llvm::AllocaInst* variable_ = nullptr;
  uint64_t due_ = 0;
};

}  // namespace mayfly::compiler
