// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lines and columns are counted only when there is an error.
#include "component/wit_source.h"

#include <algorithm>

namespace mayfly::component::wit {

Error error_at(const std::vector<SourceFile>& files, Position position, std::string_view what) {
  const SourceFile& file = files[position.file];
  const std::string_view before = std::string_view(file.text).substr(0, position.offset);
  const auto line = 1 + std::ranges::count(before, '\n');
  const size_t newline = before.rfind('\n');
  const size_t column =
      newline == std::string_view::npos ? before.size() + 1 : before.size() - newline;
  return invalid(file.path + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " +
                 std::string(what));
}

}  // namespace mayfly::component::wit
