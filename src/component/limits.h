// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every limit and every feature flag of the component decoder, in one place. Where others have a
// limit too, this one is not lower: what Wasmtime accepts is accepted here.
#pragma once

#include <cstdint>

#include "wasm/limits.h"

namespace mayfly::component {

struct Limits {
  uint64_t component_bytes_max = uint64_t{1} << 30;
  uint32_t nesting_max = 100;        // components and component types inside each other
  uint32_t type_depth_max = 200;     // a type's longest path to a leaf
  uint32_t entries_max = 1'000'000;  // of one index space
  uint32_t externs_max = 100'000;    // imports, or exports, of one component or type
  uint32_t arguments_max = 100'000;  // of one instantiation
  uint32_t fields_max = 10'000;      // of a record, a variant, a tuple, an enumeration
  uint32_t params_max = 1'000;
  uint32_t string_bytes_max = 100'000;
  uint64_t value_bytes_max = (uint64_t{1} << 28) - 1;  // CanonicalABI.md #element-size
  // Types that the input spells out, each at least a byte of it.
  uint32_t types_max = 2'000'000;
  // Types that instantiation makes, by putting arguments in place of imports: so many, and one for
  // each so many bytes of the input.
  uint32_t derived_types_min = 100'000;
  uint32_t bytes_per_derived_type = 16;
  // Steps of walks over types: so many, and so many for each byte of the input.
  uint64_t type_steps_min = 2'000'000;
  uint64_t type_steps_per_byte = 8;
  wasm::DecodeLimits core;
};

// What came after 0.2 in the released 0.3.x is always on: async, streams, futures, map, attributes
// of names. The rest of Explainer.md #gated-features is here.
struct Features {
  bool more_async_builtins = true;  // options of built-ins that 0.3.0 does not have
  bool async_stackful = true;       // async lift without a callback
  bool threads = true;              // cooperative and shared threads
  bool fixed_length_lists = true;
  bool error_context = true;
  bool memory64 = true;
  bool values = false;            // values and start functions
  bool nested_names = false;      // ns:outer:pkg/a/b
  bool canonical_names = false;   // ns:pkg/a@0.2, with the rest of the version in an attribute
  bool dependency_names = false;  // NameRules::dependencies
  wasm::Features core = {.threads = true, .wide_arithmetic = false, .custom_page_sizes = false};
};

}  // namespace mayfly::component
