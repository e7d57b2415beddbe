// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The metadata as bytes: docs/formats/image.md, "Metadata".
#include "image/image_metadata.h"

#include "base/byte_writer.h"
#include "image/type_codec.h"

namespace mayfly::image {
namespace {

constexpr uint32_t kMagic = 0x4649'464D;  // "MFIF"

void write_export(ByteWriter& to, const ImageExport& item) {
  to.string(item.name);
  to.u8(static_cast<uint8_t>(item.kind));
  switch (item.kind) {
    case wasm::ExternKind::kFunc:
      write_type(to, item.func.type);
      to.u64(item.func.code);
      to.u64(item.func.thunk);
      to.u64(item.func.funcref);
      break;
    case wasm::ExternKind::kMemory:
      write_type(to, item.memory.type);
      to.u64(item.memory.info);
      to.u32(item.memory.region);
      break;
    case wasm::ExternKind::kTable:
      write_type(to, item.table.type);
      to.u64(item.table.info);
      break;
    case wasm::ExternKind::kGlobal:
      write_type(to, item.global.type);
      to.u64(item.global.address);
      break;
    case wasm::ExternKind::kTag:
      break;
  }
}

ImageExport read_export(ByteReader& from) {
  ImageExport item;
  item.name = from.string();
  item.kind = read_enum(from, wasm::ExternKind::kTag);
  switch (item.kind) {
    case wasm::ExternKind::kFunc:
      item.func.type = read_func_type(from);
      item.func.code = from.u64();
      item.func.thunk = from.u64();
      item.func.funcref = from.u64();
      break;
    case wasm::ExternKind::kMemory:
      item.memory.type = read_memory_type(from);
      item.memory.info = from.u64();
      item.memory.region = from.u32();
      break;
    case wasm::ExternKind::kTable:
      item.table.type = read_table_type(from);
      item.table.info = from.u64();
      break;
    case wasm::ExternKind::kGlobal:
      item.global.type = read_global_type(from);
      item.global.address = from.u64();
      break;
    case wasm::ExternKind::kTag:
      break;
  }
  return item;
}

void write_instance(ByteWriter& to, const ImageInstance& instance) {
  to.string(instance.name);
  to.u32(static_cast<uint32_t>(instance.depends_on.size()));
  for (const uint32_t step : instance.depends_on) to.u32(step);
  to.u32(static_cast<uint32_t>(instance.limit_checks.size()));
  for (const LimitCheck& check : instance.limit_checks) {
    to.string(check.import);
    to.u8(static_cast<uint8_t>(check.kind));
    to.u64(check.info);
    to.u64(check.min);
  }
  to.u64(instance.instantiate);
  to.u64(instance.instantiate_thunk);
  to.u32(static_cast<uint32_t>(instance.exports.size()));
  for (const ImageExport& item : instance.exports) write_export(to, item);
}

ImageInstance read_instance(ByteReader& from) {
  ImageInstance instance;
  instance.name = from.string();
  const uint32_t steps = from.count(4);
  for (uint32_t i = 0; i < steps; ++i) instance.depends_on.push_back(from.u32());
  const uint32_t checks = from.count(21);
  for (uint32_t i = 0; i < checks && from.ok(); ++i) {
    LimitCheck& check = instance.limit_checks.emplace_back();
    check.import = from.string();
    check.kind = read_enum(from, wasm::ExternKind::kTag);
    check.info = from.u64();
    check.min = from.u64();
  }
  instance.instantiate = from.u64();
  instance.instantiate_thunk = from.u64();
  const uint32_t exports = from.count(5);
  for (uint32_t i = 0; i < exports && from.ok(); ++i) instance.exports.push_back(read_export(from));
  return instance;
}

void write_strings(ByteWriter& to, const std::vector<std::string>& strings) {
  to.u32(static_cast<uint32_t>(strings.size()));
  for (const std::string& text : strings) to.string(text);
}

std::vector<std::string> read_strings(ByteReader& from) {
  std::vector<std::string> strings;
  const uint32_t count = from.count(4);
  for (uint32_t i = 0; i < count && from.ok(); ++i) strings.push_back(from.string());
  return strings;
}

void write_windows(ByteWriter& to, const std::vector<Region>& windows) {
  to.u32(static_cast<uint32_t>(windows.size()));
  for (const Region& window : windows) {
    to.u8(static_cast<uint8_t>(window.kind));
    to.u64(window.address);
    to.u64(window.bytes);
    to.u64(window.bytes_reserved);
  }
}

std::vector<Region> read_windows(ByteReader& from) {
  std::vector<Region> windows;
  const uint32_t count = from.count(25);
  for (uint32_t i = 0; i < count && from.ok(); ++i) {
    Region& window = windows.emplace_back();
    window.kind = read_enum(from, RegionKind::kTable);
    window.address = from.u64();
    window.bytes = from.u64();
    window.bytes_reserved = from.u64();
  }
  return windows;
}

void read_links(ByteReader& from, ImageMetadata& metadata) {
  const uint32_t functions = from.count(16);
  for (uint32_t i = 0; i < functions && from.ok(); ++i) {
    HostFunction& function = metadata.host_functions.emplace_back();
    function.module = from.string();
    function.name = from.string();
    function.type = read_func_type(from);
  }
  const uint32_t imports = from.count(12);
  for (uint32_t i = 0; i < imports && from.ok(); ++i) {
    ImportedModuleName& import = metadata.imports.emplace_back();
    import.module = from.string();
    import.name = from.string();
    import.bound_to = from.string();
  }
}

}  // namespace

std::vector<uint8_t> encode(const ImageMetadata& metadata) {
  ByteWriter to;
  to.u32(kMagic);
  to.u32(kImageVersion);
  to.u8(metadata.counts_fuel ? 1 : 0);
  write_strings(to, metadata.cpu_features);
  write_strings(to, metadata.module_names);
  write_windows(to, metadata.windows);
  to.u32(static_cast<uint32_t>(metadata.host_functions.size()));
  for (const HostFunction& function : metadata.host_functions) {
    to.string(function.module);
    to.string(function.name);
    write_type(to, function.type);
  }
  to.u32(static_cast<uint32_t>(metadata.imports.size()));
  for (const ImportedModuleName& import : metadata.imports) {
    to.string(import.module);
    to.string(import.name);
    to.string(import.bound_to);
  }
  to.u32(static_cast<uint32_t>(metadata.instances.size()));
  for (const ImageInstance& instance : metadata.instances) write_instance(to, instance);
  return to.take();
}

Result<ImageMetadata> decode_image_metadata(std::span<const uint8_t> bytes) {
  ByteReader from(bytes);
  if (from.u32() != kMagic) return invalid("image metadata starts with another magic");
  const uint32_t version = from.u32();
  if (from.ok() && version != kImageVersion) {
    return unsupported("image is of version " + std::to_string(version) +
                       ", this build reads version " + std::to_string(kImageVersion));
  }
  ImageMetadata metadata;
  metadata.counts_fuel = from.u8() != 0;
  metadata.cpu_features = read_strings(from);
  metadata.module_names = read_strings(from);
  metadata.windows = read_windows(from);
  read_links(from, metadata);
  const uint32_t instances = from.count(32);
  for (uint32_t i = 0; i < instances && from.ok(); ++i) {
    metadata.instances.push_back(read_instance(from));
  }
  MAYFLY_TRY(from.finish("image metadata"));
  return metadata;
}

}  // namespace mayfly::image
