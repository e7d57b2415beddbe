// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs LLD, as a library, on objects in memory. LLD reads and writes paths: they are those of
// memory files of this process, so that nothing of a link is ever in a directory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace mayfly::compiler {

struct LinkInput {
  std::vector<std::vector<uint8_t>> objects;  // all are linked, unless nothing refers to them
  std::span<const uint8_t> archive;           // its members are linked by need
  std::string script;                         // linker script
};

// The linked file. Errors: kLink with LLD's first complaint.
// Threads: one at a time in a process, because LLD has global state.
Result<std::vector<uint8_t>> run_lld(const LinkInput& input);

}  // namespace mayfly::compiler
