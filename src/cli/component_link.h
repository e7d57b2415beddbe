// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A component of a file, linked but not compiled; and a call of one of its functions in WAVE.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/options.h"
#include "linker/component_linker.h"
#include "mayfly/component_value.h"

namespace mayfly::cli {

struct LinkedComponent {
  linker::ComponentFile file;
  std::unique_ptr<linker::ComponentLinker> linker;

  const std::vector<linker::ComponentExport>& exports() const { return linker->root(0).exports; }
};

// `name` is for messages of the compiler. Errors, which name the file: kInvalid, kUnsupported;
// kLink where nothing provides some imports, each of which is printed as a line.
Result<std::unique_ptr<LinkedComponent>> link_component(const std::string& file, std::string name,
                                                        std::vector<uint8_t> bytes,
                                                        const CompileOptions& options);

struct ComponentCall {
  std::unique_ptr<LinkedComponent> component;
  const linker::ComponentExport* function = nullptr;
  std::vector<ComponentValue> arguments;
};

// What `--invoke CALL` names: 'func(1, "x")', 'iface.func(...)' with or without package and
// version. Errors: kInvalid, with the functions that there are, or what is wrong with an argument.
Result<ComponentCall> find_component_call(const std::string& file,
                                          std::unique_ptr<LinkedComponent> component,
                                          const std::string& invoke);

}  // namespace mayfly::cli
