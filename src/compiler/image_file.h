// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the image itself: three segments, the sections of docs/formats/image.md, and a symbol
// table for people's tools.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/linked_file.h"

namespace mayfly::compiler {

struct ImageSymbol {
  std::string name;
  uint64_t address = 0;
  uint64_t bytes = 0;
  bool is_function = false;
};

struct ImageFileParts {
  LinkedPart text;
  LinkedPart read_only;  // may be empty
  LinkedPart data;       // may be empty
  std::vector<ImageSymbol> symbols;
  std::vector<uint8_t> metadata;   // .mayfly.image
  std::vector<uint8_t> functions;  // .mayfly.functions, and so on
  std::vector<uint8_t> locations;
  std::vector<uint8_t> inlined;
  std::vector<uint8_t> unwind;
  std::vector<uint8_t> names;
};

std::vector<uint8_t> image_file(const ImageFileParts& parts);

}  // namespace mayfly::compiler
