// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Metadata: instances, exports, checks, names of what is imported.
#include "compiler/image_describer.h"

#include <algorithm>
#include <set>

#include "compiler/function_names.h"
#include "compiler/instance_symbols.h"

namespace mayfly::compiler {
namespace {

using image::Binding;
using wasm::ExternKind;

constexpr const char* kInstantiate = "instantiate";
constexpr const char* kInstantiateThunk = "thunk.instantiate";

// Types leave their module: what they name by an index becomes the type above it.
wasm::ValType widened(const wasm::Module& module, wasm::ValType type) {
  if (!type.is_ref() || type.ref.heap.kind != wasm::HeapKind::kConcrete) return type;
  switch (module.types[type.ref.heap.type_index].kind) {
    case wasm::CompositeKind::kFunc:
      type.ref.heap.kind = wasm::HeapKind::kFunc;
      break;
    case wasm::CompositeKind::kStruct:
    case wasm::CompositeKind::kArray:
      type.ref.heap.kind = wasm::HeapKind::kAny;
      break;
  }
  type.ref.heap.type_index = wasm::kNoIndex;
  return type;
}

wasm::FuncType widened(const wasm::Module& module, wasm::FuncType type) {
  for (wasm::ValType& param : type.params) param = widened(module, param);
  for (wasm::ValType& result : type.results) result = widened(module, result);
  return type;
}

std::string thunk_symbol(const InstanceSymbols& symbols, const wasm::Module& module,
                         uint32_t function_index) {
  return symbols.own(symbol("thunk", module.functions[function_index].type_index));
}

}  // namespace

std::vector<std::string> ImageDescriber::roots() const {
  std::vector<std::string> roots;
  for (uint32_t step = 0; step < request_.plan.step_count(); ++step) {
    const InstanceSymbols symbols(request_.plan, request_.windows, step);
    const wasm::Module& module = request_.plan.module_of(step);
    roots.push_back(symbols.own(kInstantiate));
    roots.push_back(symbols.own(kInstantiateThunk));
    for (const wasm::Export& item : module.exports) {
      if (item.kind == ExternKind::kFunc) {
        roots.push_back(symbols.code(item.index));
        roots.push_back(symbols.funcref(item.index));
        roots.push_back(thunk_symbol(symbols, module, item.index));
      }
      if (item.kind == ExternKind::kMemory) roots.push_back(symbols.memory_info(item.index));
      if (item.kind == ExternKind::kTable) roots.push_back(symbols.table_info(item.index));
      if (item.kind == ExternKind::kGlobal) roots.push_back(symbols.global(item.index));
    }
    for (uint32_t i = 0; i < module.imported_memories; ++i) roots.push_back(symbols.memory_info(i));
    for (uint32_t i = 0; i < module.imported_tables; ++i) roots.push_back(symbols.table_info(i));
  }
  std::ranges::sort(roots);
  const auto same = std::ranges::unique(roots);
  roots.erase(same.begin(), same.end());
  return roots;
}

Result<image::ImageExport> ImageDescriber::export_of(const LinkedFile& file, uint32_t step,
                                                     const wasm::Export& item) const {
  const InstanceSymbols symbols(request_.plan, request_.windows, step);
  const wasm::Module& module = request_.plan.module_of(step);
  image::ImageExport out;
  out.name = item.name;
  out.kind = item.kind;
  switch (item.kind) {
    case ExternKind::kFunc:
      out.func.type = widened(module, module.func_type(item.index));
      out.func.code = MAYFLY_TRY(file.address_of(symbols.code(item.index)));
      out.func.thunk = MAYFLY_TRY(file.address_of(thunk_symbol(symbols, module, item.index)));
      out.func.funcref = MAYFLY_TRY(file.address_of(symbols.funcref(item.index)));
      break;
    case ExternKind::kMemory: {
      const Target target = request_.plan.resolve(step, ExternKind::kMemory, item.index);
      out.memory.type = module.memories[item.index];
      out.memory.info = MAYFLY_TRY(file.address_of(symbols.memory_info(item.index)));
      out.memory.region = request_.windows.memory(target.definition).number;
      break;
    }
    case ExternKind::kTable:
      out.table.type = module.tables[item.index].type;
      out.table.type.element = widened(module, wasm::ValType::of(out.table.type.element)).ref;
      out.table.info = MAYFLY_TRY(file.address_of(symbols.table_info(item.index)));
      break;
    case ExternKind::kGlobal:
      out.global.type = module.globals[item.index].type;
      out.global.type.type = widened(module, out.global.type.type);
      out.global.address = MAYFLY_TRY(file.address_of(symbols.global(item.index)));
      break;
    case ExternKind::kTag:
      return unsupported("an exported tag");
  }
  return out;
}

Result<image::ImageInstance> ImageDescriber::instance(const LinkedFile& file, uint32_t step) const {
  const InstanceSymbols symbols(request_.plan, request_.windows, step);
  const wasm::Module& module = request_.plan.module_of(step);
  const image::InstanceStep& planned = request_.plan.plan().steps[step];
  image::ImageInstance out;
  out.name = planned.name;
  std::set<uint32_t> before;
  for (size_t i = 0; i < module.imports.size(); ++i) {
    const wasm::Import& import = module.imports[i];
    if (planned.imports[i].kind != Binding::Kind::kInstance) continue;
    before.insert(planned.imports[i].definition.instance);
    image::LimitCheck check{import.module + "." + import.name, import.kind, 0, 0};
    if (import.kind == ExternKind::kMemory) {
      const wasm::MemoryType& type = module.memories[import.index];
      check.info = MAYFLY_TRY(file.address_of(symbols.memory_info(import.index)));
      check.min = type.limits.min << type.page_size_log2;
    } else if (import.kind == ExternKind::kTable) {
      check.info = MAYFLY_TRY(file.address_of(symbols.table_info(import.index)));
      check.min = module.tables[import.index].type.limits.min;
    } else {
      continue;
    }
    out.limit_checks.push_back(check);
  }
  out.depends_on.assign(before.begin(), before.end());
  out.instantiate = MAYFLY_TRY(file.address_of(symbols.own(kInstantiate)));
  out.instantiate_thunk = MAYFLY_TRY(file.address_of(symbols.own(kInstantiateThunk)));
  for (const wasm::Export& item : module.exports) {
    out.exports.push_back(MAYFLY_TRY(export_of(file, step, item)));
  }
  return out;
}

void ImageDescriber::collect_links(uint32_t step, image::ImageMetadata& metadata) const {
  const wasm::Module& module = request_.plan.module_of(step);
  const image::Plan& plan = request_.plan.plan();
  for (size_t i = 0; i < module.imports.size(); ++i) {
    const Binding& binding = plan.steps[step].imports[i];
    image::ImportedModuleName import{module.imports[i].module, module.imports[i].name, ""};
    switch (binding.kind) {
      case Binding::Kind::kInstance:
        import.bound_to = plan.steps[binding.definition.instance].name;
        break;
      case Binding::Kind::kGuest:
        import.bound_to = "guest library";
        break;
      case Binding::Kind::kHost:
        import.bound_to = "host";
        break;
    }
    metadata.imports.push_back(std::move(import));
  }
}

Result<image::ImageMetadata> ImageDescriber::metadata(const LinkedFile& file) const {
  image::ImageMetadata out;
  out.windows = request_.windows.regions();
  out.host_functions = request_.plan.plan().host_functions;
  out.module_names.assign(request_.module_names.begin(), request_.module_names.end());
  out.cpu_features = cpu_features(request_.options.cpu);
  out.counts_fuel = request_.options.fuel;
  for (uint32_t step = 0; step < request_.plan.step_count(); ++step) {
    out.instances.push_back(MAYFLY_TRY(instance(file, step)));
    collect_links(step, out);
  }
  const auto key = [](const image::ImportedModuleName& import) {
    return std::tie(import.module, import.name, import.bound_to);
  };
  std::ranges::sort(out.imports, {}, key);
  const auto same = std::ranges::unique(out.imports, {}, key);
  out.imports.erase(same.begin(), same.end());
  return out;
}

Result<ImageFileParts> ImageDescriber::describe(const LinkedFile& file) const {
  ImageFileParts parts;
  parts.text = file.text();
  parts.read_only = file.read_only();
  parts.data = file.data();
  parts.metadata = encode(MAYFLY_TRY(metadata(file)));
  const std::vector<CodeLocation> locations = MAYFLY_TRY(file.locations());
  std::vector<image::LocationRow> rows;
  rows.reserve(locations.size());
  for (const CodeLocation& location : locations) rows.push_back({location.start, location.offset});
  parts.locations = image::encode(rows);
  parts.unwind = image::encode(MAYFLY_TRY(file.unwind_rows()));
  FunctionNames names = name_functions(request_.plan, file, locations);
  parts.inlined = image::encode(names.inlined);
  parts.functions = image::encode(names.rows);
  parts.names = std::move(names.names);
  parts.symbols = std::move(names.symbols);
  return parts;
}

}  // namespace mayfly::compiler
