// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Image: a plan and its code, as a static ELF executable at fixed addresses with a section
// .mayfly.image of metadata for the host (docs/formats/image.md). Reading trusts nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/mapping.h"
#include "base/result.h"
#include "image/plan.h"
#include "wasm/module.h"

namespace mayfly::image {

inline constexpr uint32_t kImageVersion = 3;

enum class RegionKind : uint8_t { kText, kReadOnly, kData, kMemory, kTable };

// One range of guest memory. Its position in Image::regions is its number for GrowRequest:
// memories and tables come first, in address order, then what is loaded from the file.
struct Region {
  RegionKind kind = RegionKind::kData;
  uint64_t address = 0;
  uint64_t bytes = 0;           // at the start: memories and tables their minimum
  uint64_t bytes_reserved = 0;  // what it may grow to
  uint64_t file_offset = 0;     // kText, kReadOnly, kData
  uint64_t file_bytes = 0;
};

// A function as the host calls it: thunk(code, slots).
struct FuncExport {
  wasm::FuncType type;
  uint64_t code = 0;
  uint64_t thunk = 0;
  uint64_t funcref = 0;  // its FuncRef, for calls that pass it as a value
};
struct MemoryExport {
  wasm::MemoryType type;
  uint64_t info = 0;  // address of its MemoryInfo
  uint32_t region = 0;
};
struct TableExport {
  wasm::TableType type;
  uint64_t info = 0;  // address of its TableInfo
};
struct GlobalExport {
  wasm::GlobalType type;
  uint64_t address = 0;  // 8 bytes, 16 for v128
};

struct ImageExport {
  std::string name;
  wasm::ExternKind kind = wasm::ExternKind::kFunc;
  // The one that fits kind. Concrete reference types inside are widened to their top type.
  FuncExport func;
  MemoryExport memory;
  TableExport table;
  GlobalExport global;
};

// Checked when the instance is made: an imported memory's or table's size of that moment.
struct LimitCheck {
  std::string import;  // "module.name", for the message
  wasm::ExternKind kind = wasm::ExternKind::kMemory;
  uint64_t info = 0;  // address of MemoryInfo or TableInfo
  uint64_t min = 0;   // bytes or entries
};

struct ImageInstance {
  std::string name;
  std::vector<uint32_t> depends_on;  // steps that must have run
  std::vector<LimitCheck> limit_checks;
  uint64_t instantiate = 0;  // code of a function () -> (), called through instantiate_thunk
  uint64_t instantiate_thunk = 0;
  std::vector<ImageExport> exports;
};

struct ImportedModuleName {
  std::string module;
  std::string name;
  std::string bound_to;  // "guest library", "host", an instance's name
};

// Where in the program an address of text lies.
struct Location {
  std::string_view function;       // Wasm name, or "wasm function 12"; lives as long as the Image
  uint32_t module = 0;             // wasm::kNoIndex: the guest library, a thunk or an adapter
  std::optional<uint64_t> offset;  // from the module's first byte, where known
  // Where `function` was copied into another one, which has the frame: that one, and its call.
  struct Call {
    std::string_view function;
    uint64_t offset = 0;
  };
  std::optional<Call> inlined_into = std::nullopt;
};

// How to step from a frame to its caller at one address: the canonical frame address is
// rsp + offset or rbp + offset, the return address lies below it.
struct UnwindRow {
  bool from_rbp = false;
  int32_t cfa_offset = 0;
  std::optional<int32_t> rbp_offset;  // where the caller's rbp is saved, relative to the CFA
};

class Image {
  struct Key {  // only ImageReader makes an Image
    explicit Key() = default;
  };

 public:
  explicit Image(Key) {}
  // Reads and checks all of it but the code itself. Takes the descriptor (a file or memfd).
  // Errors: kInvalid with the byte or field; kUnsupported for another version.
  static Result<std::unique_ptr<Image>> open(Fd file);

  int file() const { return file_.get(); }
  // All of the file, a mark of origin included.
  std::span<const uint8_t> file_bytes() const { return bytes_.bytes(); }
  const std::vector<Region>& regions() const { return regions_; }
  const std::vector<ImageInstance>& instances() const { return instances_; }
  const std::vector<HostFunction>& host_functions() const { return host_functions_; }
  const std::vector<ImportedModuleName>& imports() const { return imports_; }
  const std::vector<std::string>& module_names() const { return module_names_; }
  // CPU features that the code needs, as in /proc/cpuinfo: "sse4_1", "avx2".
  const std::vector<std::string>& cpu_features() const { return cpu_features_; }
  // Whether the code counts CallPage::fuel.
  bool counts_fuel() const { return counts_fuel_; }
  // Errors: kUnsupported, naming the first feature that this CPU lacks.
  Result<void> check_cpu() const;

  // The byte of the image's own text at an address (never the guest's memory), for trap codes.
  std::optional<uint8_t> text_byte(uint64_t address) const;
  std::optional<Location> find_location(uint64_t address) const;
  std::optional<UnwindRow> find_unwind(uint64_t address) const;

 private:
  friend class ImageReader;
  std::optional<uint32_t> text_offset(uint64_t address) const;
  std::string_view name_at(uint32_t offset, uint32_t bytes) const;

  Fd file_;
  Mapping bytes_;
  std::vector<Region> regions_;
  std::vector<ImageInstance> instances_;
  std::vector<HostFunction> host_functions_;
  std::vector<ImportedModuleName> imports_;
  std::vector<std::string> module_names_;
  std::vector<std::string> cpu_features_;
  bool counts_fuel_ = false;
  // Inside bytes_: the text, and the tables of image_tables.h.
  std::span<const uint8_t> text_;
  std::span<const uint8_t> functions_;
  std::span<const uint8_t> locations_;
  std::span<const uint8_t> inlined_;
  std::span<const uint8_t> unwind_;
  std::span<const uint8_t> names_;
};

}  // namespace mayfly::image
