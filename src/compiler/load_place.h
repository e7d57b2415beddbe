// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instruction selection folds a load into what uses its value, and the machine instruction has the
// place of the user: a trap would name the wrong instruction, and the wrong function where one of
// the two was copied. So the user gets the load's place first. It cannot trap itself.
#pragma once

namespace llvm {
class Function;
}

namespace mayfly::compiler {

// Runs last: nothing may join places after it.
void place_loads(llvm::Function& function);

}  // namespace mayfly::compiler
