// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rules, one function each. docs/formats/image.md lists them as "Rules".
#include "image/image_check.h"

#include <algorithm>
#include <cstdio>

#include "guest_abi/call_page.h"
#include "guest_abi/instance.h"
#include "guest_abi/layout.h"

namespace mayfly::image {
namespace {

using guest_abi::kHighWindows;
using guest_abi::kHighWindowsEnd;
using guest_abi::kImage;
using guest_abi::kImageEnd;
using guest_abi::kLargePageBytes;
using guest_abi::kLowMemory;
using guest_abi::kPageBytes;
using guest_abi::kWindowBytes;

constexpr size_t kTypesMax = 1000;  // wasm-3.0 #impl-limits, as DecodeLimits has them

std::string hex(uint64_t value) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string range_text(uint64_t address, uint64_t bytes) {
  return "[" + hex(address) + ", +" + hex(bytes) + ")";
}

bool inside(uint64_t address, uint64_t bytes, uint64_t outer, uint64_t outer_bytes) {
  return address >= outer && address - outer <= outer_bytes &&
         bytes <= outer_bytes - (address - outer);
}

// Whether a range lies in a loaded region of one of the kinds.
class Places {
 public:
  explicit Places(const std::vector<Region>& loaded) : loaded_(loaded) {}

  Result<void> code(const char* what, uint64_t address) const {
    for (const Region& region : loaded_) {
      if (region.kind == RegionKind::kText && inside(address, 1, region.address, region.bytes)) {
        return {};
      }
    }
    return invalid(std::string(what) + " at " + hex(address) + " is outside the text");
  }
  enum class Writable : uint8_t { kRequired, kOptional };
  Result<void> data(const char* what, uint64_t address, uint64_t bytes, Writable writable) const {
    for (const Region& region : loaded_) {
      if (region.kind == RegionKind::kText) continue;
      if (region.kind == RegionKind::kReadOnly && writable == Writable::kRequired) continue;
      if (!inside(address, bytes, region.address, region.bytes)) continue;
      if (address % 8 != 0) break;
      return {};
    }
    return invalid(std::string(what) + " at " + range_text(address, bytes) +
                   " is not eight-byte aligned inside the data");
  }

