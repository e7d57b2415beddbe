// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decoder: one pass over a component file. A definition is decoded and validated where it is read,
// because it refers to nothing that comes later.
//
// Components, component types and instance types nest; the decoder keeps a stack of frames for the
// bytes and a stack of scopes for what they define, and handles one item of the top frame at a
// time.
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "component/component.h"
#include "component/flatten.h"
#include "component/names.h"
#include "component/scope.h"
#include "component/subtype.h"
#include "wasm/byte_cursor.h"

namespace mayfly::component {

using wasm::ByteCursor;
using wasm::invalid_at;
using wasm::limit_at;

class Decoder {
 public:
  Decoder(std::span<const uint8_t> bytes, const DecodeOptions& options);
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  Result<Component> run();

 private:
  struct Frame {
    enum class Kind : uint8_t { kComponent, kTypes, kDeclarations };
    Kind kind = Kind::kComponent;
    ByteCursor cursor;        // kComponent, kTypes
    uint32_t left = 0;        // kTypes, kDeclarations: items that follow
    size_t cursor_frame = 0;  // the frame whose cursor this one reads from
  };
  // The type of an import or export as written.
  struct Extern {
    EntityType type;
    bool is_fresh = false;  // (sub resource): type is a new resource
  };

  const Limits& limits() const { return options_.limits; }
  const Features& features() const { return options_.features; }
  NameRules name_rules() const {
    return {features().nested_names, features().canonical_names, features().dependency_names};
  }
  Scope& scope() { return scopes_.back(); }
  TypeArena& types() { return component_.types; }
  CoreTypes& core() { return component_.core_types; }

  // decode.cc: frames, sections
  Result<void> step();
  Result<void> push_component(uint64_t begin, uint64_t end);
  Result<void> push_scope(Scope::Kind kind, uint64_t offset);
  Result<void> header(ByteCursor& cursor);
  Result<void> section(ByteCursor& cursor);
  Result<void> section_contents(uint8_t id, ByteCursor& contents);
  Result<void> custom_section(ByteCursor& contents);
  Result<void> core_module(ByteCursor& contents);
  Result<void> finish_component();
  Result<void> finish_declarations();
  Result<TypeId> finish_component_type(uint64_t offset);

  // decode_index.cc: reading and looking up
  Result<uint32_t> count(ByteCursor& cursor, std::string_view what, uint32_t maximum);
  Result<StringId> name(ByteCursor& cursor);
  Result<void> add_entry(Space space, const Entry& entry, uint64_t offset);
  Result<Entry> entry_at(const Scope& in, Space space, uint32_t index, uint64_t offset) const;
  Result<Entry> entry(Space space, ByteCursor& cursor);
  Result<uint32_t> index(Space space, ByteCursor& cursor);
  Result<Space> sort(ByteCursor& cursor);
  Result<Space> core_sort(ByteCursor& cursor);
  Result<SpaceIndex> sort_index(ByteCursor& cursor);
  // The type of an entry as an import or export has it; a value counts as used.
  Result<EntityType> entity(SpaceIndex item, uint64_t offset);
  Result<TypeId> type_of_kind(TypeKind kind, ByteCursor& cursor);
  std::string text(StringId string) { return std::string(types().text(string)); }

  // decode_types.cc
  Result<void> type_definition(ByteCursor& cursor);
  Result<TypeId> value_definition(uint8_t opcode, ByteCursor& cursor, uint64_t start);
  Result<TypeId> labelled(TypeKind kind, ByteCursor& cursor, uint64_t start);
  Result<TypeId> variant(ByteCursor& cursor, uint64_t start);
  Result<TypeId> tuple(ByteCursor& cursor, uint64_t start);
  Result<TypeId> fixed_list(ByteCursor& cursor, uint64_t start);
  Result<TypeId> map(ByteCursor& cursor, uint64_t start);
  Result<TypeId> handle(TypeKind kind, ByteCursor& cursor, uint64_t start);
  Result<TypeId> channel(TypeKind kind, ByteCursor& cursor, uint64_t start);
  Result<TypeId> func(bool is_async, ByteCursor& cursor, uint64_t start);
  Result<void> resource(ByteCursor& cursor, uint64_t start);
  Result<ValType> result_list(ByteCursor& cursor);
  Result<ValType> val_type(ByteCursor& cursor);
  Result<ValType> optional_val_type(ByteCursor& cursor);
  Result<StringId> label(ByteCursor& cursor, std::string_view what, std::set<std::string>& known);
  Result<void> add_type(TypeId type, uint64_t offset);

  // decode_declarations.cc: component and instance types
  Result<void> declaration(ByteCursor& cursor);

  // decode_core_types.cc
  Result<void> core_type_definition(ByteCursor& cursor);
  Result<CoreEntityId> core_func_type(ByteCursor& cursor);
  Result<CoreModuleTypeId> core_module_type(ByteCursor& cursor);
  struct ModuleTypeParts;
  Result<void> module_declaration(ByteCursor& cursor, ModuleTypeParts& parts);
  Result<void> module_type_alias(ByteCursor& cursor, ModuleTypeParts& parts);
  Result<CoreEntityId> core_extern(ByteCursor& cursor, const ModuleTypeParts& parts);

