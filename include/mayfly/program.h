// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Program: a WebAssembly module or component that is valid, or an image. Engine::load() and
// load_image() make it; a Linker runs it. Threads: any number at once. Copies refer to the same
// module.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mayfly/export.h"
#include "mayfly/value.h"

namespace mayfly {

namespace runtime {
class ProgramState;
}

enum class ExternKind : uint8_t { kFunction, kTable, kMemory, kGlobal, kTag };

struct ExternType {
  // Of a module's import the module; empty for its exports. Of a component the interface,
  // "ns:pkg/interface@1.0.0"; empty for what is in none.
  std::string module;
  std::string name;
  ExternKind kind = ExternKind::kFunction;
  // As the text formats write it: "(i32) -> (i32)", "func(a: u32) -> string".
  std::string type;
};

class MAYFLY_API Program {
 public:
  const std::string& name() const;
  bool is_component() const;
  // Of a component: the functions. Of an image only those that a Linker has to define: the others
  // are bound already.
  std::vector<ExternType> imports() const;
  std::vector<ExternType> exports() const;

  // The library's own.
  explicit Program(std::shared_ptr<const runtime::ProgramState> state) : state_(std::move(state)) {}
  const std::shared_ptr<const runtime::ProgramState>& state() const { return state_; }

 private:
  std::shared_ptr<const runtime::ProgramState> state_;
};

}  // namespace mayfly
