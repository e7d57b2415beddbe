// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// BuildRequest: what the host sends to mayfly-compiler, and how the answer is told.
// The compiler trusts nothing of it: it decodes and validates every module again.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/plan.h"
#include "wasm/limits.h"

namespace mayfly::image {

enum class OptLevel : uint8_t { kO0, kO1, kO2 };

// kBaseline is SSE4.1 (what Wasm SIMD needs at a fair price); kNative is the CPU of the compiling
// host as the VMM lets the guest use it.
enum class CpuLevel : uint8_t { kBaseline, kX86_64V3, kNative };

// kAuto: the memory with the most code gets the low window, the others high ones.
enum class MemoryClass : uint8_t { kAuto, kHigh };

struct BuildOptions {
  OptLevel opt_level = OptLevel::kO2;
  CpuLevel cpu = CpuLevel::kBaseline;
  MemoryClass memory_class = MemoryClass::kAuto;
  wasm::Features features;
  bool fuel = false;                              // code counts CallPage::fuel (docs/fuel.md)
  uint64_t memory_bytes_max = uint64_t{4} << 30;  // reserved for a memory that can grow
};

struct BuildRequest {
  BuildOptions options;
  std::vector<std::vector<uint8_t>> modules;
  std::vector<std::string> module_names;  // for messages; one per module
  Plan plan;
};

std::vector<uint8_t> encode(const BuildRequest& request);
// Errors: kInvalid; the message names the byte.
Result<BuildRequest> decode_build_request(std::span<const uint8_t> bytes);

// What the compiler writes to its reply descriptor when the image is complete (the image itself
// goes to another descriptor), or instead of it.
struct BuildReply {
  bool ok = false;
  Error error;              // !ok
  uint64_t compile_ns = 0;  // modules to objects
  uint64_t link_ns = 0;     // objects to image
  uint64_t peak_bytes = 0;  // of the compiler's memory
};
std::vector<uint8_t> encode(const BuildReply& reply);
Result<BuildReply> decode_build_reply(std::span<const uint8_t> bytes);

}  // namespace mayfly::image
