// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A program that carries libmayfly.a has no library to start from, so it falls back to $PATH.
#include "api/find_compiler.h"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace mayfly::api {
namespace {

namespace fs = std::filesystem;

// Empty when there is no program of that name.
std::string compiler_in(const fs::path& folder) {
  std::string path = (folder / "mayfly-compiler").lexically_normal();
  return ::access(path.c_str(), X_OK) == 0 ? path : "";
}

std::string beside_program() {
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  return failed ? "" : compiler_in(program.parent_path());
}

std::string installed_with_library() {
  static const int anchor = 0;
  Dl_info info{};
  void* map = nullptr;
  if (::dladdr1(&anchor, &info, &map, RTLD_DL_LINKMAP) == 0 || map == nullptr) return "";
  const std::string_view name = static_cast<link_map*>(map)->l_name;
  if (name.empty()) return "";  // the program itself
  std::error_code failed;
  const fs::path folder = fs::canonical(name, failed).parent_path();
  if (failed) return "";
  const std::string path = compiler_in(folder / "../bin");
  return path.empty() ? compiler_in(folder / "../../bin") : path;
}

std::string in_search_path() {
  const char* const variable = std::getenv("PATH");
  std::string_view rest = variable == nullptr ? "" : variable;
  while (!rest.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    if (!folder.starts_with('/')) continue;  // what it names changes with the current folder
    std::string path = compiler_in(folder);
    if (!path.empty()) return path;
  }
  return "";
}

}  // namespace

std::string find_compiler() {
  for (const auto& search : {&beside_program, &installed_with_library, &in_search_path}) {
    std::string path = search();
    if (!path.empty()) return path;
  }
  return "";
}

}  // namespace mayfly::api
