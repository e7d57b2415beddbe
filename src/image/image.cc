// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Questions to an open image. Opening it: image_reader.cc.
#include "image/image.h"

#include "image/cpu_features_x86_64.h"
#include "image/image_tables.h"

namespace mayfly::image {

Result<void> Image::check_cpu() const {
  for (const std::string& name : cpu_features_) {
    switch (cpu_feature(name)) {
      case CpuFeature::kPresent:
        break;
      case CpuFeature::kAbsent:
        return unsupported("the image needs the CPU feature " + name + ", which this CPU lacks");
      case CpuFeature::kUnknownName:
        return unsupported("the image needs the CPU feature '" + name +
                           "', which this build does not know");
    }
  }
  return {};
}

std::optional<uint32_t> Image::text_offset(uint64_t address) const {
  for (const Region& region : regions_) {
    if (region.kind != RegionKind::kText) continue;
    if (address < region.address || address - region.address >= region.file_bytes) break;
    return static_cast<uint32_t>(address - region.address);
  }
  return std::nullopt;
}

std::optional<uint8_t> Image::text_byte(uint64_t address) const {
  const std::optional<uint32_t> offset = text_offset(address);
  if (!offset.has_value()) return std::nullopt;
  return text_[*offset];
}

std::string_view Image::name_at(uint32_t offset, uint32_t bytes) const {
  if (offset > names_.size() || bytes > names_.size() - offset) return {};
  // SAFETY: names_ lies in bytes_, which lives as long as the Image; the range was checked.
  return {reinterpret_cast<const char*>(names_.data() + offset), bytes};
}

std::optional<Location> Image::find_location(uint64_t address) const {
  const std::optional<uint32_t> offset = text_offset(address);
  if (!offset.has_value()) return std::nullopt;
  const std::optional<FunctionRow> function = find_function(functions_, *offset);
  if (!function.has_value()) return std::nullopt;
  Location location;
  location.module = function->module;
  location.function = name_at(function->name_offset, function->name_bytes);
  const std::optional<LocationRow> row = image::find_location(locations_, *offset);
  if (!row.has_value() || row->start < function->start || row->offset == kNoOffset) return location;
  location.offset = row->offset;
  if (const std::optional<InlinedRow> inlined = find_inlined(inlined_, row->start)) {
    location.inlined_into = {location.function, inlined->call_offset};
    location.function = name_at(inlined->name_offset, inlined->name_bytes);
  }
  return location;
}

std::optional<UnwindRow> Image::find_unwind(uint64_t address) const {
  const std::optional<uint32_t> offset = text_offset(address);
  if (!offset.has_value()) return std::nullopt;
  const std::optional<UnwindTableRow> row = image::find_unwind(unwind_, *offset);
  return row.has_value() ? row->unwind : std::nullopt;
}

}  // namespace mayfly::image
