// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM's side of a LinkedFile, for its two source files only.
#pragma once

#include <llvm/Object/ELFObjectFile.h>

#include <memory>

#include "compiler/linked_file.h"

namespace mayfly::compiler {

struct LinkedFile::State {
  std::unique_ptr<llvm::object::ELFObjectFileBase> object;
};

Error llvm_error(const char* what, llvm::Error error);

}  // namespace mayfly::compiler
