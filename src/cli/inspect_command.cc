// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mayfly inspect: what a module, a component, an image or a snapshot wants, offers and weighs.
// Nothing is run.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/capabilities.h"
#include "cli/inspect_component.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/program.h"
#include "image/image.h"
#include "runtime/image_origin.h"
#include "runtime/printable.h"
#include "runtime/snapshot_file.h"
#include "wasm/module.h"

namespace mayfly::cli {
namespace {

using nlohmann::json;
using runtime::printable;

std::string kind_name(image::RegionKind kind) {
  switch (kind) {
    case image::RegionKind::kText:
      return "text";
    case image::RegionKind::kReadOnly:
      return "read-only";
    case image::RegionKind::kData:
      return "data";
    case image::RegionKind::kMemory:
      return "memory";
    case image::RegionKind::kTable:
      return "table";
  }
  return "";
}

std::string type_text(const wasm::Module& module, wasm::ExternKind kind, uint32_t index) {
  switch (kind) {
    case wasm::ExternKind::kFunc:
      return to_string(module.func_type(index));
    case wasm::ExternKind::kTable:
      return to_string(module.tables[index].type);
    case wasm::ExternKind::kMemory:
      return to_string(module.memories[index]);
    case wasm::ExternKind::kGlobal:
      return to_string(module.globals[index].type);
    case wasm::ExternKind::kTag:
      return to_string(module.types[module.tags[index].type_index].func);
  }
  return "";
}

std::string type_text(const image::ImageExport& item) {
  switch (item.kind) {
    case wasm::ExternKind::kFunc:
      return to_string(item.func.type);
    case wasm::ExternKind::kTable:
      return to_string(item.table.type);
    case wasm::ExternKind::kMemory:
      return to_string(item.memory.type);
    case wasm::ExternKind::kGlobal:
      return to_string(item.global.type);
    case wasm::ExternKind::kTag:
      break;
  }
  return "";
}

json describe(const wasm::Module& module, size_t file_bytes) {
  json imports = json::array();
  std::vector<ImportName> names;
  for (const wasm::Import& import : module.imports) {
    names.push_back({import.module, import.name});
    imports.push_back({{"module", import.module},
                       {"name", import.name},
                       {"kind", keyword(import.kind)},
                       {"type", type_text(module, import.kind, import.index)}});
  }
  json exports = json::array();
  for (const wasm::Export& item : module.exports) {
    exports.push_back({{"name", item.name},
                       {"kind", keyword(item.kind)},
                       {"type", type_text(module, item.kind, item.index)}});
  }
  return {{"format", "module"},
          {"bytes", file_bytes},
          {"functions", module.functions.size() - module.imported_functions},
          {"types", module.types.size()},
          {"data_segments", module.data.size()},
          {"element_segments", module.elements.size()},
          {"has_start", module.start.has_value()},
          {"imports", std::move(imports)},
          {"exports", std::move(exports)},
          {"could_ask_for", capabilities_of(names)}};
}

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

json describe(const image::Image& image) {
  json regions = json::array();
  for (const image::Region& region : image.regions()) {
    regions.push_back({{"kind", kind_name(region.kind)},
                       {"address", hex(region.address)},
                       {"bytes", region.bytes},
                       {"bytes_reserved", region.bytes_reserved}});
  }
  json imports = json::array();
  std::vector<ImportName> names;
  for (const image::ImportedModuleName& import : image.imports()) {
    if (import.bound_to == "guest library" || import.bound_to == "host") {
      names.push_back({import.module, import.name});
    }
    imports.push_back(
        {{"module", import.module}, {"name", import.name}, {"bound_to", import.bound_to}});
  }
  json instances = json::array();
  for (const image::ImageInstance& instance : image.instances()) {
    json exports = json::array();
    for (const image::ImageExport& item : instance.exports) {
      exports.push_back(
          {{"name", item.name}, {"kind", keyword(item.kind)}, {"type", type_text(item)}});
    }
    instances.push_back({{"name", instance.name}, {"exports", std::move(exports)}});
  }
  const auto origin = runtime::check_origin(image);
  return {{"format", "image"},
          {"origin", origin ? "this installation" : "unknown: " + origin.error().message},
          {"cpu_features", image.cpu_features()},
          {"counts_fuel", image.counts_fuel()},
          {"regions", std::move(regions)},
          {"imports", std::move(imports)},
          {"instances", std::move(instances)},
          {"could_ask_for", capabilities_of(names)}};
}

json describe(const runtime::SnapshotFile& file, const image::Image& image) {
  const image::SnapshotMetadata& metadata = file.metadata();
  uint64_t image_pages = 0;
  for (const image::SnapshotRun& run : metadata.runs) {
    if (run.kind == image::SnapshotRun::Kind::kImage) image_pages += run.count;
  }
  json regions = json::array();
  for (size_t i = 0; i < metadata.region_bytes.size(); ++i) {
    if (metadata.region_bytes[i] == image.regions()[i].bytes) continue;
    regions.push_back({{"kind", kind_name(image.regions()[i].kind)},
                       {"address", hex(image.regions()[i].address)},
                       {"bytes", metadata.region_bytes[i]}});
  }
  json snapshot = {{"format", "snapshot"},
                   {"version", image::kSnapshotVersion},
                   {"image_bytes", file.header().image_bytes},
                   {"pages", file.header().page_count},
                   {"pages_of_image", image_pages},
                   {"runs", metadata.runs.size()},
                   {"marked", file.header().has_origin()},
                   {"grown_regions", std::move(regions)}};
  json description = describe(image);
  for (const char* part :
       {"cpu_features", "counts_fuel", "regions", "imports", "instances", "could_ask_for"}) {
    snapshot[part] = std::move(description[part]);
  }
  return snapshot;
}

std::string text_of(const json& value) {
  return value.is_string() ? printable(value.get<std::string>())
                           : json_text(value, JsonLines::kCompact);
}

// One line per scalar, then one line per entry of each list, in the order of the fields.
std::string as_text(const json& description, const std::string& indent = "") {
  const std::string deeper = indent + "    ";
  std::string text;
  for (const auto& [name, value] : description.items()) {
    if (!value.is_array()) {
      text += indent + name + ": " + text_of(value) + "\n";
      continue;
    }
    text += indent + name + ":" + (value.empty() ? " none\n" : "\n");
    for (const json& entry : value) {
      if (!entry.is_object()) {
        text += indent + "  " + text_of(entry) + "\n";
        continue;
      }
      std::string line = indent + " ";
      std::string lists;
      for (const auto& [field, content] : entry.items()) {
        if (content.is_array()) {
          lists += as_text({{field, content}}, deeper);
        } else {
          line.append(" ").append(field).append("=").append(text_of(content));
        }
      }
      text.append(line).append("\n").append(lists);
    }
  }
  return text;
}

Result<component::Component> read_component(const std::string& file, const Fd& input) {
  const auto bytes = MAYFLY_TRY(read_module(file, input));
  auto component = component::decode(bytes);
  if (!component) return with_context(file, std::move(component).error());
  return component;
}

Result<json> inspect_snapshot(Fd opened, const InspectOptions& options) {
  const auto file = MAYFLY_TRY(runtime::SnapshotFile::open(std::move(opened)));
  const auto image = MAYFLY_TRY(file->open_image());
  MAYFLY_TRY(image::check_snapshot(file->metadata(), file->header().page_count, *image));
  if (options.verify) MAYFLY_TRY(file->verify());
  json description = describe(*file, *image);
  if (options.verify) description["verified"] = true;
  return description;
}

Result<json> inspect(const InspectOptions& options) {
  Input input = MAYFLY_TRY(open_input(options.file, Components::kTaken));
  if (input.kind == FileKind::kComponent) {
    return describe_component(MAYFLY_TRY(read_component(options.file, input.file)));
  }
  if (input.kind == FileKind::kSnapshot) {
    auto description = inspect_snapshot(std::move(input.file), options);
    if (!description) return with_context(options.file, std::move(description).error());
    return description;
  }
  if (input.kind == FileKind::kImage) {
    auto image = image::Image::open(std::move(input.file));
    if (!image) return with_context(options.file, std::move(image).error());
    return describe(**image);
  }
  const auto bytes = MAYFLY_TRY(read_module(options.file, input.file));
  const auto module = wasm::decode(bytes);
  if (!module) return with_context(options.file, module.error());
  return describe(*module, bytes.size());
}

Result<std::string> inspect_wit(const InspectOptions& options) {
  const Input input = MAYFLY_TRY(open_input(options.file, Components::kTaken));
  if (input.kind != FileKind::kComponent) {
    return invalid(options.file + ": not a component: it has no world");
  }
  auto text = component_wit(MAYFLY_TRY(read_component(options.file, input.file)));
  if (!text) return with_context(options.file, std::move(text).error());
  return text;
}

}  // namespace

int inspect_command(const InspectOptions& options) {
  if (options.wit) {
    const auto text = inspect_wit(options);
    return text ? print(*text) : report(text.error());
  }
  const auto description = inspect(options);
  if (!description) return report(description.error());
  return print(options.form == OutputForm::kJson
                   ? json_text(*description, JsonLines::kIndented) + "\n"
                   : as_text(*description));
}

}  // namespace mayfly::cli
