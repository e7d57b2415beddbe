// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Aliases (Explainer.md #alias-definitions): of an instance's export, of a core instance's, and of
// a definition of a scope around.
#include "component/decoder.h"
#include "component/resource_use.h"

namespace mayfly::component {
namespace {

std::optional<Sort> sort_of(Space space) {
  switch (space) {
    case Space::kCoreModule:
      return Sort::kCoreModule;
    case Space::kFunc:
      return Sort::kFunc;
    case Space::kValue:
      return Sort::kValue;
    case Space::kType:
      return Sort::kType;
    case Space::kComponent:
      return Sort::kComponent;
    case Space::kInstance:
      return Sort::kInstance;
    default:
      return std::nullopt;
  }
}

std::optional<wasm::ExternKind> kind_of(Space space) {
  if (space > Space::kCoreTag) return std::nullopt;
  return static_cast<wasm::ExternKind>(space);
}
static_assert(static_cast<int>(Space::kCoreFunc) == static_cast<int>(wasm::ExternKind::kFunc));
static_assert(static_cast<int>(Space::kCoreTag) == static_cast<int>(wasm::ExternKind::kTag));

bool is_outer_sort(Space space, bool in_type) {
  if (space == Space::kCoreType || space == Space::kType) return true;
  return !in_type && (space == Space::kCoreModule || space == Space::kComponent);
}

}  // namespace

Result<void> Decoder::alias_export(Space space, ByteCursor& cursor, uint64_t start) {
  const auto sort = sort_of(space);
  if (!sort) {
    return invalid_at("an instance does not export a " + std::string(to_string(space)), start);
  }
  if (scope().kind != Scope::Kind::kComponent && *sort != Sort::kType && *sort != Sort::kInstance) {
    return invalid_at("aliases in types may only refer to types or instances", start);
  }
  Entry alias;
  alias.origin = Entry::Origin::kExportAlias;
  alias.a = MAYFLY_TRY(index(Space::kInstance, cursor));
  const StringId export_name = MAYFLY_TRY(name(cursor));
  alias.b = static_cast<uint32_t>(export_name);
  const TypeId instance{scope().def.space(Space::kInstance)[alias.a].type};
  const EntityType* found = types().instance(instance).exports.find(export_name);
  if (found == nullptr) {
    return invalid_at(
        "instance " + std::to_string(alias.a) + " has no export named `" + text(export_name) + "`",
        start);
  }
  if (found->sort != *sort) {
    return invalid_at("export `" + text(export_name) + "` of instance " + std::to_string(alias.a) +
                          " is not a " + std::string(to_string(space)),
                      start);
  }
  alias.type = found->code;
  if (*sort == Sort::kValue) return add_value(found->value(), alias, false, start);
  return add_entry(space, alias, start);
}

Result<void> Decoder::alias_core_export(Space space, ByteCursor& cursor, uint64_t start) {
  const auto kind = kind_of(space);
  if (!kind) {
    return invalid_at("a core instance does not export a " + std::string(to_string(space)), start);
  }
  if (scope().kind != Scope::Kind::kComponent) {
    return invalid_at("aliases in types may only refer to types or instances", start);
  }
  Entry alias;
  alias.origin = Entry::Origin::kExportAlias;
  alias.a = MAYFLY_TRY(index(Space::kCoreInstance, cursor));
  const StringId export_name = MAYFLY_TRY(name(cursor));
  alias.b = static_cast<uint32_t>(export_name);
  const CoreInstanceTypeId instance{scope().def.space(Space::kCoreInstance)[alias.a].type};
  const auto found = core().exports(instance).find(export_name);
  if (!found) {
    return invalid_at("core instance " + std::to_string(alias.a) + " has no export named `" +
                          text(export_name) + "`",
                      start);
  }
  if (core()[*found].kind != *kind) {
    return invalid_at("export `" + text(export_name) + "` of core instance " +
                          std::to_string(alias.a) + " is not a " + std::string(to_string(space)),
                      start);
  }
  alias.type = static_cast<uint32_t>(*found);
  return add_entry(space, alias, start);
}

Result<Decoder::OuterScope> Decoder::outer_scope(uint32_t count, uint64_t offset) const {
  if (count >= scopes_.size()) {
    return invalid_at("invalid outer alias count of " + std::to_string(count) + ": there are " +
                          std::to_string(scopes_.size()) + " scopes",
                      offset);
  }
  OuterScope outer;
  const size_t at = scopes_.size() - 1 - count;
  outer.scope = &scopes_[at];
  for (size_t i = at + 1; i < scopes_.size(); ++i) {
    outer.crosses_component = outer.crosses_component || scopes_[i].kind == Scope::Kind::kComponent;
  }
  return outer;
}

Result<void> Decoder::alias_outer(Space space, ByteCursor& cursor, uint64_t start) {
  const bool in_type = scope().kind != Scope::Kind::kComponent;
  if (!is_outer_sort(space, in_type)) {
    return invalid_at(in_type ? "aliases in types may only refer to types or instances"
                              : "malformed sort of an outer alias",
                      start);
  }
  Entry alias;
  alias.origin = Entry::Origin::kOuterAlias;
  alias.a = cursor.u32();
  alias.b = cursor.u32();
  if (cursor.failed()) return cursor.error();
  const OuterScope outer = MAYFLY_TRY(outer_scope(alias.a, start));
  const Entry found = MAYFLY_TRY(entry_at(*outer.scope, space, alias.b, start));
  if (outer.crosses_component && space == Space::kType &&
      MAYFLY_TRY(refers_to_resource(types(), TypeId{found.type}, start))) {
    return invalid_at("an outer alias across components transitively refers to resources", start);
  }
  alias.type = found.type;
  alias.is_module_type = found.is_module_type;
  return add_entry(space, alias, start);
}

Result<void> Decoder::alias(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const Space space = MAYFLY_TRY(sort(cursor));
  const uint64_t at = cursor.position();
  const uint8_t target = cursor.u8();
  if (cursor.failed()) return cursor.error();
  switch (target) {
    case 0x00:
      return alias_export(space, cursor, start);
    case 0x01:
      return alias_core_export(space, cursor, start);
    case 0x02:
      return alias_outer(space, cursor, start);
    default:
      return invalid_at("malformed alias " + std::to_string(target), at);
  }
}

}  // namespace mayfly::component
