// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The optimization pipelines: lean, because Wasm producers have optimized before, and without
// passes that look for library functions or assume that loops end.
#pragma once

#include "image/build_request.h"

namespace llvm {
class Module;
class TargetMachine;
}  // namespace llvm

namespace mayfly::compiler {

struct OptimizeOptions {
  image::OptLevel level = image::OptLevel::kO2;
  bool fuel = false;  // as CompileOptions::fuel
};
void optimize(llvm::Module& module, llvm::TargetMachine& target, const OptimizeOptions& options);

}  // namespace mayfly::compiler
