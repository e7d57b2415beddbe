// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector loads and stores. Each is one access of exactly the bytes that it names, because the
// byte after them may be past the memory's end.
#include "compiler/emit_families.h"

namespace mayfly::compiler {
namespace {

using llvm::Value;
using wasm::Instruction;
using wasm::MemArg;

uint64_t bytes_of(llvm::Type* type) { return type->getPrimitiveSizeInBits().getFixedValue() / 8; }

Value* load_at_top(FunctionEmitter& f, const MemArg& memarg, llvm::Type* type) {
  return f.load(type, f.memory_address(memarg, f.pop(), bytes_of(type)));
}

// Loads 8 bytes as one integer: LLVM would split a volatile vector narrower than a register.
void load_extend(FunctionEmitter& f, const MemArg& memarg, llvm::FixedVectorType* to,
                 llvm::Instruction::CastOps extend) {
  auto& ir = f.ir();
  const unsigned lanes = to->getNumElements();
  auto* from = llvm::FixedVectorType::get(ir.getIntNTy(64 / lanes), lanes);
  Value* narrow = ir.CreateBitCast(load_at_top(f, memarg, ir.getInt64Ty()), from);
  f.push_vector(ir.CreateCast(extend, narrow, to));
}

void load_splat(FunctionEmitter& f, const MemArg& memarg, llvm::FixedVectorType* shape) {
  Value* scalar = load_at_top(f, memarg, shape->getElementType());
  f.push_vector(f.ir().CreateVectorSplat(shape->getNumElements(), scalar));
}

void load_zero(FunctionEmitter& f, const MemArg& memarg, llvm::FixedVectorType* shape) {
  Value* scalar = load_at_top(f, memarg, shape->getElementType());
  f.push_vector(
      f.ir().CreateInsertElement(llvm::Constant::getNullValue(shape), scalar, uint64_t{0}));
}

void load_lane(FunctionEmitter& f, const Instruction& instruction, llvm::FixedVectorType* shape) {
  Value* vector = f.pop_vector(shape);
  Value* scalar = load_at_top(f, instruction.memarg, shape->getElementType());
  f.push_vector(f.ir().CreateInsertElement(vector, scalar, uint64_t{instruction.lane}));
}

void store(FunctionEmitter& f, const MemArg& memarg, Value* value) {
  f.store(value, f.memory_address(memarg, f.pop(), bytes_of(value->getType())));
}

void store_lane(FunctionEmitter& f, const Instruction& instruction, llvm::FixedVectorType* shape) {
  Value* vector = f.pop_vector(shape);
  store(f, instruction.memarg, f.ir().CreateExtractElement(vector, uint64_t{instruction.lane}));
}

}  // namespace

// One line per instruction.
// clang-format off
bool emit_simd_memory(FunctionEmitter& f, const Instruction& instruction) {
  using enum wasm::Opcode;
  constexpr auto kSigned = llvm::Instruction::SExt;
  constexpr auto kUnsigned = llvm::Instruction::ZExt;
  const Shapes t(f.ir());
  const MemArg& memarg = instruction.memarg;
  switch (instruction.opcode) {
    case v128_load: f.push(load_at_top(f, memarg, t.i64x2)); break;
    case v128_store: store(f, memarg, f.pop()); break;
    case v128_load8x8_s: load_extend(f, memarg, t.i16x8, kSigned); break;
    case v128_load8x8_u: load_extend(f, memarg, t.i16x8, kUnsigned); break;
    case v128_load16x4_s: load_extend(f, memarg, t.i32x4, kSigned); break;
    case v128_load16x4_u: load_extend(f, memarg, t.i32x4, kUnsigned); break;
    case v128_load32x2_s: load_extend(f, memarg, t.i64x2, kSigned); break;
    case v128_load32x2_u: load_extend(f, memarg, t.i64x2, kUnsigned); break;
    case v128_load8_splat: load_splat(f, memarg, t.i8x16); break;
    case v128_load16_splat: load_splat(f, memarg, t.i16x8); break;
    case v128_load32_splat: load_splat(f, memarg, t.i32x4); break;
    case v128_load64_splat: load_splat(f, memarg, t.i64x2); break;
    case v128_load32_zero: load_zero(f, memarg, t.i32x4); break;
    case v128_load64_zero: load_zero(f, memarg, t.i64x2); break;
    case v128_load8_lane: load_lane(f, instruction, t.i8x16); break;
    case v128_load16_lane: load_lane(f, instruction, t.i16x8); break;
    case v128_load32_lane: load_lane(f, instruction, t.i32x4); break;
    case v128_load64_lane: load_lane(f, instruction, t.i64x2); break;
    case v128_store8_lane: store_lane(f, instruction, t.i8x16); break;
    case v128_store16_lane: store_lane(f, instruction, t.i16x8); break;
    case v128_store32_lane: store_lane(f, instruction, t.i32x4); break;
    case v128_store64_lane: store_lane(f, instruction, t.i64x2); break;
    default: return false;
  }
  return true;
}
// clang-format on

}  // namespace mayfly::compiler
