// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows of fixed size, little-endian, found by binary search on their first word.
#include "image/image_tables.h"

#include <cstring>

#include "base/byte_writer.h"

namespace mayfly::image {
namespace {

// In UnwindTableRow's second word.
constexpr uint32_t kFromRbp = uint32_t{1} << 31;
constexpr uint32_t kKnown = uint32_t{1} << 30;
constexpr uint32_t kCfaMask = kKnown - 1;
constexpr int32_t kNoRbp = INT32_MIN;

uint32_t word(std::span<const uint8_t> row, size_t index) {
  uint32_t value = 0;
  std::memcpy(&value, row.data() + index * sizeof value, sizeof value);
  return value;
}

// The last row whose start is at most text_offset, or an empty span.
std::span<const uint8_t> search(std::span<const uint8_t> table, size_t row_bytes,
                                uint32_t text_offset) {
  size_t first = 0;
  size_t last = table.size() / row_bytes;
  while (first < last) {
    const size_t middle = first + (last - first) / 2;
    if (word(table.subspan(middle * row_bytes, row_bytes), 0) <= text_offset) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  if (first == 0) return {};
  return table.subspan((first - 1) * row_bytes, row_bytes);
}

}  // namespace

std::vector<uint8_t> encode(const std::vector<FunctionRow>& rows) {
  ByteWriter to;
  for (const FunctionRow& row : rows) {
    to.u32(row.start);
    to.u32(row.end);
    to.u32(row.module);
    to.u32(row.name_offset);
    to.u32(row.name_bytes);
  }
  return to.take();
}

std::vector<uint8_t> encode(const std::vector<LocationRow>& rows) {
  ByteWriter to;
  for (const LocationRow& row : rows) {
    to.u32(row.start);
    to.u32(row.offset);
  }
  return to.take();
}

std::vector<uint8_t> encode(const std::vector<InlinedRow>& rows) {
  ByteWriter to;
  for (const InlinedRow& row : rows) {
    to.u32(row.start);
    to.u32(row.call_offset);
    to.u32(row.name_offset);
    to.u32(row.name_bytes);
  }
  return to.take();
}

std::vector<uint8_t> encode(const std::vector<UnwindTableRow>& rows) {
  ByteWriter to;
  for (const UnwindTableRow& row : rows) {
    to.u32(row.start);
    if (!row.unwind.has_value()) {
      to.u32(0);
      to.u32(0);
      continue;
    }
    const uint32_t offset = static_cast<uint32_t>(row.unwind->cfa_offset) & kCfaMask;
    to.u32(kKnown | (row.unwind->from_rbp ? kFromRbp : 0) | offset);
    to.u32(static_cast<uint32_t>(row.unwind->rbp_offset.value_or(kNoRbp)));
  }
  return to.take();
}

std::optional<FunctionRow> find_function(std::span<const uint8_t> table, uint32_t text_offset) {
  const auto found = search(table, FunctionRow::kBytes, text_offset);
  if (found.empty()) return std::nullopt;
  FunctionRow row{word(found, 0), word(found, 1), word(found, 2), word(found, 3), word(found, 4)};
  if (text_offset >= row.end) return std::nullopt;
  return row;
}

std::optional<LocationRow> find_location(std::span<const uint8_t> table, uint32_t text_offset) {
  const auto found = search(table, LocationRow::kBytes, text_offset);
  if (found.empty()) return std::nullopt;
  return LocationRow{word(found, 0), word(found, 1)};
}

std::optional<InlinedRow> find_inlined(std::span<const uint8_t> table, uint32_t start) {
  const auto found = search(table, InlinedRow::kBytes, start);
  if (found.empty() || word(found, 0) != start) return std::nullopt;
  return InlinedRow{word(found, 0), word(found, 1), word(found, 2), word(found, 3)};
}

std::optional<UnwindTableRow> find_unwind(std::span<const uint8_t> table, uint32_t text_offset) {
  const auto found = search(table, UnwindTableRow::kBytes, text_offset);
  if (found.empty()) return std::nullopt;
  UnwindTableRow row{word(found, 0), std::nullopt};
  const uint32_t cfa = word(found, 1);
  if ((cfa & kKnown) == 0) return row;
  UnwindRow unwind;
  unwind.from_rbp = (cfa & kFromRbp) != 0;
  unwind.cfa_offset = static_cast<int32_t>(cfa & kCfaMask);
  const auto rbp = static_cast<int32_t>(word(found, 2));
  if (rbp != kNoRbp) unwind.rbp_offset = rbp;
  row.unwind = unwind;
  return row;
}

}  // namespace mayfly::image
