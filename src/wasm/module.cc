// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Questions that a decoded module answers.
#include "wasm/module.h"

namespace mayfly::wasm {

std::string_view to_string(ExternKind kind) {
  return kind == ExternKind::kFunc ? "function" : keyword(kind);
}

std::string_view keyword(ExternKind kind) {
  switch (kind) {
    case ExternKind::kFunc:
      return "func";
    case ExternKind::kTable:
      return "table";
    case ExternKind::kMemory:
      return "memory";
    case ExternKind::kGlobal:
      return "global";
    case ExternKind::kTag:
      return "tag";
  }
  return "?";
}

const Export* Module::find_export(std::string_view name) const {
  for (const Export& candidate : exports) {
    if (candidate.name == name) return &candidate;
  }
  return nullptr;
}

std::string_view Module::function_name(uint32_t function_index) const {
  if (function_index < names.functions.size() && !names.functions[function_index].empty()) {
    return names.functions[function_index];
  }
  for (const Export& candidate : exports) {
    if (candidate.kind == ExternKind::kFunc && candidate.index == function_index) {
      return candidate.name;
    }
  }
  return "";
}

}  // namespace mayfly::wasm
