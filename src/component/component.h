// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Component: a decoded and validated component file. One that exists is valid.
//
// What can be instantiated is static: each index space lists where its entries come from, and
// `steps` is the order in which instantiation makes instances. Everything below refers to entries
// by index, to types by TypeId, to core modules and nested components by number in the file.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "component/canon.h"
#include "component/core_types.h"
#include "component/limits.h"
#include "component/type_arena.h"
#include "wasm/module.h"

namespace mayfly::component {

// All index spaces, component-level ones and core ones.
enum class Space : uint8_t {
  kCoreFunc,
  kCoreTable,
  kCoreMemory,
  kCoreGlobal,
  kCoreTag,
  kCoreType,
  kCoreModule,
  kCoreInstance,
  kFunc,
  kValue,
  kType,
  kComponent,
  kInstance,
};
inline constexpr size_t kSpaceCount = 13;
std::string_view to_string(Space space);
// The index space of what has this sort.
Space space_of(Sort sort);

struct SpaceIndex {
  Space space = Space::kFunc;
  uint32_t index = 0;
};

// An entry of an index space: where it comes from, and its type.
struct Entry {
  enum class Origin : uint8_t {
    kDefined,      // a: number in the list of its kind, below (types: the TypeId)
    kImport,       // a: the import's number
    kExport,       // a: the export's number
    kExportAlias,  // a: the instance, core or not; b: the name, a StringId
    kOuterAlias,   // a: how many scopes out; b: the index there
  };
  Origin origin = Origin::kDefined;
  uint32_t a = 0;
  uint32_t b = 0;
  // By space: a CoreEntityId, CoreModuleTypeId, CoreInstanceTypeId, TypeId or ValType::bits.
  // kCoreType: a CoreEntityId, or with is_module_type a CoreModuleTypeId.
  uint32_t type = 0;
  bool is_module_type = false;
};

struct NamedIndex {
  StringId name;
  SpaceIndex item;
};

struct CoreInstanceDef {
  std::optional<uint32_t> module;     // in the core modules; absent: only exports
  std::vector<NamedIndex> arguments;  // core instances; or what the exports are
};

struct InstanceDef {
  std::optional<uint32_t> component;  // in the components; absent: only exports
  std::vector<NamedIndex> arguments;  // or what the exports are
};

struct StartDef {
  uint32_t func = 0;
  std::vector<uint32_t> arguments;  // values
  uint32_t results = 0;
};

struct ValueDef {
  ValType type;
  wasm::ByteRange bytes;  // Binary.md #value-definitions
};

// Binary.md `nameattributes`.
struct NameAttributes {
  std::optional<StringId> implements;
  std::optional<StringId> version_suffix;
  std::optional<StringId> external_id;
};

struct ImportDef {
  StringId name;
  NameAttributes attributes;
  EntityType type;
};

struct ExportDef {
  StringId name;
  NameAttributes attributes;
  SpaceIndex item;
  EntityType type;
};

// What instantiation does, in order.
struct Step {
  enum class Kind : uint8_t { kCoreInstance, kInstance, kStart };
  Kind kind = Kind::kCoreInstance;
  uint32_t number = 0;  // in core_instances, instances or starts
};

struct ComponentDef {
  uint32_t parent = kNoIndex;  // number of the component around it
  wasm::ByteRange bytes;
  TypeId type{kNoIndex};
  std::array<std::vector<Entry>, kSpaceCount> spaces;
  std::vector<CoreInstanceDef> core_instances;
  std::vector<InstanceDef> instances;
  std::vector<Canon> canons;  // functions and core functions that are defined
  std::vector<StartDef> starts;
  std::vector<ValueDef> values;
  std::vector<ImportDef> imports;
  std::vector<ExportDef> exports;
  std::vector<Step> steps;

  const std::vector<Entry>& space(Space which) const { return spaces[static_cast<size_t>(which)]; }
  std::vector<Entry>& space(Space which) { return spaces[static_cast<size_t>(which)]; }
};

struct CoreModuleDef {
  wasm::ByteRange bytes;  // of the file
  wasm::Module module;    // its own ranges count from the module's first byte
  CoreModuleTypeId type{};
};

struct CustomSection {
  std::string name;
  wasm::ByteRange contents;
  uint32_t component = 0;
};

struct Component {
  TypeArena types;
  CoreTypes core_types;
  std::vector<CoreModuleDef> modules;
  std::vector<ComponentDef> components;  // the first is the file itself
  std::vector<CustomSection> customs;

  const ComponentDef& root() const { return components.front(); }
};

struct DecodeOptions {
  Limits limits;
  Features features;
};

// Whether the bytes begin as a component does.
bool is_component(std::span<const uint8_t> bytes);

// Decodes and validates. Errors: kInvalid, kLimit, kUnsupported; one line that ends with
// "at offset 0x...".
Result<Component> decode(std::span<const uint8_t> bytes, const DecodeOptions& options = {});

}  // namespace mayfly::component
