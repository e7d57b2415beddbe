// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For tests: text modules compiled, and their objects looked at as symbols and instructions.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "compiler/compile_module.h"

namespace mayfly::compiler {

// By wat2wasm; ends the test when the text is wrong.
std::vector<uint8_t> assemble(const std::string& wat);

// Compiles with every memory in the class of options.placements, or low where it has none; the
// verifier is on.
Result<CompiledModule> compile_text(const std::string& wat, CompileOptions options = {});

// The instructions of a function, one a line: "movl (%rax), %eax ; mem.0+16", where what follows
// the semicolon is what a relocation refers to.
std::string disassemble(const CompiledModule& module, const std::string& function);

// Names of symbols that the objects define, and of those that none of them does.
struct Symbols {
  std::set<std::string> defined;
  std::set<std::string> undefined;
};
Symbols symbols_of(const CompiledModule& module);

// The lines of the line table inside a function, in the order of addresses.
std::vector<uint64_t> lines_of(const CompiledModule& module, const std::string& function);

}  // namespace mayfly::compiler
