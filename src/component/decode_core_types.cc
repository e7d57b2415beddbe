// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Core type definitions: function types and module types (Explainer.md #type-definitions,
// `core:rectype`, `core:moduletype`). Of the types that garbage collection brought, a component may
// use those of its core modules, but defines none itself.
#include "component/decoder.h"
#include "wasm/type_encoding.h"

namespace mayfly::component {
namespace {

constexpr uint8_t kFuncType = 0x60;
constexpr uint8_t kSubType = 0x50;
constexpr uint8_t kFinalSubType = 0x4f;
constexpr uint8_t kModuleType = 0x50;

constexpr uint32_t kHasMax = 1;
constexpr uint32_t kShared = 2;
constexpr uint32_t kAddress64 = 4;

Result<wasm::ValType> core_val_type(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const wasm::ValType type = wasm::read_val_type(cursor);
  if (cursor.failed()) return cursor.error();
  if (type.is_ref() && type.ref.heap.kind == wasm::HeapKind::kConcrete) {
    return invalid_at("a core type of a component cannot refer to another type", start);
  }
  return type;
}

struct LimitsAndFlags {
  wasm::Limits limits;
  bool is_64 = false;
  bool is_shared = false;
};

Result<LimitsAndFlags> core_limits(ByteCursor& cursor, uint32_t allowed) {
  const uint64_t start = cursor.position();
  const uint8_t flags = cursor.u8();
  if ((flags & ~allowed) != 0) return invalid_at("malformed limits flags", start);
  LimitsAndFlags result;
  result.limits.min = cursor.u64();
  if ((flags & kHasMax) != 0) result.limits.max = cursor.u64();
  result.is_64 = (flags & kAddress64) != 0;
  result.is_shared = (flags & kShared) != 0;
  if (cursor.failed()) return cursor.error();
  if (result.limits.max && *result.limits.max < result.limits.min) {
    return invalid_at("size minimum must not be greater than maximum", start);
  }
  if (result.is_shared && !result.limits.max) {
    return invalid_at("shared memory must have maximum", start);
  }
  return result;
}

Result<wasm::TableType> core_table(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  wasm::TableType type;
  type.element = wasm::read_ref_type(cursor);
  if (cursor.failed()) return cursor.error();
  if (type.element.heap.kind == wasm::HeapKind::kConcrete) {
    return invalid_at("a core type of a component cannot refer to another type", start);
  }
  const LimitsAndFlags read = MAYFLY_TRY(core_limits(cursor, kHasMax | kAddress64));
  type.limits = read.limits;
  type.address = read.is_64 ? wasm::AddressType::kI64 : wasm::AddressType::kI32;
  const uint64_t largest = std::max(type.limits.min, type.limits.max.value_or(0));
  if (!read.is_64 && largest > UINT32_MAX) {
    return invalid_at("table size must be at most 2^32-1: " + std::to_string(largest), start);
  }
  return type;
}

Result<wasm::MemoryType> core_memory(ByteCursor& cursor, bool threads) {
  const uint64_t start = cursor.position();
  const LimitsAndFlags read =
      MAYFLY_TRY(core_limits(cursor, kHasMax | kAddress64 | (threads ? kShared : 0)));
  wasm::MemoryType type;
  type.limits = read.limits;
  type.shared = read.is_shared;
  type.address = read.is_64 ? wasm::AddressType::kI64 : wasm::AddressType::kI32;
  const uint64_t largest = std::max(type.limits.min, type.limits.max.value_or(0));
  const uint64_t pages_max = uint64_t{1} << (read.is_64 ? 48 : 16);
  if (largest > pages_max) {
    return invalid_at("memory size must be at most " + std::to_string(pages_max) +
                          " pages: " + std::to_string(largest),
                      start);
  }
  return type;
}

Result<wasm::GlobalType> core_global(ByteCursor& cursor) {
  wasm::GlobalType type;
  type.type = MAYFLY_TRY(core_val_type(cursor));
  const uint64_t start = cursor.position();
  const uint8_t mutability = cursor.u8();
  if (mutability > 1) return invalid_at("malformed mutability", start);
  type.is_mutable = mutability == 1;
  return type;
}

}  // namespace

struct Decoder::ModuleTypeParts {
  std::vector<CoreEntityId> types;  // the index space of the module type
  std::map<std::pair<StringId, StringId>, CoreEntityId> imports;
  std::map<StringId, CoreEntityId> exports;
};

Result<CoreEntityId> Decoder::core_func_type(ByteCursor& cursor) {
  wasm::FuncType type;
  uint32_t left =
      MAYFLY_TRY(count(cursor, "function parameters", limits().core.function_params_max));
  for (; left > 0; --left) type.params.push_back(MAYFLY_TRY(core_val_type(cursor)));
  left = MAYFLY_TRY(count(cursor, "function results", limits().core.function_results_max));
  for (; left > 0; --left) type.results.push_back(MAYFLY_TRY(core_val_type(cursor)));
  return core().add_func(type);
}

Result<void> Decoder::core_type_definition(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  uint8_t opcode = cursor.u8();
  if (cursor.failed()) return cursor.error();
  Entry entry;
  if (opcode == kModuleType) {
    entry.is_module_type = true;
    entry.type = static_cast<uint32_t>(MAYFLY_TRY(core_module_type(cursor)));
    return add_entry(Space::kCoreType, entry, start);
  }
  const bool is_open = opcode == 0x00;
  if (is_open) opcode = cursor.u8();
  if ((is_open && opcode == kSubType) || opcode == kFinalSubType) {
    if (cursor.u32() != 0) {
      return invalid_at("a core type of a component cannot have a supertype", start);
    }
    opcode = cursor.u8();
  } else if (is_open) {
    return invalid_at("malformed core type " + std::to_string(opcode), start);
  }
  if (cursor.failed()) return cursor.error();
  if (opcode != kFuncType) {
    return invalid_at(
        "core type " + std::to_string(opcode) + " is neither a function type nor a module type",
        start);
  }
  entry.type = static_cast<uint32_t>(MAYFLY_TRY(core_func_type(cursor)));
  return add_entry(Space::kCoreType, entry, start);
}

Result<CoreModuleTypeId> Decoder::core_module_type(ByteCursor& cursor) {
  uint32_t left = MAYFLY_TRY(count(cursor, "module type declarations", UINT32_MAX));
  ModuleTypeParts parts;
  for (; left > 0; --left) MAYFLY_TRY(module_declaration(cursor, parts));
  CoreModuleType type;
  type.imports.reserve(parts.imports.size());
  for (const auto& [names, entity] : parts.imports) {
    type.imports.push_back({names.first, names.second, entity});
  }
  std::vector<CoreDeclaration> exports;
  exports.reserve(parts.exports.size());
  for (const auto& [name, entity] : parts.exports) exports.push_back({name, entity});
  type.exports = CoreExports(std::move(exports));
  return core().add_module(std::move(type));
}

Result<void> Decoder::module_declaration(ByteCursor& cursor, ModuleTypeParts& parts) {
  const uint64_t start = cursor.position();
  const uint8_t kind = cursor.u8();
  if (cursor.failed()) return cursor.error();
  switch (kind) {
    case 0x00: {
      const StringId module = MAYFLY_TRY(name(cursor));
      const StringId field = MAYFLY_TRY(name(cursor));
      const CoreEntityId entity = MAYFLY_TRY(core_extern(cursor, parts));
      if (parts.imports.emplace(std::pair(module, field), entity).second) return {};
      return invalid_at("duplicate import name `" + text(module) + ":" + text(field) + "`", start);
    }
    case 0x01: {
      const uint8_t opcode = cursor.u8();
      if (cursor.failed()) return cursor.error();
      if (opcode != kFuncType) {
        return invalid_at("malformed type " + std::to_string(opcode) + " in a module type", start);
      }
      parts.types.push_back(MAYFLY_TRY(core_func_type(cursor)));
      return {};
    }
    case 0x02:
      return module_type_alias(cursor, parts);
    case 0x03: {
      const StringId field = MAYFLY_TRY(name(cursor));
      const CoreEntityId entity = MAYFLY_TRY(core_extern(cursor, parts));
      if (parts.exports.emplace(field, entity).second) return {};
      return invalid_at("export name `" + text(field) + "` already defined", start);
    }
    default:
      return invalid_at("malformed module type declaration " + std::to_string(kind), start);
  }
}

// The module type is a scope itself: count 0 is its own types, 1 those of the scope around it.
Result<void> Decoder::module_type_alias(ByteCursor& cursor, ModuleTypeParts& parts) {
  const uint64_t start = cursor.position();
  const uint8_t sort = cursor.u8();
  const uint8_t target = cursor.u8();
  const uint32_t outwards = cursor.u32();
  const uint32_t index = cursor.u32();
  if (cursor.failed()) return cursor.error();
  if (sort != 0x10 || target != 0x01) return invalid_at("malformed alias in a module type", start);
  if (outwards == 0) {
    if (index >= parts.types.size()) {
      return invalid_at("unknown type " + std::to_string(index) + ": index out of bounds", start);
    }
    parts.types.push_back(parts.types[index]);
    return {};
  }
  const OuterScope outer = MAYFLY_TRY(outer_scope(outwards - 1, start));
  const Entry found = MAYFLY_TRY(entry_at(*outer.scope, Space::kCoreType, index, start));
  if (found.is_module_type) {
    return invalid_at("a module type cannot refer to another module type", start);
  }
  parts.types.push_back(CoreEntityId{found.type});
  return {};
}

Result<CoreEntityId> Decoder::core_extern(ByteCursor& cursor, const ModuleTypeParts& parts) {
  const uint64_t start = cursor.position();
  const uint8_t kind = cursor.u8();
  if (cursor.failed()) return cursor.error();
  CoreEntity entity;
  entity.kind = static_cast<wasm::ExternKind>(kind);
  switch (kind) {
    case 0x00:
    case 0x04: {
      if (kind == 0x04 && cursor.u8() != 0) return invalid_at("malformed tag attribute", start);
      const uint32_t index = cursor.u32();
      if (cursor.failed()) return cursor.error();
      if (index >= parts.types.size()) {
        return invalid_at("unknown type " + std::to_string(index) + ": type index out of bounds",
                          start);
      }
      if (kind == 0x00) return parts.types[index];
      if (!core().func_type(parts.types[index]).results.empty()) {
        return invalid_at("non-empty tag result type", start);
      }
      entity = core()[parts.types[index]];
      entity.kind = wasm::ExternKind::kTag;
      break;
    }
    case 0x01:
      entity.table = MAYFLY_TRY(core_table(cursor));
      break;
    case 0x02:
      entity.memory = MAYFLY_TRY(core_memory(cursor, features().core.threads));
      break;
    case 0x03:
      entity.global = MAYFLY_TRY(core_global(cursor));
      break;
    default:
      return invalid_at("malformed core import or export kind " + std::to_string(kind), start);
  }
  if (cursor.failed()) return cursor.error();
  return core().add(entity);
}

}  // namespace mayfly::component
