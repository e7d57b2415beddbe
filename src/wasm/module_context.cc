// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packing and matching of types within one module.
#include "wasm/module_context.h"

namespace mayfly::wasm {

ValType unpacked(const ValType& storage) {
  const bool is_packed = storage.kind == ValKind::kI8 || storage.kind == ValKind::kI16;
  return is_packed ? kI32 : storage;
}

PackedType ModuleContext::pack(const ValType& type) const {
  if (!type.is_ref()) return PackedType::of(type.kind);
  const HeapType& heap = type.ref.heap;
  if (heap.kind == HeapKind::kConcrete) return pack_defined(heap.type_index, type.ref.nullable);
  return PackedType::ref(type.ref.nullable, heap.kind);
}

bool ModuleContext::matches_unequal(PackedType a, PackedType b) const {
  if (a.is_bottom()) return true;
  if (!a.is_ref() || !b.is_ref()) return false;
  if (a.is_nullable() && !b.is_nullable()) return false;
  return interner.heap_matches(a.heap(), a.id(), b.heap(), b.id());
}

bool ModuleContext::matches(std::span<const PackedType> a, std::span<const PackedType> b) const {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!matches(a[i], b[i])) return false;
  }
  return true;
}

std::string ModuleContext::text(PackedType type) const {
  if (!type.is_ref()) return to_string(ValType::of(type.kind()));
  RefType ref{type.is_nullable(), {type.heap(), kNoIndex}};
  for (uint32_t i = 0; i < type_ids.size() && ref.heap.kind == HeapKind::kConcrete; ++i) {
    if (type_ids[i] != type.id()) continue;
    ref.heap.type_index = i;
    break;
  }
  return to_string(ValType::of(ref));
}

}  // namespace mayfly::wasm
