// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a symbol of a module's objects (abi.h) is called, or worth, in one instance of an image.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "compiler/object_symbols.h"
#include "compiler/plan_view.h"
#include "compiler/window_plan.h"

namespace mayfly::compiler {

// Names in the whole image.
std::string image_symbol(const image::Definition& definition, const char* kind);
std::string adapter_symbol(uint32_t step, uint32_t function_index);
std::string adapter_funcref_symbol(uint32_t step, uint32_t function_index);

// The symbols that stand for functions, and for things with an info or a value, of an instance.
class InstanceSymbols {
 public:
  // The arguments outlive it.
  InstanceSymbols(const PlanView& plan, const WindowPlan& windows, uint32_t step)
      : plan_(plan), windows_(windows), step_(step) {}

  std::string code(uint32_t function_index) const;
  std::string funcref(uint32_t function_index) const;
  std::string memory_info(uint32_t index) const;
  std::string table_info(uint32_t index) const;
  std::string global(uint32_t index) const;
  std::string own(std::string_view name) const;  // of this instance alone

  // For rename_symbols(). Errors: kInvalid for a name that abi.h does not have.
  Result<NewSymbol> rename(std::string_view name, Defined defined) const;

 private:
  struct Name;
  Result<NewSymbol> bind(const Name& name) const;
  NewSymbol bind_memory(const Name& name) const;
  NewSymbol bind_table(const Name& name) const;
  NewSymbol absolute(std::string_view name, uint64_t value) const;

  const PlanView& plan_;
  const WindowPlan& windows_;
  uint32_t step_;
};

}  // namespace mayfly::compiler