 private:
  const std::vector<Region>& loaded_;
};

bool is_portable(const wasm::ValType& type) {
  return !type.is_ref() || type.ref.heap.kind != wasm::HeapKind::kConcrete;
}

Result<void> check_type(const wasm::FuncType& type) {
  if (type.params.size() > kTypesMax || type.results.size() > kTypesMax) {
    return invalid("a function type has " + std::to_string(type.params.size()) +
                   " parameters and " + std::to_string(type.results.size()) +
                   " results, the limit is " + std::to_string(kTypesMax));
  }
  if (!std::ranges::all_of(type.params, is_portable) ||
      !std::ranges::all_of(type.results, is_portable)) {
    return invalid("a function type names a type of its module");
  }
  return {};
}

// What a window keeps others from: with memories of 32-bit addresses all that code can reach.
uint64_t window_bytes(const Region& window) {
  if (window.kind == RegionKind::kTable) return window.bytes_reserved;
  return std::max(kWindowBytes, window.bytes_reserved + kLargePageBytes);
}

Result<void> check_window(const Region& window) {
  const std::string name = "window at " + range_text(window.address, window.bytes_reserved);
  if (window.kind != RegionKind::kMemory && window.kind != RegionKind::kTable) {
    return invalid(name + " is of kind " + std::to_string(static_cast<int>(window.kind)));
  }
  if (window.address % kLargePageBytes != 0 || window.bytes > window.bytes_reserved) {
    return invalid(name + " starts with " + hex(window.bytes) + " bytes, or not at 2 MiB");
  }
  constexpr uint64_t kHighBytes = kHighWindowsEnd - kHighWindows;
  if (window.bytes_reserved > kHighBytes - kWindowBytes) return invalid(name + " is too large");
  const bool low = window.address == kLowMemory && window.kind == RegionKind::kMemory &&
                   window_bytes(window) <= kWindowBytes;
  if (!low && !inside(window.address, window_bytes(window), kHighWindows, kHighBytes)) {
    return invalid(name + " lies outside the windows of the address map");
  }
  return {};
}

Result<void> check_windows(const std::vector<Region>& windows) {
  for (size_t i = 0; i < windows.size(); ++i) {
    MAYFLY_TRY(check_window(windows[i]));
    if (i == 0) continue;
    const Region& before = windows[i - 1];
    if (windows[i].address < before.address + window_bytes(before)) {
      return invalid("window at " + hex(windows[i].address) + " is within " +
                     hex(window_bytes(before)) + " bytes of the one before it, at " +
                     hex(before.address));
    }
  }
  return {};
}

Result<void> check_func(const FuncExport& func, const Places& places) {
  MAYFLY_TRY(check_type(func.type));
  MAYFLY_TRY(places.code("code", func.code));
  MAYFLY_TRY(places.code("thunk", func.thunk));
  return places.data("funcref", func.funcref, sizeof(guest_abi::FuncRef),
                     Places::Writable::kOptional);
}

Result<void> check_global(const GlobalExport& global, const Places& places) {
  if (!is_portable(global.type.type)) return invalid("a global names a type of its module");
  const uint64_t bytes = global.type.type.kind == wasm::ValKind::kV128 ? 16 : 8;
  return places.data("global", global.address, bytes, Places::Writable::kOptional);
}

Result<void> check_export(const ImageExport& item, const ImageMetadata& metadata,
                          const Places& places) {
  switch (item.kind) {
    case wasm::ExternKind::kFunc:
      return check_func(item.func, places);
    case wasm::ExternKind::kMemory: {
      const uint32_t region = item.memory.region;
      if (region >= metadata.windows.size() ||
          metadata.windows[region].kind != RegionKind::kMemory) {
        return invalid("memory is region " + std::to_string(region) + ", which is none of the " +
                       std::to_string(metadata.windows.size()) + " windows' memories");
      }
      return places.data("MemoryInfo", item.memory.info, sizeof(guest_abi::MemoryInfo),
                         Places::Writable::kRequired);
    }
    case wasm::ExternKind::kTable:
      if (!is_portable(wasm::ValType::of(item.table.type.element))) {
        return invalid("a table names a type of its module");
      }
      return places.data("TableInfo", item.table.info, sizeof(guest_abi::TableInfo),
                         Places::Writable::kRequired);
    case wasm::ExternKind::kGlobal:
      return check_global(item.global, places);
    case wasm::ExternKind::kTag:
      return unsupported("an exported tag");
  }
  return invalid("an export of no kind");
}

Result<void> check_limit(const LimitCheck& check, const Places& places) {
  if (check.kind == wasm::ExternKind::kMemory) {
    return places.data("MemoryInfo", check.info, sizeof(guest_abi::MemoryInfo),
                       Places::Writable::kRequired);
  }
  if (check.kind == wasm::ExternKind::kTable) {
    return places.data("TableInfo", check.info, sizeof(guest_abi::TableInfo),
                       Places::Writable::kRequired);
  }
  return invalid("import '" + check.import + "' has no size to check");
}

Result<void> check_instance(const ImageMetadata& metadata, size_t step, const Places& places) {
  const ImageInstance& instance = metadata.instances[step];
  for (const uint32_t before : instance.depends_on) {
    if (before >= step) return invalid("it depends on step " + std::to_string(before));
  }
  for (const LimitCheck& check : instance.limit_checks) MAYFLY_TRY(check_limit(check, places));
  MAYFLY_TRY(places.code("instantiate", instance.instantiate));
  MAYFLY_TRY(places.code("its thunk", instance.instantiate_thunk));
  for (const ImageExport& item : instance.exports) {
    auto checked = check_export(item, metadata, places);
    if (!checked) return with_context("export '" + item.name + "'", std::move(checked).error());
  }
  return {};
}

RegionKind kind_of(const ElfSegment& segment) {
  if (segment.executable) return RegionKind::kText;
  return segment.writable ? RegionKind::kData : RegionKind::kReadOnly;
}

Result<Region> check_segment(const ElfSegment& segment) {
  const std::string name = "segment at " + range_text(segment.address, segment.memory_bytes);
  if (segment.memory_bytes == 0 ||
      !inside(segment.address, segment.memory_bytes, kImage, kImageEnd - kImage)) {
    return invalid(name + " lies outside " + range_text(kImage, kImageEnd - kImage));
  }
  if (segment.address % kPageBytes != 0 || segment.file_offset % kPageBytes != 0) {
    return invalid(name + " or its file offset " + hex(segment.file_offset) +
                   " is not at a multiple of 4096");
  }
  if (segment.writable && segment.executable) {
    return invalid(name + " is writable and executable");
  }
  if (!segment.writable && segment.file_bytes != segment.memory_bytes) {
    return invalid(name + " is not writable, and only " + hex(segment.file_bytes) +
                   " bytes are in the file");
  }
  Region region;
  region.kind = kind_of(segment);
  region.address = segment.address;
  region.bytes = segment.memory_bytes;
  region.bytes_reserved = segment.memory_bytes;
  region.file_offset = segment.file_offset;
  region.file_bytes = segment.file_bytes;
  return region;
}

}  // namespace

Result<std::vector<Region>> check_segments(const std::vector<ElfSegment>& segments) {
  std::vector<Region> regions;
  for (const ElfSegment& segment : segments) {
    const Region region = MAYFLY_TRY(check_segment(segment));
    // Regions are page by page: the rest of a region's last page is its own.
    if (!regions.empty()) {
      const Region& before = regions.back();
      const uint64_t end = before.address + before.bytes + (kPageBytes - 1);
      if (region.address < end / kPageBytes * kPageBytes) {
        return invalid("segment at " + hex(region.address) + " is not past the one at " +
                       range_text(before.address, before.bytes));
      }
    }
    for (const Region& before : regions) {
      if (before.kind == region.kind) {
        return invalid("segments at " + hex(before.address) + " and " + hex(region.address) +
                       " are of one kind");
      }
    }
    regions.push_back(region);
  }
  return regions;
}

Result<void> check_metadata(const ImageMetadata& metadata, const std::vector<Region>& loaded) {
  MAYFLY_TRY(check_windows(metadata.windows));
  for (const HostFunction& function : metadata.host_functions) {
    auto checked = check_type(function.type);
    if (!checked) {
      return with_context("host function '" + function.module + "." + function.name + "'",
                          std::move(checked).error());
    }
  }
  const Places places(loaded);
  for (size_t step = 0; step < metadata.instances.size(); ++step) {
    auto checked = check_instance(metadata, step, places);
    if (!checked) {
      return with_context(
          "instance " + std::to_string(step) + " '" + metadata.instances[step].name + "'",
          std::move(checked).error());
    }
  }
  return {};
}

}  // namespace mayfly::image
