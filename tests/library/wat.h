// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Core modules from their text.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace mayfly {

// By wat2wasm; ends the test when the text is wrong.
inline std::vector<uint8_t> wasm_of(const std::string& text) {
  const std::string stem =
      std::filesystem::temp_directory_path().string() + "/library-" + std::to_string(::getpid());
  std::ofstream(stem + ".wat") << text;
  const std::string command = "wat2wasm --enable-all " + stem + ".wat -o " + stem + ".wasm";
  if (std::system(command.c_str()) != 0) std::abort();  // NOLINT: the command is the test's own
  std::ifstream file(stem + ".wasm", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace mayfly
