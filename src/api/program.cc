// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a program imports and exports.
#include "mayfly/program.h"

#include "component/type_text.h"
#include "runtime/program_state.h"

namespace mayfly {
namespace {

ExternKind public_kind(wasm::ExternKind kind) {
  switch (kind) {
    case wasm::ExternKind::kFunc:
      return ExternKind::kFunction;
    case wasm::ExternKind::kTable:
      return ExternKind::kTable;
    case wasm::ExternKind::kMemory:
      return ExternKind::kMemory;
    case wasm::ExternKind::kGlobal:
      return ExternKind::kGlobal;
    case wasm::ExternKind::kTag:
      break;
  }
  return ExternKind::kTag;
}

std::string type_text(const wasm::Module& module, wasm::ExternKind kind, uint32_t index) {
  switch (kind) {
    case wasm::ExternKind::kFunc:
      return wasm::to_string(module.func_type(index));
    case wasm::ExternKind::kTable:
      return wasm::to_string(module.tables[index].type);
    case wasm::ExternKind::kMemory:
      return wasm::to_string(module.memories[index]);
    case wasm::ExternKind::kGlobal:
      return wasm::to_string(module.globals[index].type);
    case wasm::ExternKind::kTag:
      break;
  }
  return wasm::to_string(module.types[module.tags[index].type_index].func);
}

std::string type_text(const image::ImageExport& item) {
  switch (item.kind) {
    case wasm::ExternKind::kFunc:
      return wasm::to_string(item.func.type);
    case wasm::ExternKind::kTable:
      return wasm::to_string(item.table.type);
    case wasm::ExternKind::kMemory:
      return wasm::to_string(item.memory.type);
    case wasm::ExternKind::kGlobal:
      return wasm::to_string(item.global.type);
    case wasm::ExternKind::kTag:
      break;
  }
  return "";
}

void add_function(const component::TypeArena& types, std::string_view interface,
                  const component::Declaration& item, std::vector<ExternType>& all) {
  if (item.type.sort != component::Sort::kFunc) return;
  all.push_back({std::string(interface), std::string(types.text(item.name)), ExternKind::kFunction,
                 component::function_text(types, item.type.type())});
}

// Functions by themselves, and those of instances.
template <typename Items>
std::vector<ExternType> functions_of(const component::TypeArena& types, const Items& items) {
  std::vector<ExternType> all;
  for (const auto& item : items) {
    add_function(types, "", {item.name, item.type}, all);
    if (item.type.sort != component::Sort::kInstance) continue;
    for (const auto& inner : types.instance(item.type.type()).exports.items()) {
      add_function(types, types.text(item.name), inner, all);
    }
  }
  return all;
}

}  // namespace

bool Program::is_component() const { return state_ != nullptr && state_->component() != nullptr; }

const std::string& Program::name() const {
  static const std::string kMovedFrom;
  return state_ == nullptr ? kMovedFrom : state_->name();
}

std::vector<ExternType> Program::imports() const {
  std::vector<ExternType> all;
  if (state_ == nullptr) return all;
  if (const auto& file = state_->component()) {
    return functions_of(file->component.types, file->component.root().imports);
  }
  if (const auto& image = state_->image()) {
    for (const image::HostFunction& function : image->host_functions()) {
      all.push_back(
          {function.module, function.name, ExternKind::kFunction, wasm::to_string(function.type)});
    }
    return all;
  }
  const wasm::Module& module = state_->module();
  for (const wasm::Import& import : module.imports) {
    all.push_back({import.module, import.name, public_kind(import.kind),
                   type_text(module, import.kind, import.index)});
  }
  return all;
}

std::vector<ExternType> Program::exports() const {
  std::vector<ExternType> all;
  if (state_ == nullptr) return all;
  if (const auto& file = state_->component()) {
    return functions_of(file->component.types, file->component.root().exports);
  }
  if (const auto& image = state_->image()) {
    for (const image::ImageExport& item : image->instances().back().exports) {
      all.push_back({"", item.name, public_kind(item.kind), type_text(item)});
    }
    return all;
  }
  const wasm::Module& module = state_->module();
  for (const wasm::Export& item : module.exports) {
    all.push_back(
        {"", item.name, public_kind(item.kind), type_text(module, item.kind, item.index)});
  }
  return all;
}

}  // namespace mayfly
