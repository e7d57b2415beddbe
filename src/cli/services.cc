// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values as text, whatever JSON calls them; messages without control characters, so that none can
// pass for another line.
#include "cli/services.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/fd.h"
#include "cli/output.h"
#include "runtime/printable.h"

namespace mayfly::cli {
namespace {

using nlohmann::json;

constexpr uint64_t kConfigFileBytesMax = 1 << 20;
constexpr std::string_view kOff = "off";
constexpr std::array<std::string_view, 6> kLevels = {"trace", "debug", "info",
                                                     "warn",  "error", "critical"};
static_assert(kLevels.size() == static_cast<size_t>(wasi::LogLevel::kCritical) + 1);

void print_message(wasi::LogLevel level, std::string_view context, std::string_view message) {
  std::string line = "[" + std::string(kLevels[static_cast<size_t>(level)]) + "] ";
  if (!context.empty()) line += runtime::without_controls(context) + ": ";
  print_error(line + runtime::without_controls(message) + "\n");
}

}  // namespace

bool is_log_level(std::string_view text) {
  return text == kOff || std::ranges::find(kLevels, text) != kLevels.end();
}

wasi::LogConfig log_config(std::string_view level) {
  wasi::LogConfig log;
  if (level == kOff) return log;
  log.from = static_cast<wasi::LogLevel>(std::ranges::find(kLevels, level) - kLevels.begin());
  log.sink = &print_message;
  return log;
}

Result<std::map<std::string, std::string>> parse_config_file(const std::string& name,
                                                             std::string_view text) {
  const json document = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) return invalid(name + ": not a JSON object of configuration values");
  std::map<std::string, std::string> values;
  for (const auto& [key, value] : document.items()) {
    if (value.is_string()) {
      values[key] = value.get<std::string>();
    } else if (value.is_number() || value.is_boolean()) {
      values[key] = value.dump();
    } else {
      return invalid(name + ": the value of '" + runtime::printable(key) +
                     "' is neither a text, a number nor a boolean");
    }
  }
  return values;
}

Result<std::map<std::string, std::string>> config_values(const RunOptions& options) {
  std::map<std::string, std::string> values;
  for (const std::string& file : options.config_files) {
    const auto bytes = read_file(file, kConfigFileBytesMax);
    if (!bytes) return with_context("--config-file", bytes.error());
    const std::string text(bytes->begin(), bytes->end());
    for (auto& [key, value] : MAYFLY_TRY(parse_config_file(file, text))) values[key] = value;
  }
  for (const std::string& pair : options.config) {
    const size_t equals = pair.find('=');  // the command line's check
    values[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return values;
}

wasi::KeyValueConfig keyvalue_config(const RunOptions& options) {
  constexpr uint64_t kMemoryBytes = uint64_t{16} << 20;
  constexpr uint64_t kFileBytes = uint64_t{1} << 30;
  if (options.keyvalue.empty()) {
    return {wasi::KeyValueConfig::Kind::kMemory, "",
            options.keyvalue_bytes_max.value_or(kMemoryBytes)};
  }
  return {wasi::KeyValueConfig::Kind::kFile, options.keyvalue,
          options.keyvalue_bytes_max.value_or(kFileBytes)};
}

}  // namespace mayfly::cli
