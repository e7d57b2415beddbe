// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks along aliases, exports and arguments. They are loops: a chain of exports of exports is as
// long as a file wants it to be.
#include "linker/graph.h"

#include <algorithm>

#include "base/check.h"

namespace mayfly::linker {

using component::ComponentDef;
using component::CoreInstanceDef;
using component::Entry;
using component::InstanceDef;
using component::NamedIndex;
using component::Space;
using component::SpaceIndex;
using component::StringId;
using component::TypeId;
using component::TypeKind;

namespace {

std::string_view text(const Scope& scope, StringId name) { return scope.types().text(name); }

// The scope whose exports an instance has, unless it is a bag of exports (or not there yet).
const Scope* instance_scope(const Scope& scope, uint32_t entry) {
  if (entry == kWholeScope) return &scope;
  return scope.instances[scope.def().space(Space::kInstance)[entry].a];
}

Error missing(std::string_view name) {
  return link_error("there is no export named \"" + std::string(name) + "\"");
}

}  // namespace

Scope& Graph::add_scope() {
  Scope& scope = scopes_.emplace_back();
  scope.instance = static_cast<uint32_t>(scopes_.size());
  return scope;
}

uint32_t Graph::add_host_item(HostItem item) {
  host_items_.push_back(std::move(item));
  return static_cast<uint32_t>(host_items_.size() - 1);
}

ResourceRef Graph::add_resource(const Scope* implementer, TypeId type) {
  resources_.push_back({implementer, type});
  return {static_cast<uint32_t>(resources_.size()),
          implementer == nullptr ? kHostInstance : implementer->instance};
}

Result<void> Graph::count_step() const {
  if (steps_left_ == 0) return limit("the components refer to each other in too many steps");
  --steps_left_;
  return {};
}

const Graph::NameMap& Graph::exports_of(const Scope& scope) const {
  const auto [found, is_new] = names_.try_emplace(&scope.def().exports);
  if (is_new) {
    for (const component::ExportDef& item : scope.def().exports) {
      found->second.emplace(text(scope, item.name), item.item);
    }
  }
  return found->second;
}

const Graph::NameMap& Graph::names_of(const Scope& scope, const void* list,
                                      std::span<const NamedIndex> items) const {
  const auto [found, is_new] = names_.try_emplace(list);
  if (is_new) {
    for (const NamedIndex& item : items) found->second.emplace(text(scope, item.name), item.item);
  }
  return found->second;
}

// Of an instance that the scope defines itself.
Result<Graph::Place> Graph::export_place(const Scope& scope, uint32_t instance_entry,
                                         std::string_view name) const {
  const Scope* of = instance_scope(scope, instance_entry);
  const NameMap* names = nullptr;
  if (of != nullptr) {
    names = &exports_of(*of);
  } else {
    const InstanceDef& def =
        scope.def().instances[scope.def().space(Space::kInstance)[instance_entry].a];
    if (def.component) return link_error("an instance is used before it is there");
    of = &scope;
    names = &names_of(scope, &def, def.arguments);
  }
  const auto found = names->find(name);
  if (found == names->end()) return missing(name);
  return Place{of, found->second};
}

Result<Item> Graph::find_export(const Item& instance, std::string_view name) const {
  CHECK(instance.space == Space::kInstance, static_cast<int>(instance.space));
  if (!instance.is_of_host()) {
    const Place place = MAYFLY_TRY(export_place(*instance.scope, instance.index, name));
    return resolve(*place.scope, place.at);
  }
  const HostItem& host = host_items_[instance.index];
  const auto found = host.exports.find(std::string(name));
  if (found == host.exports.end()) return missing(name);
  return Item{nullptr, space_of(host_items_[found->second].type.sort), found->second};
}

Result<Item> Graph::resolve(const Scope& scope, SpaceIndex at) const {
  Place place{&scope, at};
  while (true) {
    MAYFLY_TRY(count_step());
    const ComponentDef& def = place.scope->def();
    const Entry& entry = def.space(place.at.space)[place.at.index];
    switch (entry.origin) {
      case Entry::Origin::kDefined:
        return Item{place.scope, place.at.space, place.at.index};
      case Entry::Origin::kImport: {
        const auto found =
            place.scope->arguments.find(text(*place.scope, def.imports[entry.a].name));
        // An imported type that is equal to another needs no argument.
        if (found == place.scope->arguments.end()) {
          return Item{place.scope, place.at.space, place.at.index};
        }
        return found->second;
      }
      case Entry::Origin::kExport:
        place.at = def.exports[entry.a].item;
        break;
      case Entry::Origin::kExportAlias: {
        const Item instance =
            MAYFLY_TRY(resolve(*place.scope, SpaceIndex{Space::kInstance, entry.a}));
        const std::string_view name = text(*place.scope, StringId{entry.b});
        if (instance.is_of_host()) return find_export(instance, name);
        place = MAYFLY_TRY(export_place(*instance.scope, instance.index, name));
        break;
      }
      case Entry::Origin::kOuterAlias:
        for (uint32_t i = 0; i < entry.a; ++i) place.scope = place.scope->outer;
        place.at.index = entry.b;
        break;
    }
  }
}

Result<CoreItem> Graph::resolve_core(const Scope& scope, SpaceIndex at,
                                     const CoreExportFinder& finder) const {
  const Entry& entry = scope.def().space(at.space)[at.index];
  const auto kind = static_cast<wasm::ExternKind>(at.space);
  if (entry.origin == Entry::Origin::kDefined) return CoreItem{kind, &scope, entry.a, {}};
  CHECK(entry.origin == Entry::Origin::kExportAlias, static_cast<int>(entry.origin));
  return find_core_export(scope, entry.a, text(scope, StringId{entry.b}), kind, finder);
}

Result<CoreItem> Graph::find_core_export(const Scope& scope, uint32_t core_instance,
                                         std::string_view name, wasm::ExternKind kind,
                                         const CoreExportFinder& finder) const {
  while (true) {
    MAYFLY_TRY(count_step());
    const uint32_t number = scope.def().space(Space::kCoreInstance)[core_instance].a;
    const CoreInstanceDef& def = scope.def().core_instances[number];
    if (def.module) {
      CHECK(number < scope.core_steps.size(), number);
      CoreItem item{kind, nullptr, 0, {}};
      item.definition = MAYFLY_TRY(finder.find_export(scope.core_steps[number], kind, name));
      return item;
    }
    const NameMap& names = names_of(scope, &def, def.arguments);
    const auto found = names.find(name);
    if (found == names.end()) return missing(name);
    const Entry& entry = scope.def().space(found->second.space)[found->second.index];
    if (entry.origin == Entry::Origin::kDefined) return CoreItem{kind, &scope, entry.a, {}};
    core_instance = entry.a;
    name = text(scope, StringId{entry.b});
  }
}

const std::map<TypeId, uint32_t>& Graph::resource_entries(const Scope& scope) const {
  const auto [found, is_new] = resource_entries_.try_emplace(&scope.def());
  if (is_new) {
    const auto& entries = scope.def().space(Space::kType);
    for (uint32_t i = 0; i < entries.size(); ++i) {
      const TypeId type{entries[i].type};
      if (entries[i].is_module_type || scope.types().kind(type) != TypeKind::kResource) continue;
      found->second.emplace(scope.types().resolve(type), i);
    }
  }
  return found->second;
}

Result<ResourceRef> Graph::resource(const Scope& scope, TypeId type) const {
  const TypeId node = scope.types().resolve(type);
  if (const auto own = scope.own_resources.find(node); own != scope.own_resources.end()) {
    return own->second;
  }
  const auto& entries = resource_entries(scope);
  const auto entry = entries.find(node);
  if (entry == entries.end()) return link_error("a resource type has no definition");
  const Item item = MAYFLY_TRY(resolve(scope, {Space::kType, entry->second}));
  const auto found = resource_of(item);
  if (!found) return link_error("a resource type has no implementation");
  return *found;
}

std::optional<ResourceRef> Graph::resource_of(const Item& type) const {
  if (type.is_of_host()) return host_items_[type.index].resource;
  const component::Entry& entry = type.scope->def().space(Space::kType)[type.index];
  const auto found =
      type.scope->own_resources.find(type.scope->types().resolve(TypeId{entry.type}));
  if (found == type.scope->own_resources.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string> Graph::export_names(const Item& instance) const {
  std::vector<std::string> names;
  if (instance.is_of_host()) {
    for (const auto& [name, number] : host_items_[instance.index].exports) names.push_back(name);
    return names;
  }
  if (const Scope* of = instance_scope(*instance.scope, instance.index); of != nullptr) {
    for (const component::ExportDef& item : of->def().exports) {
      names.emplace_back(text(*of, item.name));
    }
    return names;
  }
  const ComponentDef& def = instance.scope->def();
  for (const NamedIndex& item :
       def.instances[def.space(Space::kInstance)[instance.index].a].arguments) {
    names.emplace_back(text(*instance.scope, item.name));
  }
  return names;
}

std::vector<uint32_t> entering_set(const Scope& callee, const Scope* caller) {
  std::vector<uint32_t> ancestors;
  for (; caller != nullptr; caller = caller->parent) ancestors.push_back(caller->instance);
  std::vector<uint32_t> entered;
  for (const Scope* scope = &callee; scope != nullptr; scope = scope->parent) {
    if (std::ranges::find(ancestors, scope->instance) == ancestors.end()) {
      entered.push_back(scope->instance);
    }
  }
  return entered;
}

}  // namespace mayfly::linker
