// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A number, then a unit of a short list.
#include "cli/quantity.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <span>
#include <string>

namespace mayfly::cli {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array<Unit, 6> kByteUnits = {{{"", 1},
                                             {"B", 1},
                                             {"KiB", 1024},
                                             {"MiB", 1024.0 * 1024},
                                             {"GiB", 1024.0 * 1024 * 1024},
                                             {"TiB", 1024.0 * 1024 * 1024 * 1024}}};
constexpr std::array<Unit, 6> kTimeUnits = {
    {{"", 1e9}, {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}}};

// Everything below 2^62, so that the sum with a time of today still fits.
constexpr double kMax = 4.6e18;

std::optional<uint64_t> parse(std::string_view text, std::span<const Unit> units) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  for (const Unit& unit : units) {
    if (unit.name != text) continue;
    const double value = number * unit.factor;
    if (!(value < kMax)) return std::nullopt;
    return static_cast<uint64_t>(value);
  }
  return std::nullopt;
}

}  // namespace

Result<uint64_t> parse_bytes(std::string_view text) {
  const auto bytes = parse(text, kByteUnits);
  if (!bytes) return invalid("'" + std::string(text) + "' is no size: write 64MiB, 4GiB, 1000000");
  return *bytes;
}

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  const auto nanoseconds = parse(text, kTimeUnits);
  if (!nanoseconds) return invalid("'" + std::string(text) + "' is no time: write 500ms, 2s, 1.5m");
  return std::chrono::nanoseconds(*nanoseconds);
}

std::string format_milliseconds(std::chrono::nanoseconds time) {
  char text[40];
  std::snprintf(text, sizeof text, "%.2f ms", static_cast<double>(time.count()) / 1e6);
  return text;
}

}  // namespace mayfly::cli
