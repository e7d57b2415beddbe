// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Invariant: each step's canonical frame address (CFA) lies above the one before, and inside the
// stack; so the walk ends however the stack looks.
#include "runtime/backtrace.h"

#include <array>
#include <cstring>
#include <string>

#include "guest_abi/layout.h"

namespace mayfly::runtime {
namespace {

std::optional<uint64_t> read_word(const vmm::Vm& vm, uint64_t address) {
  if (address < guest_abi::kStackGuard || address > guest_abi::kStackTop - sizeof(uint64_t)) {
    return std::nullopt;
  }
  std::array<uint8_t, sizeof(uint64_t)> bytes{};
  if (!vm.read(address, bytes)) return std::nullopt;
  uint64_t word = 0;
  std::memcpy(&word, bytes.data(), sizeof word);
  return word;
}

// The caller's position, or nullopt when the walk is over.
std::optional<StackPosition> step(const StackPosition& at, uint64_t lookup, const CodeMap& code,
                                  const vmm::Vm& vm) {
  const auto row = code.find_unwind(lookup);
  if (!row) return std::nullopt;
  const uint64_t base = row->from_rbp ? at.rbp : at.rsp;
  const uint64_t cfa = base + static_cast<uint64_t>(int64_t{row->cfa_offset});
  if (cfa <= at.rsp || cfa > guest_abi::kStackTop) return std::nullopt;
  const auto return_address = read_word(vm, cfa - sizeof(uint64_t));
  if (!return_address) return std::nullopt;
  StackPosition caller{*return_address, cfa, at.rbp};
  if (row->rbp_offset) {
    const auto saved = read_word(vm, cfa + static_cast<uint64_t>(int64_t{*row->rbp_offset}));
    if (!saved) return std::nullopt;
    caller.rbp = *saved;
  }
  return caller;
}

}  // namespace

CodeMap code_map_of(const image::Image& image) {
  return {[&image](uint64_t address) { return image.find_location(address); },
          [&image](uint64_t address) { return image.find_unwind(address); }};
}

std::vector<Frame> backtrace(const StackPosition& position, const CodeMap& code,
                             const vmm::Vm& vm) {
  std::vector<Frame> frames;
  StackPosition at = position;
  uint64_t lookup = at.rip;
  while (frames.size() < kBacktraceFramesMax) {
    const auto location = code.find_location(lookup);
    if (!location) break;
    frames.push_back({std::string(location->function), location->module, location->offset});
    const auto& call = location->inlined_into;
    if (call && frames.size() < kBacktraceFramesMax) {
      frames.push_back({std::string(call->function), location->module, call->offset});
    }
    const auto caller = step(at, lookup, code, vm);
    if (!caller) break;
    at = *caller;
    lookup = at.rip - 1;  // the call, not what follows it: that may be another function
  }
  return frames;
}

}  // namespace mayfly::runtime