  // decode_externs.cc
  Result<void> import_entry(ByteCursor& cursor);
  Result<void> export_entry(ByteCursor& cursor);
  Result<void> export_declaration(ByteCursor& cursor);
  Result<StringId> extern_name(ByteCursor& cursor, NameAttributes& attributes);
  Result<void> name_attribute(ByteCursor& cursor, std::string_view name,
                              NameAttributes& attributes);
  Result<void> check_attributes(StringId name, const NameAttributes& attributes, Sort sort,
                                uint64_t offset);
  Result<Extern> extern_type(ByteCursor& cursor);
  Result<Extern> type_bound(ByteCursor& cursor);
  Result<Extern> value_bound(ByteCursor& cursor);
  // Gives what is imported or exported its entry, and its name.
  Result<EntityType> introduce(Direction direction, StringId name, const Extern& item,
                               uint64_t offset);
  Result<EntityType> freshen(Direction direction, const Extern& item, uint64_t offset);

  // decode_names.cc
  Result<void> check_name(Direction direction, StringId name, EntityType type, ScopeNames& names,
                          uint64_t offset);
  Result<void> check_resource_name(TypeId resource, std::string_view name, const ScopeNames& names,
                                   uint64_t offset);
  Result<void> check_constructor(std::string_view label, EntityType type, const ScopeNames& names,
                                 uint64_t offset);
  Result<void> check_method(std::string_view label, EntityType type, const ScopeNames& names,
                            uint64_t offset);

  // decode_instances.cc
  Result<void> core_instance(ByteCursor& cursor);
  Result<void> instantiate_module(ByteCursor& cursor, uint64_t start);
  Result<void> core_exports(ByteCursor& cursor, uint64_t start);
  Result<void> instance(ByteCursor& cursor);
  Result<void> instantiate_component(ByteCursor& cursor, uint64_t start);
  Result<void> instance_exports(ByteCursor& cursor, uint64_t start);
  Result<TypeId> instance_type(TypeId component, const DeclarationList& arguments, uint64_t offset);
  Result<void> check_module_arguments(CoreModuleTypeId type,
                                      const std::vector<NamedIndex>& arguments, uint64_t offset);

  // decode_aliases.cc
  Result<void> alias(ByteCursor& cursor);
  Result<void> alias_export(Space space, ByteCursor& cursor, uint64_t start);
  Result<void> alias_core_export(Space space, ByteCursor& cursor, uint64_t start);
  Result<void> alias_outer(Space space, ByteCursor& cursor, uint64_t start);
  // The scope `count` scopes out, and whether a component's boundary lies between.
  struct OuterScope {
    const Scope* scope = nullptr;
    bool crosses_component = false;
  };
  Result<OuterScope> outer_scope(uint32_t count, uint64_t offset) const;

  // decode_canon.cc, decode_builtins.cc
  Result<void> canon(ByteCursor& cursor);
  Result<void> canon_lift(ByteCursor& cursor, uint64_t start);
  Result<void> canon_lower(ByteCursor& cursor, uint64_t start);
  Result<CanonOptions> canon_options(ByteCursor& cursor, uint32_t allowed);
  Result<void> canon_option(uint8_t option, ByteCursor& cursor, CanonOptions& options,
                            uint32_t& seen, uint64_t start);
  Result<void> check_options(const CanonOptions& options, uint64_t start);
  Result<void> check_core_func(uint32_t index, const wasm::FuncType& expected,
                               std::string_view what, uint64_t start);
  Result<void> need_memory(const CanonOptions& options, uint64_t start);
  Result<void> need_realloc(const CanonOptions& options, uint64_t start);
  Result<void> add_canon(const Canon& canon, const wasm::FuncType& type, uint64_t start);
  Result<void> builtin(uint8_t opcode, ByteCursor& cursor, uint64_t start);
  Result<void> resource_builtin(CanonOp op, ByteCursor& cursor, uint64_t start);
  Result<void> task_return(ByteCursor& cursor, uint64_t start);
  Result<void> context_builtin(CanonOp op, ByteCursor& cursor, uint64_t start);
  Result<void> channel_builtin(CanonOp op, ByteCursor& cursor, uint64_t start);
  Result<void> copy_builtin(Canon canon, bool is_stream, ByteCursor& cursor, uint64_t start);
  Result<void> error_context_builtin(CanonOp op, ByteCursor& cursor, uint64_t start);
  Result<void> waitable_builtin(CanonOp op, ByteCursor& cursor, uint64_t start);
  Result<void> thread_builtin(CanonOp op, ByteCursor& cursor, uint64_t start);
  Result<void> thread_creation(CanonOp op, ByteCursor& cursor, uint64_t start);
  static Result<void> unsupported_shared(uint64_t start);
  Result<bool> flag(ByteCursor& cursor, std::string_view what);

  // decode_values.cc
  Result<void> value(ByteCursor& cursor);
  Result<void> read_value(ValType type, ByteCursor& cursor);
  Result<void> read_compound(TypeId type, ByteCursor& cursor);
  Result<void> read_prim(Prim prim, ByteCursor& cursor);
  Result<void> start_function(ByteCursor& cursor);
  Result<void> add_value(ValType type, const Entry& entry, bool is_used, uint64_t offset);
  Result<void> use_value(uint32_t index, uint64_t offset);
  Result<void> check_values_used(uint64_t offset);

  std::span<const uint8_t> bytes_;
  const DecodeOptions& options_;
  Component component_;
  SubtypeChecker subtypes_;
  std::vector<Frame> frames_;
  std::deque<Scope> scopes_;
};

}  // namespace mayfly::component
