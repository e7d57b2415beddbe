// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ModuleWriter: one generated WebAssembly module, and what its imports are bound to in a plan.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "component/binary_writer.h"
#include "image/plan.h"
#include "linker/code_writer.h"
#include "wasm/types.h"

namespace mayfly::linker {

struct GeneratedModule {
  component::Bytes bytes;
  std::vector<image::Binding> imports;
  uint32_t imported_functions = 0;
};

class ModuleWriter {
 public:
  // The same binding is imported once.
  FunctionRef import_function(const image::Binding& binding, const wasm::FuncType& type);
  uint32_t import_memory(const image::Binding& binding, const wasm::MemoryType& type);
  uint32_t import_global(const image::Binding& binding);  // a mutable i32

  // Declares a function; its body follows. A name is for messages.
  FunctionRef add_function(const wasm::FuncType& type, std::string name);
  void set_body(FunctionRef function, CodeWriter&& code);
  void export_function(std::string_view name, FunctionRef function);

  uint32_t add_memory(std::string_view export_name, uint32_t pages);
  uint32_t add_global(std::string_view export_name, uint32_t initial);  // a mutable i32
  // A word of a memory that the module defines, at its start.
  void add_data(uint32_t memory, uint32_t offset, uint32_t word);

  // Of all bodies so far.
  size_t code_bytes() const { return code_bytes_; }
  GeneratedModule finish();

 private:
  struct Body {
    uint32_t type = 0;
    std::string name;
    component::Bytes bytes;
    std::vector<CodeWriter::Fixup> fixups;
  };
  uint32_t type_index(const wasm::FuncType& type);
  void import(const image::Binding& binding);
  component::Bytes code_section();
  component::Bytes name_section() const;

  component::BinaryWriter types_;
  uint32_t type_count_ = 0;
  std::map<std::string, uint32_t> type_numbers_;
  component::BinaryWriter imports_;
  std::vector<image::Binding> bindings_;
  std::map<std::string, FunctionRef> functions_;
  std::map<std::string, uint32_t> memories_;
  std::map<std::string, uint32_t> globals_;
  uint32_t imported_functions_ = 0;
  std::vector<Body> bodies_;
  std::vector<std::pair<std::string, FunctionRef>> exported_functions_;
  component::BinaryWriter exports_;  // memories and globals
  uint32_t export_count_ = 0;
  component::BinaryWriter own_memories_;
  uint32_t own_memory_count_ = 0;
  component::BinaryWriter own_globals_;
  uint32_t own_global_count_ = 0;
  component::BinaryWriter data_;
  uint32_t data_count_ = 0;
  size_t code_bytes_ = 0;
};

}  // namespace mayfly::linker
