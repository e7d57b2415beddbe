// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files are taken in the order of their names, so that the same folder gives the same model.
#include "component/wit_files.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace mayfly::component::wit {
namespace {

namespace fs = std::filesystem;

class Loader {
 public:
  explicit Loader(const WitLimits& limits) : limits_(limits) {}

  Result<void> root(const fs::path& path) {
    std::error_code code;
    if (!fs::is_directory(path, code)) {
      SourceGroup group;
      MAYFLY_TRY(file(path, group));
      groups_.push_back(std::move(group));
      return {};
    }
    MAYFLY_TRY(folder(path));
    const fs::path deps = path / "deps";
    if (!fs::is_directory(deps, code)) return {};
    for (const fs::path& entry : MAYFLY_TRY(entries(deps))) {
      if (fs::is_directory(entry, code)) {
        MAYFLY_TRY(folder(entry));
      } else if (entry.extension() == ".wit") {
        SourceGroup group;
        MAYFLY_TRY(file(entry, group));
        groups_.push_back(std::move(group));
      }
    }
    return {};
  }

  Result<Resolved> resolve_all() const { return resolve(files_, groups_, limits_); }

 private:
  static Result<std::vector<fs::path>> entries(const fs::path& path) {
    std::error_code code;
    std::vector<fs::path> found;
    fs::directory_iterator entry(path, code);
    for (; !code && entry != fs::directory_iterator(); entry.increment(code)) {
      found.push_back(entry->path());
    }
    if (code) return Error{ErrorKind::kHost, path.string() + ": " + code.message(), code.value()};
    std::ranges::sort(found);
    return found;
  }

  Result<void> folder(const fs::path& path) {
    SourceGroup group;
    for (const fs::path& entry : MAYFLY_TRY(entries(path))) {
      if (entry.extension() == ".wit") MAYFLY_TRY(file(entry, group));
    }
    if (group.files.empty()) return invalid(path.string() + ": no WIT files");
    groups_.push_back(std::move(group));
    return {};
  }

  Result<void> file(const fs::path& path, SourceGroup& group) {
    std::error_code code;
    const auto size = fs::file_size(path, code);
    if (code) return Error{ErrorKind::kHost, path.string() + ": " + code.message(), code.value()};
    if (size > limits_.file_bytes_max) {
      return limit(path.string() + ": " + std::to_string(size) + " bytes are more than " +
                   std::to_string(limits_.file_bytes_max));
    }
    std::ifstream stream(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (stream.bad()) return host_error(path.string());
    group.files.push_back(static_cast<uint32_t>(files_.size()));
    files_.push_back({path.string(), std::move(text)});
    return {};
  }

  WitLimits limits_;
  std::vector<SourceFile> files_;
  std::vector<SourceGroup> groups_;
};

}  // namespace

Result<Resolved> load(const std::string& path, const WitLimits& limits) {
  Loader loader(limits);
  MAYFLY_TRY(loader.root(path));
  return loader.resolve_all();
}

}  // namespace mayfly::component::wit
