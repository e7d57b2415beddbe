// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From an LLVM module to an object: target, optimization pipeline, code generation.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "compiler/compile_module.h"

namespace llvm {
class LLVMContext;
class Module;
}  // namespace llvm

namespace mayfly::compiler {

// Once per process, before the first CodeGenerator, on one thread. Repeating it is harmless.
void initialize_llvm();

// Optimizes and compiles `module`. The context's diagnostics must not be handled elsewhere.
// Errors: kLimit for a frame past layout.h kFrameBytesMax.
Result<std::vector<uint8_t>> generate_object(llvm::Module& module, image::OptLevel level,
                                             const CompileOptions& options);

}  // namespace mayfly::compiler
