// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Renames the symbols of a relocatable ELF object, and turns undefined ones into absolute ones.
// That is how the objects of a module become those of one instance (abi.h): nothing but the
// symbol table changes, so it costs time linear in the number of symbols.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mayfly::compiler {

struct NewSymbol {
  std::string name;
  std::optional<uint64_t> absolute;  // for an undefined symbol: it is this number
};

enum class Defined : uint8_t { kNo, kYes };

// Called once per global symbol. Answers what becomes of it.
using Renamer = std::function<Result<NewSymbol>(std::string_view name, Defined defined)>;

// Errors: the renamer's. Precondition: the object is one that LLVM wrote (CHECK).
Result<std::vector<uint8_t>> rename_symbols(std::vector<uint8_t> object, const Renamer& renamer);

}  // namespace mayfly::compiler
