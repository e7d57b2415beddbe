// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CodeWriter: the body of one generated WebAssembly function, instruction by instruction.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "component/abi_layout.h"
#include "component/binary_writer.h"

namespace mayfly::linker {

using component::Flat;

// Opcodes that adapters use (wasm-3.0 #binary-instr).
enum class Op : uint8_t {
  kUnreachable = 0x00,
  kBlock = 0x02,
  kLoop = 0x03,
  kIf = 0x04,
  kElse = 0x05,
  kEnd = 0x0b,
  kBr = 0x0c,
  kBrIf = 0x0d,
  kBrTable = 0x0e,
  kCall = 0x10,
  kLocalGet = 0x20,
  kLocalSet = 0x21,
  kLocalTee = 0x22,
  kGlobalGet = 0x23,
  kGlobalSet = 0x24,
  kI32Load = 0x28,
  kI64Load = 0x29,
  kF32Load = 0x2a,
  kF64Load = 0x2b,
  kI32Load8S = 0x2c,
  kI32Load8U = 0x2d,
  kI32Load16S = 0x2e,
  kI32Load16U = 0x2f,
  kI32Store = 0x36,
  kI64Store = 0x37,
  kF32Store = 0x38,
  kF64Store = 0x39,
  kI32Store8 = 0x3a,
  kI32Store16 = 0x3b,
  kMemorySize = 0x3f,
  kI32Const = 0x41,
  kI64Const = 0x42,
  kF32Const = 0x43,
  kF64Const = 0x44,
  kI32Eqz = 0x45,
  kI32Eq = 0x46,
  kI32Ne = 0x47,
  kI32LtU = 0x49,
  kI32GtU = 0x4b,
  kI32GeU = 0x4f,
  kI64Eqz = 0x50,
  kI64GtU = 0x56,
  kI32Add = 0x6a,
  kI32Sub = 0x6b,
  kI32Mul = 0x6c,
  kI32And = 0x71,
  kI32Or = 0x72,
  kI32Xor = 0x73,
  kI32Shl = 0x74,
  kI64Add = 0x7c,
  kI64Mul = 0x7e,
  kI64Shl = 0x86,
  kI64ShrU = 0x88,
  kI32WrapI64 = 0xa7,
  kI64ExtendI32U = 0xad,
  kI32ReinterpretF32 = 0xbc,
  kI64ReinterpretF64 = 0xbd,
  kF32ReinterpretI32 = 0xbe,
  kF64ReinterpretI64 = 0xbf,
  kI32Extend8S = 0xc0,
  kI32Extend16S = 0xc1,
};

// Of an i32 as so many bytes: 1, 2 or 4.
constexpr Op unsigned_load(uint64_t bytes) {
  return bytes == 1 ? Op::kI32Load8U : bytes == 2 ? Op::kI32Load16U : Op::kI32Load;
}
constexpr Op store(uint64_t bytes) {
  return bytes == 1 ? Op::kI32Store8 : bytes == 2 ? Op::kI32Store16 : Op::kI32Store;
}

// A function of the module that is being written. Imports and own functions are numbered apart:
// how many imports there are is known when all bodies are.
struct FunctionRef {
  bool is_import = false;
  uint32_t index = 0;
};

class CodeWriter {
 public:
  // A place in the code that a branch can name: what label() was when its block began.
  using Label = uint32_t;
  struct Fixup {
    size_t position;     // of five bytes in code()
    uint32_t own_index;  // of a function that is no import
  };

  explicit CodeWriter(uint32_t params) : next_local_(params) {}

  uint32_t add_local(Flat type);

  CodeWriter& op(Op op) {
    code_.push_back(static_cast<uint8_t>(op));
    return *this;
  }
  CodeWriter& i32(uint32_t value);
  CodeWriter& i64(uint64_t value);
  CodeWriter& get(uint32_t local) { return op(Op::kLocalGet).immediate(local); }
  CodeWriter& set(uint32_t local) { return op(Op::kLocalSet).immediate(local); }
  CodeWriter& tee(uint32_t local) { return op(Op::kLocalTee).immediate(local); }
  CodeWriter& global_get(uint32_t global) { return op(Op::kGlobalGet).immediate(global); }
  CodeWriter& global_set(uint32_t global) { return op(Op::kGlobalSet).immediate(global); }
  CodeWriter& call(FunctionRef function);
  // Load or store; aligned as its width.
  CodeWriter& access(Op op, uint32_t memory, uint32_t offset);
  CodeWriter& memory_size(uint32_t memory) { return op(Op::kMemorySize).immediate(memory); }
  CodeWriter& memory_copy(uint32_t to, uint32_t from);
  CodeWriter& zero(Flat type);

  // Blocks without parameters or results.
  Label block() { return open(Op::kBlock); }
  Label loop() { return open(Op::kLoop); }
  Label if_() { return open(Op::kIf); }
  CodeWriter& else_() { return op(Op::kElse); }
  CodeWriter& end();
  CodeWriter& br(Label label) { return op(Op::kBr).immediate(depth_ - label); }
  CodeWriter& br_if(Label label) { return op(Op::kBrIf).immediate(depth_ - label); }
  CodeWriter& br_table(std::span<const Label> labels, Label otherwise);

  size_t size() const { return code_.size(); }
  // The function's body as the code section has it, and where calls in it are.
  component::Bytes finish(std::vector<Fixup>& fixups);

 private:
  CodeWriter& immediate(uint32_t value);
  Label open(Op op);

  uint32_t next_local_;
  uint32_t depth_ = 0;
  std::vector<Flat> locals_;
  component::Bytes code_;
  std::vector<Fixup> fixups_;
};

}  // namespace mayfly::linker
