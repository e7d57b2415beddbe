// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What of a program is called, and whether it may be.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/program.h"
#include "image/image.h"
#include "runtime/value.h"
#include "vmm/vm.h"

namespace mayfly::cli {

struct Callee {
  const image::FuncExport* function = nullptr;  // lives as long as the image
  std::vector<runtime::Value> arguments;
  bool is_command_of_component = false;  // its one result is whether it failed
};

// What `--invoke CALL` names, or _start when CALL is empty.
// Errors: kInvalid, with the functions that the program exports, or what is wrong with an argument.
Result<Callee> find_callee(const std::string& file, const image::Image& image,
                           const std::string& invoke);

// An image is native code, for which the process driver has one wall only.
// Errors: kUnsupported for an image that this installation did not make, unless it is trusted.
Result<void> check_trust(const std::string& file, const Program& program, bool is_trusted,
                         const vmm::Host& host);

}  // namespace mayfly::cli
