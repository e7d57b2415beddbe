// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The binary format of what adapters need (wasm-3.0 #binary-module).
#include "linker/module_writer.h"

#include <utility>

#include "base/check.h"

namespace mayfly::linker {
namespace {

using component::BinaryWriter;
using component::Bytes;
using image::Binding;

// Names of imports are for readers: the bindings say what they are.
constexpr std::string_view kModuleName = "adapter";

uint8_t value_type(const wasm::ValType& type) {
  switch (type.kind) {
    case wasm::ValKind::kI64:
      return 0x7e;
    case wasm::ValKind::kF32:
      return 0x7d;
    case wasm::ValKind::kF64:
      return 0x7c;
    default:
      return 0x7f;
  }
}

void write_values(BinaryWriter& to, const std::vector<wasm::ValType>& types) {
  to.u32(static_cast<uint32_t>(types.size()));
  for (const wasm::ValType& type : types) to.u8(value_type(type));
}

std::string key(const Binding& binding) {
  std::string text = std::to_string(static_cast<int>(binding.kind));
  text += ' ' + std::to_string(binding.definition.instance);
  text += ' ' + std::to_string(binding.definition.index);
  text += ' ' + std::to_string(binding.host_index) + ' ' + binding.symbol;
  for (const uint32_t memory : binding.memories) text += ' ' + std::to_string(memory);
  return text;
}

}  // namespace

uint32_t ModuleWriter::type_index(const wasm::FuncType& type) {
  const auto [found, is_new] = type_numbers_.emplace(wasm::to_string(type), type_count_);
  if (is_new) {
    ++type_count_;
    types_.u8(0x60);
    write_values(types_, type.params);
    write_values(types_, type.results);
  }
  return found->second;
}

void ModuleWriter::import(const Binding& binding) {
  // Images list the names: of the guest library they say what a component could ask for.
  imports_.name(kModuleName)
      .name(binding.kind == Binding::Kind::kGuest ? binding.symbol
                                                  : std::to_string(bindings_.size()));
  bindings_.push_back(binding);
}

FunctionRef ModuleWriter::import_function(const Binding& binding, const wasm::FuncType& type) {
  const auto [found, is_new] =
      functions_.emplace(key(binding), FunctionRef{true, imported_functions_});
  if (is_new) {
    ++imported_functions_;
    import(binding);
    imports_.u8(0x00).u32(type_index(type));
  }
  return found->second;
}

uint32_t ModuleWriter::import_memory(const Binding& binding, const wasm::MemoryType& type) {
  CHECK(own_memory_count_ == 0, own_memory_count_);
  const auto number = static_cast<uint32_t>(memories_.size());
  const auto [found, is_new] = memories_.emplace(key(binding), number);
  if (is_new) {
    import(binding);
    // No minimum: what the memory has at the moment is asked for where it matters.
    imports_.u8(0x02).u8(type.shared ? 0x03 : 0x00).u32(0);
    if (type.shared) imports_.u32(static_cast<uint32_t>(type.limits.max.value_or(0)));
  }
  return found->second;
}

uint32_t ModuleWriter::import_global(const Binding& binding) {
  const auto number = static_cast<uint32_t>(globals_.size());
  const auto [found, is_new] = globals_.emplace(key(binding), number);
  if (is_new) {
    import(binding);
    imports_.u8(0x03).u8(0x7f).u8(0x01);
  }
  return found->second;
}

FunctionRef ModuleWriter::add_function(const wasm::FuncType& type, std::string name) {
  const auto index = static_cast<uint32_t>(bodies_.size());
  bodies_.push_back({type_index(type), std::move(name), {}, {}});
  return {false, index};
}

void ModuleWriter::set_body(FunctionRef function, CodeWriter&& code) {
  Body& body = bodies_[function.index];
  body.bytes = std::move(code).finish(body.fixups);
  code_bytes_ += body.bytes.size();
}

void ModuleWriter::export_function(std::string_view name, FunctionRef function) {
  exported_functions_.emplace_back(name, function);
}

uint32_t ModuleWriter::add_memory(std::string_view export_name, uint32_t pages) {
  CHECK(memories_.empty(), memories_.size());
  exports_.name(export_name).u8(0x02).u32(own_memory_count_);
  ++export_count_;
  own_memories_.u8(0x00).u32(pages);
  return own_memory_count_++;
}

uint32_t ModuleWriter::add_global(std::string_view export_name, uint32_t initial) {
  CHECK(globals_.empty() && initial < 0x40, initial);
  exports_.name(export_name).u8(0x03).u32(own_global_count_);
  ++export_count_;
  own_globals_.u8(0x7f).u8(0x01).u8(0x41).u8(static_cast<uint8_t>(initial)).u8(0x0b);
  return own_global_count_++;
}

void ModuleWriter::add_data(uint32_t memory, uint32_t offset, uint32_t word) {
  CHECK(offset < 0x40, offset);
  ++data_count_;
  data_.u8(0x02).u32(memory).u8(0x41).u8(static_cast<uint8_t>(offset)).u8(0x0b).u8(4);
  for (size_t i = 0; i < 4; ++i) data_.u8(static_cast<uint8_t>(word >> (8 * i)));
}

Bytes ModuleWriter::code_section() {
  BinaryWriter code;
  code.u32(static_cast<uint32_t>(bodies_.size()));
  for (Body& body : bodies_) {
    for (const CodeWriter::Fixup& fixup : body.fixups) {
      const uint32_t index = imported_functions_ + fixup.own_index;
      for (size_t i = 0; i < 5; ++i) {
        const uint32_t more = i < 4 ? 0x80 : 0;
        body.bytes[fixup.position + i] = static_cast<uint8_t>(((index >> (7 * i)) & 0x7f) | more);
      }
    }
    code.u32(static_cast<uint32_t>(body.bytes.size())).bytes(body.bytes);
  }
  return code.take();
}

Bytes ModuleWriter::name_section() const {
  BinaryWriter names;
  names.u32(static_cast<uint32_t>(bodies_.size()));
  for (uint32_t i = 0; i < bodies_.size(); ++i) {
    names.u32(imported_functions_ + i).name(bodies_[i].name);
  }
  BinaryWriter section;
  section.name("name").section(1, names.take());
  return section.take();
}

GeneratedModule ModuleWriter::finish() {
  const auto counted = [](uint32_t count, BinaryWriter& items) {
    return BinaryWriter().u32(count).bytes(items.take()).take();
  };
  BinaryWriter functions;
  functions.u32(static_cast<uint32_t>(bodies_.size()));
  for (const Body& body : bodies_) functions.u32(body.type);
  for (const auto& [name, function] : exported_functions_) {
    const uint32_t index = function.index + (function.is_import ? 0 : imported_functions_);
    exports_.name(name).u8(0x00).u32(index);
    ++export_count_;
  }
  BinaryWriter module;
  module.bytes({0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00});
  module.section(1, counted(type_count_, types_));
  module.section(2, counted(static_cast<uint32_t>(bindings_.size()), imports_));
  module.section(3, functions.take());
  module.section(5, counted(own_memory_count_, own_memories_));
  module.section(6, counted(own_global_count_, own_globals_));
  module.section(7, counted(export_count_, exports_));
  module.section(10, code_section());
  module.section(11, counted(data_count_, data_));
  module.section(0, name_section());
  return {module.take(), std::move(bindings_), imported_functions_};
}

}  // namespace mayfly::linker
