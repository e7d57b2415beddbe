// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names against the exports of an image, types against the canonical ABI.
#include "runtime/component_target.h"

#include <algorithm>
#include <array>

#include "component/flatten.h"
#include "component/host_values.h"
#include "linker/state_module.h"
#include "runtime/printable.h"

namespace mayfly::runtime {
namespace {

const image::ImageExport* find_export(const image::Image& image, uint32_t step,
                                      std::string_view name, wasm::ExternKind kind) {
  if (step >= image.instances().size()) return nullptr;
  const auto& exports = image.instances()[step].exports;
  const auto found = std::ranges::find_if(
      exports, [&](const auto& item) { return item.kind == kind && item.name == name; });
  return found == exports.end() ? nullptr : &*found;
}

// What the host calls: where free transfer memory begins, then the lowered function's parameters.
wasm::FuncType core_type(const linker::ComponentExport& function) {
  if (function.type == component::TypeId{component::kNoIndex}) {
    return {{wasm::kI32, wasm::kI32}, {}};
  }
  wasm::FuncType core = component::flatten_functype(function.file->component.types, function.type,
                                                    {}, component::FlattenContext::kLower)
                            .core;
  core.params.insert(core.params.begin(), wasm::kI32);
  return core;
}

}  // namespace

Result<TransferPlace> TransferPlace::find(const image::Image& image) {
  const image::ImageExport* found =
      find_export(image, 0, linker::kTransferExport, wasm::ExternKind::kMemory);
  if (found == nullptr || found->memory.region >= image.regions().size()) {
    return invalid("the image is not of a component");
  }
  return TransferPlace{found->memory.region, image.regions()[found->memory.region].address,
                       found->memory.info};
}

Result<ComponentTarget> ComponentTarget::find(const image::Image& image,
                                              const linker::ComponentExport& function) {
  ComponentTarget target;
  target.function = function;
  target.transfer = MAYFLY_TRY(TransferPlace::find(image));
  const image::ImageExport* found =
      find_export(image, function.step, function.export_name, wasm::ExternKind::kFunc);
  if (found == nullptr || found->func.type != core_type(function)) {
    return invalid("the image has no function " + printable(function.export_name) +
                   " of the component's type");
  }
  target.entry = found->func;
  target.flat_params = static_cast<uint32_t>(found->func.type.params.size()) - 1;
  if (target.is_drop()) return target;
  const component::TypeArena& types = function.file->component.types;
  const component::ValType result = types.result(function.type);
  for (const component::Member& param : types.params(function.type)) {
    target.params.push_back(param.type);
  }
  target.has_result = result.exists();
  if (!target.has_result) return target;
  const component::Layout area = component::tuple_layout(types, std::array{result});
  if (area.flat.size() > component::kMaxFlatResults) {
    target.result_bytes = static_cast<uint32_t>(area.size);
    --target.flat_params;
  }
  return target;
}

}  // namespace mayfly::runtime
