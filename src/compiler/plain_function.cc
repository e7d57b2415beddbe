// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A list by exclusion where the opcodes are dense, so that a new instruction is not plain.
#include "compiler/plain_function.h"

namespace mayfly::compiler {

using wasm::Opcode;

namespace {

bool may_trap(Opcode opcode) {
  switch (opcode) {
    case Opcode::i32_div_s:
    case Opcode::i32_div_u:
    case Opcode::i32_rem_s:
    case Opcode::i32_rem_u:
    case Opcode::i64_div_s:
    case Opcode::i64_div_u:
    case Opcode::i64_rem_s:
    case Opcode::i64_rem_u:
    case Opcode::i32_trunc_f32_s:
    case Opcode::i32_trunc_f32_u:
    case Opcode::i32_trunc_f64_s:
    case Opcode::i32_trunc_f64_u:
    case Opcode::i64_trunc_f32_s:
    case Opcode::i64_trunc_f32_u:
    case Opcode::i64_trunc_f64_s:
    case Opcode::i64_trunc_f64_u:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool is_plain(Opcode opcode) {
  switch (opcode) {
    case Opcode::nop:
    case Opcode::block:
    case Opcode::if_:
    case Opcode::else_:
    case Opcode::end:
    case Opcode::br:
    case Opcode::br_if:
    case Opcode::return_:
    case Opcode::drop:
    case Opcode::select:
    case Opcode::local_get:
    case Opcode::local_set:
    case Opcode::local_tee:
    case Opcode::global_get:
    case Opcode::global_set:
      return true;
    default:
      return opcode >= Opcode::i32_const && opcode <= Opcode::i64_extend32_s && !may_trap(opcode);
  }
}

}  // namespace mayfly::compiler
