// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every limit and every feature flag of the decoder and validator, in one place.
// The limits are those that browsers and Wasmtime share: what they accept is accepted here.
#pragma once

#include <cstdint>

namespace mayfly::wasm {

struct DecodeLimits {
  uint64_t module_bytes_max = uint64_t{1} << 30;
  uint32_t types_max = 1'000'000;
  uint32_t rec_group_types_max = 1'000'000;
  uint32_t functions_max = 1'000'000;
  uint32_t imports_max = 1'000'000;
  uint32_t exports_max = 1'000'000;
  uint32_t globals_max = 1'000'000;
  uint32_t data_segments_max = 100'000;
  uint32_t element_segments_max = 100'000;
  uint32_t elements_per_segment_max = 10'000'000;
  uint32_t table_entries_max = 10'000'000;  // initial size; valid, but refused to be made
  uint32_t tables_max = 100;
  uint32_t memories_max = 100;
  uint32_t tags_max = 1'000'000;
  uint32_t custom_sections_max = 1'000'000;
  uint32_t string_bytes_max = 100'000;
  uint32_t function_bytes_max = 7'654'321;
  uint32_t function_locals_max = 50'000;
  uint32_t function_operands_max = 10'000'000;  // on the operand stack at one time
  // Comparisons of list operands that are not simply equal: so many for each byte of a body, and
  // a million. Code that pushes its operands one by one needs less than one for each byte.
  uint32_t operand_matches_per_byte_max = 16;
  uint32_t function_params_max = 1'000;
  uint32_t function_results_max = 1'000;
  uint32_t struct_fields_max = 10'000;
  uint32_t subtype_depth_max = 63;
  uint32_t br_table_targets_max = 7'654'321;
  uint32_t try_table_catches_max = 10'000;
};

// Wasm 3.0 is always on. These proposals are not part of it.
struct Features {
  bool threads = false;
  bool wide_arithmetic = false;
  bool custom_page_sizes = false;
};

}  // namespace mayfly::wasm
