// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Imports and exports, of components and in types (Binary.md #import-and-export-definitions).
#include <algorithm>

#include "component/decoder.h"
#include "component/names.h"

namespace mayfly::component {

Space space_of(Sort sort) {
  switch (sort) {
    case Sort::kCoreModule:
      return Space::kCoreModule;
    case Sort::kFunc:
      return Space::kFunc;
    case Sort::kValue:
      return Space::kValue;
    case Sort::kType:
      return Space::kType;
    case Sort::kComponent:
      return Space::kComponent;
    case Sort::kInstance:
      return Space::kInstance;
  }
  return Space::kFunc;
}

Result<void> Decoder::name_attribute(ByteCursor& cursor, std::string_view name,
                                     NameAttributes& attributes) {
  const uint64_t start = cursor.position();
  const uint8_t kind = cursor.u8();
  if (cursor.failed()) return cursor.error();
  if (kind > 2 || (kind == 1 && !features().canonical_names)) {
    return invalid_at("malformed name attribute " + std::to_string(kind), start);
  }
  auto& attribute = kind == 0   ? attributes.implements
                    : kind == 1 ? attributes.version_suffix
                                : attributes.external_id;
  if (attribute) {
    return invalid_at(
        "duplicate attribute " + std::to_string(kind) + " of `" + std::string(name) + "`", start);
  }
  attribute = MAYFLY_TRY(this->name(cursor));
  return {};
}

Result<StringId> Decoder::extern_name(ByteCursor& cursor, NameAttributes& attributes) {
  const uint64_t start = cursor.position();
  const uint8_t form = cursor.u8();
  if (cursor.failed()) return cursor.error();
  if (form > 2) return invalid_at("malformed name " + std::to_string(form), start);
  const StringId id = MAYFLY_TRY(name(cursor));
  if (form != 2) return id;
  uint32_t left = MAYFLY_TRY(count(cursor, "name attributes", UINT32_MAX));
  for (; left > 0; --left) MAYFLY_TRY(name_attribute(cursor, types().text(id), attributes));
  return id;
}

Result<void> Decoder::check_attributes(StringId name, const NameAttributes& attributes, Sort sort,
                                       uint64_t offset) {
  const NameRules rules = name_rules();
  const auto parsed = parse_extern_name(types().text(name), rules);
  if (!parsed) {
    return invalid_at("`" + text(name) + "` is not a valid extern name: " + parsed.error().message,
                      offset);
  }
  if (attributes.implements) {
    const auto interface = parse_interface_name(types().text(*attributes.implements), rules);
    if (!interface) {
      return invalid_at("`implements` of `" + text(name) +
                            "` must be an interface name: " + interface.error().message,
                        offset);
    }
    if (sort != Sort::kInstance) {
      return invalid_at("only instances can have an `implements`, not `" + text(name) + "`",
                        offset);
    }
    if (parsed->kind != ExternName::Kind::kLabel) {
      return invalid_at("name `" + text(name) + "` is not valid with `implements`", offset);
    }
  }
  if (attributes.version_suffix) {
    const std::string version = std::string(parsed->version) + text(*attributes.version_suffix);
    if (parsed->version.empty() || !parse_semver(version)) {
      return invalid_at("`" + version + "` is no version of `" + text(name) + "`", offset);
    }
  }
  return {};
}

Result<Decoder::Extern> Decoder::type_bound(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint8_t bound = cursor.u8();
  if (cursor.failed()) return cursor.error();
  if (bound == 0x00) {
    return Extern{{Sort::kType, MAYFLY_TRY(entry(Space::kType, cursor)).type}, false};
  }
  if (bound != 0x01) return invalid_at("malformed type bound " + std::to_string(bound), start);
  return Extern{EntityType::of(Sort::kType, MAYFLY_TRY(types().add_resource({}, start))), true};
}

Result<Decoder::Extern> Decoder::value_bound(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint8_t bound = cursor.u8();
  if (cursor.failed()) return cursor.error();
  if (bound > 0x01) return invalid_at("malformed value bound " + std::to_string(bound), start);
  const uint32_t type = bound == 0x00 ? MAYFLY_TRY(entry(Space::kValue, cursor)).type
                                      : MAYFLY_TRY(val_type(cursor)).bits();
  return Extern{{Sort::kValue, type}, false};
}

Result<Decoder::Extern> Decoder::extern_type(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint8_t kind = cursor.u8();
  if (cursor.failed()) return cursor.error();
  switch (kind) {
    case 0x00: {
      if (cursor.u8() != 0x11) return invalid_at("malformed import or export type", start);
      const uint64_t at = cursor.position();
      const Entry found = MAYFLY_TRY(entry(Space::kCoreType, cursor));
      if (!found.is_module_type) return invalid_at("core type is not a module type", at);
      return Extern{{Sort::kCoreModule, found.type}, false};
    }
    case 0x01:
      return Extern{EntityType::of(Sort::kFunc, MAYFLY_TRY(type_of_kind(TypeKind::kFunc, cursor))),
                    false};
    case 0x02:
      if (features().values) return value_bound(cursor);
      break;
    case 0x03:
      return type_bound(cursor);
    case 0x04:
      return Extern{
          EntityType::of(Sort::kComponent, MAYFLY_TRY(type_of_kind(TypeKind::kComponent, cursor))),
          false};
    case 0x05:
      return Extern{
          EntityType::of(Sort::kInstance, MAYFLY_TRY(type_of_kind(TypeKind::kInstance, cursor))),
          false};
    default:
      break;
  }
  return invalid_at("malformed import or export type " + std::to_string(kind), start);
}

// A type gets a name of its own; the resources that an instance type introduces become those of
// this instance.
Result<EntityType> Decoder::freshen(Direction direction, const Extern& item, uint64_t offset) {
  auto& fresh =
      direction == Direction::kImport ? scope().imported_resources : scope().own_resources;
  if (item.type.sort == Sort::kType) {
    if (item.is_fresh) {
      fresh.push_back(item.type.type());
      return item.type;
    }
    return EntityType::of(Sort::kType, MAYFLY_TRY(types().add_named(item.type.type(), offset)));
  }
  if (item.type.sort != Sort::kInstance) return item.type;
  const InstanceType& instance = types().instance(item.type.type());
  if (instance.bound.empty()) return item.type;
  Substitution mapping(types(), offset);
  for (const TypeId old : instance.bound) {
    const TypeId made = MAYFLY_TRY(types().add_resource({}, offset));
    mapping.map(old, made);
    fresh.push_back(made);
  }
  InstanceType concrete{MAYFLY_TRY(mapping.apply(instance.exports)), {}};
  return EntityType::of(Sort::kInstance,
                        MAYFLY_TRY(types().add_instance(std::move(concrete), offset)));
}

Result<EntityType> Decoder::introduce(Direction direction, StringId name, const Extern& item,
                                      uint64_t offset) {
  const EntityType type = MAYFLY_TRY(freshen(direction, item, offset));
  ScopeNames& names = scope().names(direction);
  const bool is_import = direction == Direction::kImport;
  const std::string_view what = is_import ? "import" : "export";
  if (names.declarations.size() >= limits().externs_max) {
    return limit_at("too many " + std::string(what) + "s", names.declarations.size() + 1,
                    limits().externs_max, offset);
  }
  if (type.sort == Sort::kType && types().kind(type.type()) == TypeKind::kResource) {
    names.resources.emplace(type.type(), name);
    names.resource_by_name.emplace(name, type.type());
  }
  const bool is_checked = scope().kind != Scope::Kind::kInstanceType;
  if (is_checked && !MAYFLY_TRY(scope().visibility.admit(types(), type, direction, offset))) {
    return invalid_at(std::string(to_string(type.sort)) + " not valid to be used as " +
                          std::string(what) + ": `" + text(name) +
                          "` uses a type that has no name outside",
                      offset);
  }
  MAYFLY_TRY(check_name(direction, name, type, names, offset));
  Entry entry;
  entry.origin = is_import ? Entry::Origin::kImport : Entry::Origin::kExport;
  entry.a = static_cast<uint32_t>(names.declarations.size());
  entry.type = type.code;
  names.declarations.push_back({name, type});
  if (type.sort == Sort::kValue) {
    MAYFLY_TRY(add_value(type.value(), entry, !is_import, offset));
  } else {
    MAYFLY_TRY(add_entry(space_of(type.sort), entry, offset));
  }
  return type;
}

Result<void> Decoder::import_entry(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  ImportDef import;
  import.name = MAYFLY_TRY(extern_name(cursor, import.attributes));
  const Extern item = MAYFLY_TRY(extern_type(cursor));
  MAYFLY_TRY(check_attributes(import.name, import.attributes, item.type.sort, start));
  import.type = MAYFLY_TRY(introduce(Direction::kImport, import.name, item, start));
  if (scope().kind == Scope::Kind::kComponent) scope().def.imports.push_back(import);
  return {};
}

Result<void> Decoder::export_declaration(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  NameAttributes attributes;
  const StringId name = MAYFLY_TRY(extern_name(cursor, attributes));
  const Extern item = MAYFLY_TRY(extern_type(cursor));
  MAYFLY_TRY(check_attributes(name, attributes, item.type.sort, start));
  MAYFLY_TRY(introduce(Direction::kExport, name, item, start));
  return {};
}

Result<void> Decoder::export_entry(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  ExportDef item;
  item.name = MAYFLY_TRY(extern_name(cursor, item.attributes));
  item.item = MAYFLY_TRY(sort_index(cursor));
  Extern type{MAYFLY_TRY(entity(item.item, start)), false};
  if (MAYFLY_TRY(flag(cursor, "optional export type"))) {
    const uint64_t at = cursor.position();
    const Extern ascribed = MAYFLY_TRY(extern_type(cursor));
    if (cursor.failed()) return cursor.error();
    const bool is_resource =
        type.type.sort == Sort::kType && types().kind(type.type.type()) == TypeKind::kResource;
    if (!ascribed.is_fresh || !is_resource) {
      MAYFLY_TRY(subtypes_.check(type.type, ascribed.type, at));
    }
    type = ascribed;
  }
  MAYFLY_TRY(check_attributes(item.name, item.attributes, type.type.sort, start));
  item.type = MAYFLY_TRY(introduce(Direction::kExport, item.name, type, start));
  scope().def.exports.push_back(item);
  return {};
}

}  // namespace mayfly::component
