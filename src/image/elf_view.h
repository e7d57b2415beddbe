// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ElfView: the parts of a static x86-64 ELF executable that an image consists of, found with
// every offset checked. It copies headers out before it looks at them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mayfly::image {

struct ElfSegment {
  uint64_t address = 0;
  uint64_t memory_bytes = 0;
  uint64_t file_offset = 0;
  uint64_t file_bytes = 0;
  bool writable = false;
  bool executable = false;
};

struct ElfSection {
  std::string name;
  std::span<const uint8_t> bytes;  // of the file; empty for sections without contents
};

struct ElfView {
  std::vector<ElfSegment> segments;  // PT_LOAD, in file order
  std::vector<ElfSection> sections;
  const ElfSection* find(std::string_view name) const;
};

// Errors: kInvalid, with the field. The sections' bytes live as long as `file`.
Result<ElfView> view_elf(std::span<const uint8_t> file);

}  // namespace mayfly::image
