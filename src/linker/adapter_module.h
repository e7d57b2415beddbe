// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// AdapterModule: a generated module under construction, with what all adapters in it share:
// imports of the image's component state, traps, allocation, checks of ranges.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "component/type_arena.h"
#include "guest_abi/component.h"
#include "linker/module_writer.h"
#include "linker/side.h"

namespace mayfly::linker {

// Step of the state module, and how it numbers what others import from it.
inline constexpr uint32_t kStateStep = 0;
inline constexpr uint32_t kStateMemory = 0;
inline constexpr uint32_t kTransferMemory = 1;
constexpr uint32_t may_enter_global(uint32_t instance) { return 2 * instance; }
constexpr uint32_t may_leave_global(uint32_t instance) { return 2 * instance + 1; }

// The memory that the host lowers to and lifts from, as a side of calls.
Side host_side();

class AdapterModule {
 public:
  ModuleWriter& writer() { return writer_; }

  uint32_t state_memory();
  uint32_t memory_of(const Side& side);
  uint32_t may_enter(uint32_t instance) { return global(may_enter_global(instance)); }
  uint32_t may_leave(uint32_t instance) { return global(may_leave_global(instance)); }

  // A function of the guest library (guest_abi/component_functions.inc); it takes these memories.
  FunctionRef guest_function(std::string_view name, std::vector<uint32_t> memories);
  // i32 of the condition is on the stack.
  void trap_if(CodeWriter& code, guest_abi::ComponentTrap trap);
  void trap(CodeWriter& code, guest_abi::ComponentTrap trap);

  // (i32 pointer, i64 bytes, i32 alignment - 1): traps unless all of it is in the memory; `outside`
  // says how.
  FunctionRef range_check(const Side& side, guest_abi::ComponentTrap outside);
  // (i32 old, i32 old size, i32 alignment, i32 new size) -> i32, by the side's realloc, checked.
  FunctionRef allocate(const Side& side);
  // (i32 pointer, i32 tagged length) -> (i32 pointer, i32 tagged length), lifted and lowered.
  FunctionRef string_copy(const Side& from, const Side& to);

  // A function of (i32 from, i32 to, i32 scope) that copies a value of this type from memory to
  // memory; is_new when its body is still to be written.
  struct CopyKey {
    uint64_t from = 0;  // side_id()
    uint64_t to = 0;
    const void* arena = nullptr;
    const void* resources = nullptr;
    uint32_t type = 0;
    auto operator<=>(const CopyKey&) const = default;
  };
  struct Copy {
    FunctionRef function;
    bool is_new = false;
  };
  Copy copy_function(const CopyKey& key);
  // Sides that are alike to the code that copies values have one number.
  uint64_t side_id(const Side& side);

  GeneratedModule finish() { return writer_.finish(); }

 private:
  uint32_t global(uint32_t index);
  FunctionRef string_function(const Side& from, const Side& to);

  ModuleWriter writer_;
  std::map<std::string, uint64_t> side_ids_;
  std::map<std::pair<uint64_t, guest_abi::ComponentTrap>, FunctionRef> range_checks_;
  std::map<uint64_t, FunctionRef> allocators_;
  std::map<std::pair<uint64_t, uint64_t>, FunctionRef> string_copies_;
  std::map<CopyKey, FunctionRef> copies_;
};

}  // namespace mayfly::linker
