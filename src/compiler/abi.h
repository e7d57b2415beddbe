// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The Wasm ABI and the symbols through which objects, guest library and linker meet.
//
// Calling convention: LLVM's tailcc. i32, i64, f32, f64 as themselves, v128 as <2 x i64>, every
// reference as ptr (a FuncRef's address, or a host number + 1; null is 0). Up to two results are
// returned directly (one as itself, two as a struct); with more the function returns void and takes
// the caller's result area first: ptr to one 16-byte Slot per result. A tail call passes its own
// area on, so any signature can be tail called.
// In a build with fuel, an i64 comes before all of these, and after the direct results: what is
// left (docs/fuel.md). A negative one never reaches the host as a result.
//
// A module compiles to objects whose symbols have these names. Linking an instance puts the
// prefix "i<step>." in front of each; what is undefined becomes what the plan binds it to.
//
//   func.N           code of function N (imports come first); undefined for an import
//   funcref.N        its guest_abi::FuncRef, where its reference can be taken or it is exported;
//                    undefined for an import
//   mem.N            address of memory N's window; always undefined, absolute. A module cannot
//                    know the class of an imported one: BuildOptions and the plan decide (below)
//   mem.N.info       its MemoryInfo, data; defined by the module that defines the memory, with
//                    address, bytes_max and region filled by relocations and the linker:
//   mem.N.region, mem.N.bytes_max   absolute, undefined
//   table.N          address of table N's entries: defined (zeros, size_max entries) when the table
//                    cannot grow, else undefined and absolute, far
//   table.N.info     its TableInfo; table.N.region, table.N.size_max absolute, undefined
//   global.N         its value: 8 bytes, 16 for v128
//   type.N           absolute: TypeId + 1 of type N in the whole image, for FuncRef::type_id
//   instantiate      code () -> (): globals, tables, elements, data, start; traps as the spec says
//   thunk.T          void(ptr code, Slot* slots) in the C ABI: loads parameters of type T from the
//                    slots, calls code, stores its results; for every function type of an export,
//                    and for () -> () as thunk.instantiate
//
// Guest library functions that compiled code calls, in the C ABI:
//   mayfly_memory_grow(MemoryInfo*, uint64_t delta_pages) -> uint64_t   old pages, or -1
//   mayfly_table_grow(TableInfo*, uint64_t delta, uint64_t value) -> uint64_t
//   memcpy, memmove, memset
// A function import bound to the guest library or to the host gets an adapter: a function of the
// Wasm ABI that calls mayfly_...(MemoryInfo* of the importing instance's memory 0 or null, args...)
// with results in the C ABI, or moves the arguments to the slots and calls kPortHostCall.
#pragma once

#include <cstdint>
#include <string>

namespace mayfly::compiler {

inline std::string symbol(const char* kind, uint32_t index) {
  return std::string(kind) + "." + std::to_string(index);
}
inline std::string instance_prefix(uint32_t step) { return "i" + std::to_string(step) + "."; }

// How compiled code reaches a memory. Part of an object's identity.
enum class Placement : uint8_t {
  kLow,   // at layout.h kLowMemory: [index + disp32]
  kHigh,  // in a high window: a 64-bit constant
};

}  // namespace mayfly::compiler
