// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A list by inclusion, so that a new instruction is not copied before somebody has thought of it.
#include "compiler/leaf_function.h"

namespace mayfly::compiler {

using wasm::Opcode;

bool is_leaf(Opcode opcode) {
  switch (opcode) {
    case Opcode::unreachable:
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
    case Opcode::memory_size:
      return true;
    default:
      break;
  }
  const bool is_access = opcode >= Opcode::i32_load && opcode <= Opcode::i64_store32;
  const bool is_number = opcode >= Opcode::i32_const && opcode <= Opcode::i64_extend32_s;
  const bool is_saturating =
      opcode >= Opcode::i32_trunc_sat_f32_s && opcode <= Opcode::i64_trunc_sat_f64_u;
  return is_access || is_number || is_saturating;
}

}  // namespace mayfly::compiler
