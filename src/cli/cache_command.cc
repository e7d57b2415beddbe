// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mayfly cache: what is in the folder of compiled code, and emptying it.
#include <time.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/options.h"
#include "cli/output.h"
#include "runtime/cache_folder.h"

namespace mayfly::cli {
namespace {

using runtime::CacheFile;
using runtime::CacheFolder;

std::string time_text(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return std::string(text.data(), std::strftime(text.data(), text.size(), "%FT%TZ", &parts));
}

std::string as_json(const std::vector<CacheFile>& files) {
  auto entries = nlohmann::json::array();
  for (const CacheFile& file : files) {
    entries.push_back({{"name", file.name}, {"bytes", file.bytes}, {"used", time_text(file.used)}});
  }
  return entries.dump(2) + "\n";
}

std::string as_text(const std::vector<CacheFile>& files) {
  std::string text;
  uint64_t bytes = 0;
  for (const CacheFile& file : files) {
    bytes += file.bytes;
    text += time_text(file.used) + "  " + std::to_string(file.bytes) + "  " + file.name + "\n";
  }
  return text + std::to_string(files.size()) + " images, " + std::to_string(bytes) + " bytes\n";
}

Result<std::string> clear(const CacheFolder& folder) {
  const auto removed = MAYFLY_TRY(folder.shrink(0));
  uint64_t bytes = 0;
  for (const CacheFile& file : removed) bytes += file.bytes;
  return "removed " + std::to_string(removed.size()) + " images, " + std::to_string(bytes) +
         " bytes\n";
}

Result<std::string> run(const CacheCommandOptions& options) {
  const std::string path = MAYFLY_TRY(runtime::default_cache_folder());
  if (options.action == CacheAction::kPath) return path + "\n";
  const CacheFolder folder = MAYFLY_TRY(CacheFolder::open(path));
  if (options.action == CacheAction::kClear) return clear(folder);
  const auto files = MAYFLY_TRY(folder.list());
  return options.form == OutputForm::kJson ? as_json(files) : as_text(files);
}

}  // namespace

int cache_command(const CacheCommandOptions& options) {
  const auto answer = run(options);
  return answer ? print(*answer) : report(answer.error());
}

}  // namespace mayfly::cli
