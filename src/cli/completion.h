// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mayfly completion: a script that teaches a shell the subcommands and flags.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::cli {

struct CommandWords {
  std::string name;
  std::string description;
  std::vector<std::string> flags;  // "--driver"
};

enum class Shell : uint8_t { kBash, kZsh, kFish };
std::string completion_script(Shell shell, const std::vector<CommandWords>& commands);

}  // namespace mayfly::cli
