// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Undefined symbols of an object are bound here, by their name and the plan; the linker proper
// only sees names that are defined somewhere, and numbers.
#include "compiler/instance_symbols.h"

#include <charconv>

#include "base/check.h"
#include "compiler/abi.h"
#include "guest_abi/instance.h"

namespace mayfly::compiler {

using image::Binding;
using image::Definition;
using wasm::ExternKind;

// kind.index or kind.index.part.
struct InstanceSymbols::Name {
  std::string_view whole;
  std::string_view kind;
  uint32_t index = 0;
  std::string_view part;
};

std::string image_symbol(const Definition& definition, const char* kind) {
  return instance_prefix(definition.instance) + symbol(kind, definition.index);
}
std::string adapter_symbol(uint32_t step, uint32_t function_index) {
  return instance_prefix(step) + symbol("adapter", function_index);
}
std::string adapter_funcref_symbol(uint32_t step, uint32_t function_index) {
  return instance_prefix(step) + symbol("adapterref", function_index);
}

std::string InstanceSymbols::own(std::string_view name) const {
  return instance_prefix(step_).append(name);
}

std::string InstanceSymbols::code(uint32_t function_index) const {
  const Target target = plan_.resolve(step_, ExternKind::kFunc, function_index);
  if (target.kind != Binding::Kind::kInstance) return adapter_symbol(step_, function_index);
  return image_symbol(target.definition, "func");
}

std::string InstanceSymbols::funcref(uint32_t function_index) const {
  const Target target = plan_.resolve(step_, ExternKind::kFunc, function_index);
  if (target.kind != Binding::Kind::kInstance) {
    return adapter_funcref_symbol(step_, function_index);
  }
  return image_symbol(target.definition, "funcref");
}

std::string InstanceSymbols::memory_info(uint32_t index) const {
  const Target target = plan_.resolve(step_, ExternKind::kMemory, index);
  return image_symbol(target.definition, "mem") + ".info";
}

std::string InstanceSymbols::table_info(uint32_t index) const {
  const Target target = plan_.resolve(step_, ExternKind::kTable, index);
  return image_symbol(target.definition, "table") + ".info";
}

std::string InstanceSymbols::global(uint32_t index) const {
  return image_symbol(plan_.resolve(step_, ExternKind::kGlobal, index).definition, "global");
}

NewSymbol InstanceSymbols::absolute(std::string_view name, uint64_t value) const {
  return {own(name), value};
}

NewSymbol InstanceSymbols::bind_memory(const Name& name) const {
  if (name.part == "info") return {memory_info(name.index), std::nullopt};
  const Window& window =
      windows_.memory(plan_.resolve(step_, ExternKind::kMemory, name.index).definition);
  if (name.part == "region") return absolute(name.whole, window.number);
  if (name.part == "bytes_max") return absolute(name.whole, window.size_max);
  return absolute(name.whole, window.region.address);
}

NewSymbol InstanceSymbols::bind_table(const Name& name) const {
  if (name.part == "info") return {table_info(name.index), std::nullopt};
  const Definition table = plan_.resolve(step_, ExternKind::kTable, name.index).definition;
  const Window* window = windows_.find_table(table);
  if (window == nullptr) {
    // Its entries are in the data of the instance that defines it, and it has one size for ever.
    if (name.part == "region") return absolute(name.whole, guest_abi::kNoRegion);
    if (name.part == "size_max") {
      return absolute(name.whole, plan_.module_of(step_).tables[name.index].type.limits.min);
    }
    return {image_symbol(table, "table"), std::nullopt};
  }
  if (name.part == "region") return absolute(name.whole, window->number);
  if (name.part == "size_max") return absolute(name.whole, window->size_max);
  return absolute(name.whole, window->region.address);
}

Result<NewSymbol> InstanceSymbols::bind(const Name& name) const {
  if (name.kind == "func") return NewSymbol{code(name.index), std::nullopt};
  if (name.kind == "funcref") return NewSymbol{funcref(name.index), std::nullopt};
  if (name.kind == "mem") return bind_memory(name);
  if (name.kind == "table") return bind_table(name);
  if (name.kind == "global") return NewSymbol{global(name.index), std::nullopt};
  if (name.kind == "type") return absolute(name.whole, plan_.type_number(step_, name.index));
  // Shared between the objects of one module: segments, for example.
  return NewSymbol{own(name.whole), std::nullopt};
}

Result<NewSymbol> InstanceSymbols::rename(std::string_view name, Defined defined) const {
  if (defined == Defined::kYes) return NewSymbol{own(name), std::nullopt};
  const size_t dot = name.find('.');
  // The guest library's names have no dots.
  if (dot == std::string_view::npos) return NewSymbol{std::string(name), std::nullopt};
  Name parsed;
  parsed.whole = name;
  parsed.kind = name.substr(0, dot);
  const char* const end = name.data() + name.size();
  const auto number = std::from_chars(name.data() + dot + 1, end, parsed.index);
  if (number.ec != std::errc()) return NewSymbol{own(name), std::nullopt};
  if (number.ptr != end) {
    if (*number.ptr != '.') return invalid("symbol '" + std::string(name) + "' has no meaning");
    parsed.part = std::string_view(number.ptr + 1, static_cast<size_t>(end - number.ptr - 1));
  }
  return bind(parsed);
}

}  // namespace mayfly::compiler
