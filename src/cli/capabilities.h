// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a program could ask of its host, by the names of its imports, and which flags grant it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace mayfly::cli {

struct ImportName {
  std::string module;
  std::string name;
};

// One object for each capability that is asked for: "capability", "granted_by", and "imports", each
// once, as `fd_read` of WASI and `module name` of others. What linked modules provide is not among
// the names.
nlohmann::json capabilities_of(const std::vector<ImportName>& imports);
// Likewise of a component that imports these interfaces; "imports" are their names.
nlohmann::json capabilities_of_interfaces(const std::vector<std::string>& interfaces);

}  // namespace mayfly::cli
