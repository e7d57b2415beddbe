// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The sorted tables of an image that turn an address of its text into names and frames:
// .mayfly.functions, .mayfly.locations, .mayfly.inlined, .mayfly.unwind and .mayfly.names.
//
// They are searched where they lie and never checked as a whole: opening an image must not touch
// them. A table that is not sorted gives wrong answers, which only appear in messages; an access
// outside a table is impossible, because every row is read through its bounds.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "image/image.h"

namespace mayfly::image {

inline constexpr uint32_t kNoOffset = UINT32_MAX;

// Offsets of text are from the text region's first byte. Sorted by start.
struct FunctionRow {
  static constexpr size_t kBytes = 20;
  uint32_t start = 0;
  uint32_t end = 0;
  uint32_t module = 0;  // wasm::kNoIndex: not of a module (guest library, thunk, adapter)
  uint32_t name_offset = 0;
  uint32_t name_bytes = 0;
};
// From start to the next row's start, the code is of this instruction of the module.
struct LocationRow {
  static constexpr size_t kBytes = 8;
  uint32_t start = 0;
  uint32_t offset = kNoOffset;
};
// The location that starts there is of a function that was copied into the one around it.
struct InlinedRow {
  static constexpr size_t kBytes = 16;
  uint32_t start = 0;
  uint32_t call_offset = 0;  // of the call that is no longer there
  uint32_t name_offset = 0;  // of the copied function's name
  uint32_t name_bytes = 0;
};
// From start to the next row's start; no unwind: nothing is known there.
struct UnwindTableRow {
  static constexpr size_t kBytes = 12;
  uint32_t start = 0;
  std::optional<UnwindRow> unwind;
};

// What the compiler writes.
std::vector<uint8_t> encode(const std::vector<FunctionRow>& rows);
std::vector<uint8_t> encode(const std::vector<LocationRow>& rows);
std::vector<uint8_t> encode(const std::vector<InlinedRow>& rows);
std::vector<uint8_t> encode(const std::vector<UnwindTableRow>& rows);

// The row that covers an offset of text.
std::optional<FunctionRow> find_function(std::span<const uint8_t> table, uint32_t text_offset);
std::optional<LocationRow> find_location(std::span<const uint8_t> table, uint32_t text_offset);
// The row of the location that starts at an offset of text.
std::optional<InlinedRow> find_inlined(std::span<const uint8_t> table, uint32_t start);
std::optional<UnwindTableRow> find_unwind(std::span<const uint8_t> table, uint32_t text_offset);

}  // namespace mayfly::image
