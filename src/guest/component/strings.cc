// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// definitions.py's load_string and store_string, as far as bytes are concerned: the generated
// modules have checked the ranges, and call realloc.
#include "guest/component/functions.h"
#include "guest/component/string_kernels.h"
#include "guest/component/trap.h"
#include "guest/port.h"

using mayfly::guest::component_trap;
using mayfly::guest::Latin1Step;
using mayfly::guest::Progress;
using mayfly::guest::StringKernels;
using mayfly::guest::Utf8Fault;
using mayfly::guest_abi::ComponentTrap;

namespace {

const StringKernels& kernels() {
  return mayfly::guest::call_page().has_avx2 != 0 ? mayfly::guest::kAvx2Kernels
                                                  : mayfly::guest::kSse41Kernels;
}

uint8_t* at(const MemoryInfo* memory, uint32_t offset) {
  // SAFETY: the compiler and the linker put the memory at its address; the range is checked.
  return reinterpret_cast<uint8_t*>(memory->address + offset);
}

[[noreturn]] void trap_for_utf8(const uint8_t* from, uint32_t size) {
  component_trap(mayfly::guest::utf8_fault(from, size) == Utf8Fault::kIncomplete
                     ? ComponentTrap::kIncompleteUtf8
                     : ComponentTrap::kInvalidUtf8);
}

}  // namespace

extern "C" {

void mayfly_component_copy_utf8(MemoryInfo* from, MemoryInfo* to, uint32_t src, uint32_t units,
                                uint32_t dst) {
  if (!kernels().copy_utf8(at(from, src), units, at(to, dst))) {
    trap_for_utf8(at(from, src), units);
  }
}

uint32_t mayfly_component_copy_utf16(MemoryInfo* from, MemoryInfo* to, uint32_t src, uint32_t units,
                                     uint32_t dst) {
  uint32_t bits = 0;
  if (!kernels().copy_utf16(at(from, src), units, at(to, dst), bits)) {
    component_trap(ComponentTrap::kInvalidUtf16);
  }
  return (bits & 0xFF00) != 0 ? 1 : 0;
}

uint32_t mayfly_component_ascii_from_latin1(MemoryInfo* from, MemoryInfo* to, uint32_t src,
                                            uint32_t units, uint32_t dst) {
  return static_cast<uint32_t>(kernels().ascii_from_latin1(at(from, src), units, at(to, dst)));
}

uint32_t mayfly_component_ascii_from_utf16(MemoryInfo* from, MemoryInfo* to, uint32_t src,
                                           uint32_t units, uint32_t dst) {
  return static_cast<uint32_t>(kernels().ascii_from_utf16(at(from, src), units, at(to, dst)));
}

uint32_t mayfly_component_utf8_from_latin1(MemoryInfo* from, MemoryInfo* to, uint32_t src,
                                           uint32_t units, uint32_t dst) {
  return static_cast<uint32_t>(kernels().utf8_from_latin1(at(from, src), units, at(to, dst)));
}

uint32_t mayfly_component_utf8_from_utf16(MemoryInfo* from, MemoryInfo* to, uint32_t src,
                                          uint32_t units, uint32_t dst) {
  Progress progress;
  if (!kernels().utf8_from_utf16(at(from, src), units, at(to, dst), progress)) {
    component_trap(ComponentTrap::kInvalidUtf16);
  }
  return static_cast<uint32_t>(progress.written);
}

uint32_t mayfly_component_utf16_from_utf8(MemoryInfo* from, MemoryInfo* to, uint32_t src,
                                          uint32_t units, uint32_t dst) {
  Progress progress;
  if (!kernels().utf16_from_utf8(at(from, src), units, at(to, dst), progress)) {
    trap_for_utf8(at(from, src), units);
  }
  return static_cast<uint32_t>(progress.written);
}

void mayfly_component_utf16_from_latin1(MemoryInfo* from, MemoryInfo* to, uint32_t src,
                                        uint32_t units, uint32_t dst) {
  kernels().utf16_from_latin1(at(from, src), units, at(to, dst));
}

uint64_t mayfly_component_latin1_from_utf8(MemoryInfo* from, MemoryInfo* to, uint32_t src,
                                           uint32_t units, uint32_t dst) {
  Progress progress;
  const auto ended = kernels().latin1_from_utf8(at(from, src), units, at(to, dst), progress);
  if (ended == Latin1Step::kInvalid) trap_for_utf8(at(from, src), units);
  return progress.read | uint64_t{progress.written} << 32;
}

uint32_t mayfly_component_latin1_from_utf16(MemoryInfo* from, MemoryInfo* to, uint32_t src,
                                            uint32_t units, uint32_t dst) {
  return static_cast<uint32_t>(kernels().latin1_from_utf16(at(from, src), units, at(to, dst)));
}

void mayfly_component_latin1_from_wide(MemoryInfo* from, MemoryInfo* to, uint32_t src,
                                       uint32_t units, uint32_t dst) {
  kernels().latin1_from_utf16(at(from, src), units, at(to, dst));
}

}  // extern "C"
