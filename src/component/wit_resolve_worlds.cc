// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Worlds: imports, exports, includes, and the imports that types bring with them
// (WIT.md #transitive-imports-and-worlds).
#include <algorithm>
#include <optional>
#include <utility>

#include "component/names.h"
#include "component/wit_resolver.h"

namespace mayfly::component::wit {
namespace {

Notes notes_of(const ast::Meta& meta) { return {meta.docs, meta.stability, meta.external_id}; }

// The interface that an item imports or exports by its own name.
std::optional<InterfaceId> own_interface(const WorldItem& item) {
  const auto* interface = std::get_if<InterfaceId>(&item.what);
  return interface != nullptr && item.name.empty() ? std::optional(*interface) : std::nullopt;
}

}  // namespace

Result<void> Resolver::add_item(WorldItem item, bool is_export, Position at, Building& building) {
  const int which = is_export ? 1 : 0;
  if (const auto interface = own_interface(item)) {
    if (!building.interfaces[which].insert(*interface).second) return {};
  } else if (const auto* type = std::get_if<TypeId>(&item.what);
             type != nullptr && !building.types.insert(*type).second) {
    return {};
  } else if (!building.names[which].insert(uniqueness_key(item.name)).second) {
    return error(at, "`" + item.name + "` is " + (is_export ? "exported" : "imported") + " twice");
  }
  auto& items = is_export ? building.world.exports : building.world.imports;
  items.push_back(std::move(item));
  return {};
}

Result<void> Resolver::world_types(const ast::World& ast, Scope& scope, Building& building) {
  for (const auto& item : ast.items) {
    if (const auto* type = std::get_if<ast::TypeItem>(&item)) {
      MAYFLY_TRY(declare_type(*type, scope));
    }
  }
  const auto add = [&](TypeId type, Position at) {
    return add_item({model_[type].name, type, model_[type].notes}, false, at, building);
  };
  for (const auto& item : ast.items) {
    const auto* use = std::get_if<ast::UseItem>(&item);
    if (use == nullptr) continue;
    std::vector<TypeId> made;
    MAYFLY_TRY(use_types(*use, scope, made));
    for (const TypeId type : made) MAYFLY_TRY(add(type, use->meta.at));
  }
  std::vector<std::pair<TypeId, const ast::TypeItem*>> types;
  for (const auto& item : ast.items) {
    const auto* type = std::get_if<ast::TypeItem>(&item);
    if (type == nullptr) continue;
    types.emplace_back(MAYFLY_TRY(define(type->name.text, scope, type->name.at)), type);
  }
  std::ranges::sort(types);
  for (const auto& [type, item] : types) MAYFLY_TRY(add(type, item->name.at));
  for (const auto& [type, item] : types) {
    for (Function& function : MAYFLY_TRY(members(*item, scope))) {
      const std::string name = model_.extern_name(function);
      Notes notes = function.notes;
      MAYFLY_TRY(
          add_item({name, std::move(function), std::move(notes)}, false, item->name.at, building));
    }
  }
  return {};
}

Result<void> Resolver::world_extern(const ast::ExternItem& item, Scope& scope, Building& building) {
  WorldItem made;
  made.notes = notes_of(item.meta);
  if (item.label) made.name = item.label->text;
  const Position at = item.label ? item.label->at : item.meta.at;
  if (const auto* path = std::get_if<ast::UsePath>(&item.what)) {
    made.what = MAYFLY_TRY(find_interface(*path, scope.package, *scope.part));
  } else if (const auto* func = std::get_if<ast::Func>(&item.what)) {
    ast::FuncItem named;
    named.meta = item.meta;
    named.name = *item.label;
    named.func = *func;
    made.what = MAYFLY_TRY(function(named, TypeId{kNoIndex}, scope));
  } else {
    Interface inner;
    inner.package = scope.package;
    const InterfaceId id = model_.add(std::move(inner));
    Scope inside;
    inside.package = scope.package;
    inside.part = scope.part;
    inside.owner.interface = id;
    MAYFLY_TRY(interface_contents(std::get<ast::Interface>(item.what), inside, id));
    made.what = id;
  }
  return add_item(std::move(made), item.is_export, at, building);
}

Result<void> Resolver::include(const ast::IncludeItem& item, Scope& scope, Building& building) {
  const Target named = MAYFLY_TRY(target(item.path, scope.package, *scope.part));
  auto& known = worlds_[named.package];
  const auto found = known.find(named.name);
  const Position at = item.path.name.at;
  if (found == known.end()) return error(at, "world `" + named.name + "` is not defined");
  if (found->second.state == State::kActive) {
    return error(at, "world `" + named.name + "` includes itself");
  }
  if (found->second.state == State::kNew) {
    if (++depth_ > limits_.reference_depth_max) return error(at, "worlds include too deep");
    MAYFLY_TRY(resolve_world(found->second, named.package));
    --depth_;
  }
  const World other = model_[found->second.id];
  std::set<std::string> used;
  const auto add_all = [&](const std::vector<WorldItem>& items, bool is_export) -> Result<void> {
    for (WorldItem copy : items) {
      for (const ast::Renaming& renaming : item.with) {
        if (copy.name != renaming.from.text || copy.name.empty()) continue;
        used.insert(renaming.from.text);
        copy.name = renaming.to.text;
        if (auto* function = std::get_if<Function>(&copy.what)) function->name = copy.name;
      }
      MAYFLY_TRY(add_item(std::move(copy), is_export, at, building));
    }
    return {};
  };
  MAYFLY_TRY(add_all(other.imports, false));
  MAYFLY_TRY(add_all(other.exports, true));
  for (const ast::Renaming& renaming : item.with) {
    if (used.contains(renaming.from.text)) continue;
    return error(renaming.from.at, "world `" + named.name + "` has no import or export `" +
                                       renaming.from.text + "` to rename");
  }
  return {};
}

std::vector<InterfaceId> Resolver::uses_of(InterfaceId interface) const {
  std::vector<InterfaceId> uses;
  for (const TypeId type : model_[interface].types) {
    if (model_[type].kind != TypeKind::kNamed) continue;
    const Owner& owner = model_[model_[type].fields[0].type.type()].owner;
    if (owner.interface && *owner.interface != interface) uses.push_back(*owner.interface);
  }
  return uses;
}

// Uses are acyclic and their depth is bounded, so this recursion is too.
void Resolver::add_needed(InterfaceId interface, std::vector<WorldItem>& imports,
                          const std::set<InterfaceId>& without, std::set<InterfaceId>& seen,
                          std::set<InterfaceId>& imported) {
  for (const InterfaceId needed : uses_of(interface)) {
    if (without.contains(needed) || !seen.insert(needed).second) continue;
    add_needed(needed, imports, without, seen, imported);
    if (imported.insert(needed).second) imports.push_back({"", needed, {}});
  }
}

void Resolver::complete_imports(World& world) {
  std::vector<WorldItem> imports;
  std::set<InterfaceId> exported;
  for (const WorldItem& item : world.exports) {
    if (const auto interface = own_interface(item)) exported.insert(*interface);
  }
  std::set<InterfaceId> seen;
  std::set<InterfaceId> imported;
  for (const WorldItem& item : world.imports) {
    if (const auto* interface = std::get_if<InterfaceId>(&item.what)) {
      add_needed(*interface, imports, {}, seen, imported);
    } else if (const auto* type = std::get_if<TypeId>(&item.what);
               type != nullptr && model_[*type].kind == TypeKind::kNamed) {
      const Owner& owner = model_[model_[*type].fields[0].type.type()].owner;
      if (owner.interface) {
        add_needed(*owner.interface, imports, {}, seen, imported);
        if (imported.insert(*owner.interface).second) {
          imports.push_back({"", *owner.interface, {}});
        }
      }
    }
    const auto own = own_interface(item);
    if (!own || imported.insert(*own).second) imports.push_back(item);
  }
  std::set<InterfaceId> seen_by_exports;
  for (const WorldItem& item : world.exports) {
    if (const auto* interface = std::get_if<InterfaceId>(&item.what)) {
      add_needed(*interface, imports, exported, seen_by_exports, imported);
    }
  }
  world.imports = std::move(imports);
}

Result<void> Resolver::resolve_world(WorldEntry& entry, PackageId package) {
  entry.state = State::kActive;
  const ast::World& ast = *entry.ast;
  Scope scope;
  scope.package = package;
  scope.part = entry.part;
  scope.owner.world = entry.id;
  Building building;
  building.world = model_[entry.id];
  building.world.notes = notes_of(ast.meta);
  MAYFLY_TRY(world_types(ast, scope, building));
  for (const auto& item : ast.items) {
    if (const auto* other = std::get_if<ast::ExternItem>(&item)) {
      MAYFLY_TRY(world_extern(*other, scope, building));
    }
  }
  for (const auto& item : ast.items) {
    if (const auto* other = std::get_if<ast::IncludeItem>(&item)) {
      MAYFLY_TRY(include(*other, scope, building));
    }
  }
  complete_imports(building.world);
  model_[entry.id] = std::move(building.world);
  entry.state = State::kDone;
  return {};
}

}  // namespace mayfly::component::wit
