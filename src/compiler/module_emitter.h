// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ModuleEmitter: one LLVM module, which holds one partition of a Wasm module, and the symbols
// of abi.h as that partition sees them. Declarations are made when they are first asked for.
#pragma once

#include <llvm/IR/Module.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "compiler/abi.h"
#include "compiler/constant_value.h"
#include "compiler/module_shape.h"
#include "wasm/module.h"

namespace llvm {
class DIBuilder;
class DIFile;
class DISubprogram;
}  // namespace llvm

namespace mayfly::compiler {

class ModuleEmitter {
 public:
  // `shape` and `context` outlive the emitter.
  ModuleEmitter(const ModuleShape& shape, llvm::LLVMContext& context);
  ~ModuleEmitter();

  const ModuleShape& shape() const { return shape_; }
  const wasm::Module& wasm() const { return shape_.module; }
  llvm::LLVMContext& context() { return context_; }
  llvm::Module& llvm_module() { return *module_; }
  std::unique_ptr<llvm::Module> take_llvm_module();

  llvm::Type* value_type(const wasm::ValType& type);
  llvm::FunctionType* function_type(uint32_t type_index);
  llvm::ArrayType* words(uint64_t count);
  // void, a type, or a struct; no results where they go to a result area; the fuel comes last.
  llvm::Type* return_type(const wasm::FuncType& type);
  static bool uses_result_area(const wasm::FuncType& type) { return type.results.size() > 2; }
  // Of `instantiate`: () -> ().
  llvm::FunctionType* instantiate_type();
  bool counts_fuel() const { return shape_.options.fuel; }
  // What comes before the parameters of the type: the fuel, and the result area.
  unsigned area_position() const { return counts_fuel() ? 1 : 0; }
  unsigned first_param(const wasm::FuncType& type) const {
    return area_position() + (uses_result_area(type) ? 1 : 0);
  }

  // The symbols of abi.h. Data are declared as the words that they are defined with.
  llvm::Function* function(uint32_t index);
  // Those of which a call wants a copy in its place, in ascending order.
  const std::set<uint32_t>& inlined_callees() const { return inlined_callees_; }
  void want_copy(uint32_t index) { inlined_callees_.insert(index); }
  llvm::GlobalVariable* funcref(uint32_t index);
  llvm::Constant* memory(uint32_t index);
  llvm::GlobalVariable* memory_info(uint32_t index);
  llvm::GlobalVariable* table(uint32_t index);
  llvm::GlobalVariable* table_info(uint32_t index);
  llvm::GlobalVariable* global(uint32_t index);
  llvm::Constant* type_id(uint32_t type_index);  // an i32
  // data.N, data.N.size, elem.N, elem.N.size: contents of a segment and its size at run time (an
  // i64 in bytes or entries, 0 once dropped). Only between objects of one module.
  llvm::GlobalVariable* data_segment(uint32_t index);
  llvm::GlobalVariable* data_segment_size(uint32_t index);
  llvm::GlobalVariable* element_segment(uint32_t index);
  llvm::GlobalVariable* element_segment_size(uint32_t index);
  llvm::Function* memory_grow();
  llvm::Function* table_grow();
  // An undefined symbol whose address is the value; `is_far` when it does not fit 31 bits.
  enum class Distance : uint8_t { kNear, kFar };
  llvm::GlobalVariable* absolute(const std::string& name, Distance distance);
  // A constant of this partition alone.
  llvm::GlobalVariable* private_constant(llvm::Constant* contents);

  // As a constant of that type; null for an unknown value.
  llvm::Constant* constant(const ConstantValue& value, const wasm::ValType& type);
  // The value of an immutable global that is known here, or null.
  llvm::Constant* constant_global(uint32_t index);

  // A new function with the attributes that all of a module's functions have.
  llvm::Function* new_function(llvm::FunctionType* type, const std::string& name);
  // Its line table: one subprogram; lines are byte offsets.
  llvm::DISubprogram* attach_subprogram(llvm::Function& function, uint64_t offset);

 private:
  llvm::GlobalVariable* declare(llvm::Type* type, const std::string& name);

  const ModuleShape& shape_;
  llvm::LLVMContext& context_;
  std::unique_ptr<llvm::Module> module_;
  std::unique_ptr<llvm::DIBuilder> debug_;
  llvm::DIFile* file_ = nullptr;
  // Looked up only: its order never reaches the output.
  std::map<uint32_t, llvm::FunctionType*> function_types_;
  std::set<uint32_t> inlined_callees_;
};

}  // namespace mayfly::compiler
