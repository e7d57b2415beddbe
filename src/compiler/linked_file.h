// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LinkedFile: what LLD made, read with LLVM: the loaded parts, symbols, line table and unwind
// information.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "image/image_tables.h"

namespace mayfly::compiler {

struct LinkedPart {
  uint64_t address = 0;
  uint64_t bytes = 0;                 // in memory
  std::span<const uint8_t> contents;  // the first of them, the rest is zeros
};

struct LinkedSymbol {
  std::string_view name;
  uint64_t address = 0;
  uint64_t bytes = 0;
  bool is_function = false;
};

// From start to the next one's start, the code is of the instruction at `offset`: of the function
// around it, or of one that was copied into it in the place of the call at call_offset.
struct CodeLocation {
  uint32_t start = 0;  // from the text's first byte
  uint32_t offset = image::kNoOffset;
  uint32_t call_offset = image::kNoOffset;
};

class LinkedFile {
 public:
  // `bytes` outlive the file.
  static Result<LinkedFile> create(std::span<const uint8_t> bytes);
  ~LinkedFile();
  LinkedFile(LinkedFile&&) noexcept;

  const LinkedPart& text() const { return text_; }
  const LinkedPart& read_only() const { return read_only_; }
  const LinkedPart& data() const { return data_; }  // .data and .bss
  // Sorted by name; those that lie in a loaded part.
  const std::vector<LinkedSymbol>& symbols() const { return symbols_; }
  // Errors: kLink for a name that is not there.
  Result<uint64_t> address_of(const std::string& name) const;

  Result<std::vector<CodeLocation>> locations() const;  // sorted
  Result<std::vector<image::UnwindTableRow>> unwind_rows() const;

 private:
  struct State;
  explicit LinkedFile(std::unique_ptr<State> state);
  Result<void> read_sections(std::span<const uint8_t> bytes);
  Result<void> read_symbols();

  std::unique_ptr<State> state_;
  LinkedPart text_;
  LinkedPart read_only_;
  LinkedPart data_;
  std::vector<LinkedSymbol> symbols_;
};

}  // namespace mayfly::compiler
