// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Texts of WIT files, positions in them, and errors that name a position.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mayfly::component::wit {

struct SourceFile {
  std::string path;
  std::string text;
};

// A byte of one of the files.
struct Position {
  uint32_t file = 0;
  uint32_t offset = 0;
};

// "PATH:LINE:COLUMN: what", columns in bytes.
Error error_at(const std::vector<SourceFile>& files, Position position, std::string_view what);

struct WitLimits {
  uint32_t file_bytes_max = 16u << 20;
  uint32_t type_depth_max = 100;
  uint32_t reference_depth_max = 500;  // definitions that wait for others, later in the text
  uint32_t comment_depth_max = 100;
  uint32_t definitions_max = 1'000'000;  // types, functions, items of worlds, all together
};

}  // namespace mayfly::component::wit
