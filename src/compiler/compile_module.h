// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// compile_module: a validated module becomes ELF objects with the symbols of abi.h.
// The same module and options give the same bytes on every machine (but for kNative).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "compiler/abi.h"
#include "image/build_request.h"
#include "wasm/module.h"

namespace mayfly::compiler {

// Whether LLVM's verifier looks at every module: for tests, and for builds with assertions.
enum class Verification : uint8_t { kOff, kOn };
#ifdef NDEBUG
inline constexpr Verification kDefaultVerification = Verification::kOff;
#else
inline constexpr Verification kDefaultVerification = Verification::kOn;
#endif

struct CompileOptions {
  // One per memory of the module, imported ones first.
  std::vector<Placement> placements;
  image::OptLevel opt_level = image::OptLevel::kO2;
  image::CpuLevel cpu = image::CpuLevel::kBaseline;
  bool fuel = false;            // code counts CallPage::fuel
  std::string name = "module";  // for messages and the line table's file name
  uint32_t threads_max = 2;     // partitions compiled at once; never changes the bytes
  Verification verification = kDefaultVerification;
};

struct CompiledModule {
  // Relocatable ELF objects, to be linked together. Line tables (.debug_line) give the byte offset
  // from the module's start as the line; a sequence of thunks or of `instantiate` has none.
  std::vector<std::vector<uint8_t>> objects;
  // Per table of the module: true where table.N is undefined and absolute (an imported table, or
  // one of its own that can grow or is too large for the image); then table.N.region and
  // table.N.size_max are undefined too, for an own table.
  std::vector<bool> table_is_far;
};

// Errors: kUnsupported names the first instruction that is not compiled; kLimit a frame that is
// larger than the stack's guard.
Result<CompiledModule> compile_module(const wasm::Module& module, std::span<const uint8_t> bytes,
                                      const CompileOptions& options);

// The CPU features that code of a level needs, as /proc/cpuinfo names them.
std::vector<std::string> cpu_features(image::CpuLevel level);

}  // namespace mayfly::compiler
