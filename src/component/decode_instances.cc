// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instances, core ones and others: instantiation with arguments, and bags of exports
// (Explainer.md #instance-definitions).
#include <algorithm>

#include "component/decoder.h"

namespace mayfly::component {

Result<void> Decoder::check_module_arguments(CoreModuleTypeId type,
                                             const std::vector<NamedIndex>& arguments,
                                             uint64_t offset) {
  std::map<StringId, CoreInstanceTypeId> given;
  for (const NamedIndex& argument : arguments) {
    const Entry found =
        MAYFLY_TRY(entry_at(scope(), Space::kCoreInstance, argument.item.index, offset));
    if (!given.emplace(argument.name, CoreInstanceTypeId{found.type}).second) {
      return invalid_at(
          "duplicate module instantiation argument named `" + text(argument.name) + "`", offset);
    }
  }
  for (const CoreImport& import : core().module(type).imports) {
    const auto instance = given.find(import.module);
    if (instance == given.end()) {
      return invalid_at("missing module instantiation argument named `" + text(import.module) + "`",
                        offset);
    }
    const std::string name = "`" + text(import.module) + "::" + text(import.name) + "`";
    const auto actual = core().exports(instance->second).find(import.name);
    if (!actual) {
      return invalid_at("module instantiation argument does not export an item named " + name,
                        offset);
    }
    const auto matched = core().check_matches(*actual, import.entity);
    if (!matched) {
      return invalid_at("type mismatch for export " + name + ": " + matched.error().message,
                        offset);
    }
  }
  return {};
}

Result<void> Decoder::instantiate_module(ByteCursor& cursor, uint64_t start) {
  CoreInstanceDef instance;
  instance.module = MAYFLY_TRY(index(Space::kCoreModule, cursor));
  uint32_t left = MAYFLY_TRY(count(cursor, "arguments", limits().arguments_max));
  for (; left > 0; --left) {
    const StringId argument = MAYFLY_TRY(name(cursor));
    const uint64_t at = cursor.position();
    if (cursor.u8() != 0x12) return invalid_at("malformed instantiation argument", at);
    instance.arguments.push_back(
        {argument, {Space::kCoreInstance, MAYFLY_TRY(index(Space::kCoreInstance, cursor))}});
  }
  const CoreModuleTypeId type{scope().def.space(Space::kCoreModule)[*instance.module].type};
  MAYFLY_TRY(types().step(core().module(type).imports.size(), start));
  MAYFLY_TRY(check_module_arguments(type, instance.arguments, start));
  Entry entry;
  entry.a = static_cast<uint32_t>(scope().def.core_instances.size());
  entry.type = static_cast<uint32_t>(core().add_instance_of(type));
  scope().def.steps.push_back({Step::Kind::kCoreInstance, entry.a});
  scope().def.core_instances.push_back(std::move(instance));
  return add_entry(Space::kCoreInstance, entry, start);
}

Result<void> Decoder::core_exports(ByteCursor& cursor, uint64_t start) {
  CoreInstanceDef instance;
  std::vector<CoreDeclaration> exports;
  std::set<StringId> known;
  uint32_t left = MAYFLY_TRY(count(cursor, "exports", limits().externs_max));
  for (; left > 0; --left) {
    const uint64_t at = cursor.position();
    const StringId export_name = MAYFLY_TRY(name(cursor));
    const Space space = MAYFLY_TRY(core_sort(cursor));
    if (space > Space::kCoreTag) {
      return invalid_at("a core instance cannot export a " + std::string(to_string(space)), at);
    }
    const uint32_t item = MAYFLY_TRY(index(space, cursor));
    if (!known.insert(export_name).second) {
      return invalid_at("export name `" + text(export_name) + "` already defined", at);
    }
    exports.push_back({export_name, CoreEntityId{scope().def.space(space)[item].type}});
    instance.arguments.push_back({export_name, {space, item}});
  }
  Entry entry;
  entry.a = static_cast<uint32_t>(scope().def.core_instances.size());
  entry.type = static_cast<uint32_t>(core().add_instance(CoreExports(std::move(exports))));
  scope().def.core_instances.push_back(std::move(instance));
  return add_entry(Space::kCoreInstance, entry, start);
}

Result<void> Decoder::core_instance(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint8_t form = cursor.u8();
  if (cursor.failed()) return cursor.error();
  if (form == 0x00) return instantiate_module(cursor, start);
  if (form == 0x01) return core_exports(cursor, start);
  return invalid_at("malformed core instance " + std::to_string(form), start);
}

// Explainer.md #type-checking: arguments stand for imports, and what the component introduces
// itself is new for each instance.
Result<TypeId> Decoder::instance_type(TypeId component, const DeclarationList& arguments,
                                      uint64_t offset) {
  const ComponentType& type = types().component(component);
  Substitution mapping(types(), offset);
  MAYFLY_TRY(subtypes_.check_open(arguments, type.imports, type.bound_imports, mapping,
                                  "missing import named", offset));
  for (const TypeId old : type.bound_exports) {
    types().set_deriving(true);
    const auto made = types().add_resource({}, offset);
    types().set_deriving(false);
    if (!made) return made.error();
    mapping.map(old, *made);
    scope().own_resources.push_back(*made);
  }
  InstanceType instance{MAYFLY_TRY(mapping.apply(type.exports)), {}};
  return types().add_instance(std::move(instance), offset);
}

Result<void> Decoder::instantiate_component(ByteCursor& cursor, uint64_t start) {
  InstanceDef instance;
  instance.component = MAYFLY_TRY(index(Space::kComponent, cursor));
  std::vector<Declaration> arguments;
  std::set<StringId> known;
  uint32_t left = MAYFLY_TRY(count(cursor, "arguments", limits().arguments_max));
  for (; left > 0; --left) {
    const uint64_t at = cursor.position();
    const StringId argument = MAYFLY_TRY(name(cursor));
    const SpaceIndex item = MAYFLY_TRY(sort_index(cursor));
    if (!known.insert(argument).second) {
      return invalid_at(
          "instantiation argument `" + text(argument) + "` conflicts with a previous argument", at);
    }
    arguments.push_back({argument, MAYFLY_TRY(entity(item, at))});
    instance.arguments.push_back({argument, item});
  }
  const TypeId component{scope().def.space(Space::kComponent)[*instance.component].type};
  Entry entry;
  entry.a = static_cast<uint32_t>(scope().def.instances.size());
  entry.type = static_cast<uint32_t>(
      MAYFLY_TRY(instance_type(component, DeclarationList(std::move(arguments)), start)));
  scope().def.steps.push_back({Step::Kind::kInstance, entry.a});
  scope().def.instances.push_back(std::move(instance));
  return add_entry(Space::kInstance, entry, start);
}

Result<void> Decoder::instance_exports(ByteCursor& cursor, uint64_t start) {
  InstanceDef instance;
  // A bag of exports names no resources: what it holds keeps the names it has.
  ScopeNames names;
  uint32_t left = MAYFLY_TRY(count(cursor, "exports", limits().externs_max));
  for (; left > 0; --left) {
    const uint64_t at = cursor.position();
    NameAttributes attributes;
    const StringId export_name = MAYFLY_TRY(extern_name(cursor, attributes));
    const SpaceIndex item = MAYFLY_TRY(sort_index(cursor));
    const EntityType type = MAYFLY_TRY(entity(item, at));
    MAYFLY_TRY(check_attributes(export_name, attributes, type.sort, at));
    MAYFLY_TRY(check_name(Direction::kExport, export_name, type, names, at));
    names.declarations.push_back({export_name, type});
    instance.arguments.push_back({export_name, item});
  }
  Entry entry;
  entry.a = static_cast<uint32_t>(scope().def.instances.size());
  InstanceType type{DeclarationList(std::move(names.declarations)), {}};
  entry.type = static_cast<uint32_t>(MAYFLY_TRY(types().add_instance(std::move(type), start)));
  scope().def.instances.push_back(std::move(instance));
  return add_entry(Space::kInstance, entry, start);
}

Result<void> Decoder::instance(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint8_t form = cursor.u8();
  if (cursor.failed()) return cursor.error();
  if (form == 0x00) return instantiate_component(cursor, start);
  if (form == 0x01) return instance_exports(cursor, start);
  return invalid_at("malformed instance " + std::to_string(form), start);
}

}  // namespace mayfly::component
