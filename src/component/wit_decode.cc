// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Types of the arena become types of the model where something exports or imports them by a name;
// others are written out where they are used. An interface that comes more than once, as an import
// and an export or in part, is one interface of the model.
#include "component/wit_decode.h"

#include <map>
#include <set>
#include <utility>

#include "component/names.h"

namespace mayfly::component::wit {
namespace {

class WitDecoder {
 public:
  explicit WitDecoder(const Component& component)
      : component_(component), arena_(component.types) {}

  Result<Decoded> package();
  Result<Decoded> world();

 private:
  std::string text(StringId string) const { return std::string(arena_.text(string)); }
  PackageId package_of(const ExternName& name);
  Result<InterfaceId> named_interface(std::string_view name);
  Result<InterfaceId> instance(std::string_view name, TypeId type, bool is_inline);
  Result<void> fill(InterfaceId id, TypeId type);
  Result<void> interface_type(InterfaceId id, const std::string& name, TypeId type);
  Result<TypeId> declare(const std::string& name, TypeId type, const Owner& owner);
  Result<ValType> value(ValType type);
  Result<TypeId> anonymous(TypeId type);
  Result<Type> structure(TypeId type);
  Result<TypeId> resource_of(TypeId arena_type) const;
  Result<Function> function(const std::string& name, TypeId type,
                            const std::map<std::string, TypeId>& types);
  Result<void> world_item(WorldId world, bool is_export, const std::string& name, EntityType type,
                          const NameAttributes& attributes, std::map<std::string, TypeId>& types);
  Result<void> package_item(const std::string& name, TypeId type);
  Result<void> declared_world(const std::string& name, TypeId type);

  const Component& component_;
  const TypeArena& arena_;
  Model model_;
  std::map<std::string, InterfaceId> interfaces_;               // by qualified name
  std::map<InterfaceId, std::map<std::string, TypeId>> types_;  // an interface's types by name
  std::map<InterfaceId, std::set<std::string>> functions_;
  std::map<TypeId, TypeId> made_;  // from the arena's names and resources to the model's types
};

PackageId WitDecoder::package_of(const ExternName& name) {
  const size_t colon = name.package.find(':');
  const PackageName wanted{std::string(name.package.substr(0, colon)),
                           std::string(name.package.substr(colon + 1)), std::string(name.version)};
  if (const auto known = model_.find_package(wanted)) return *known;
  Package package;
  package.name = wanted;
  return model_.add(std::move(package));
}

Result<InterfaceId> WitDecoder::named_interface(std::string_view name) {
  const auto known = interfaces_.find(std::string(name));
  if (known != interfaces_.end()) return known->second;
  const ExternName parsed = MAYFLY_TRY(parse_interface_name(name));
  const PackageId package = package_of(parsed);
  Interface interface;
  interface.name = parsed.label;
  interface.package = package;
  const InterfaceId id = model_.add(std::move(interface));
  model_[package].interfaces.push_back(id);
  interfaces_.emplace(name, id);
  return id;
}

Result<InterfaceId> WitDecoder::instance(std::string_view name, TypeId type, bool is_inline) {
  const InterfaceId id = is_inline ? model_.add(Interface()) : MAYFLY_TRY(named_interface(name));
  MAYFLY_TRY(fill(id, type));
  return id;
}

Result<void> WitDecoder::fill(InterfaceId id, TypeId type) {
  for (const Declaration& item : arena_.instance(type).exports.items()) {
    const std::string name = text(item.name);
    if (item.type.sort == Sort::kType) {
      MAYFLY_TRY(interface_type(id, name, item.type.type()));
    } else if (item.type.sort == Sort::kFunc) {
      if (!functions_[id].insert(name).second) continue;
      model_[id].functions.push_back(MAYFLY_TRY(function(name, item.type.type(), types_[id])));
    } else {
      return unsupported("`" + name + "` is a " + std::string(to_string(item.type.sort)) +
                         " inside an instance, which WIT cannot say");
    }
  }
  return {};
}

Result<void> WitDecoder::interface_type(InterfaceId id, const std::string& name, TypeId type) {
  const auto known = types_[id].find(name);
  if (known != types_[id].end()) {
    made_[type] = known->second;
    return {};
  }
  Owner owner;
  owner.interface = id;
  const TypeId made = MAYFLY_TRY(declare(name, type, owner));
  types_[id].emplace(name, made);
  model_[id].types.push_back(made);
  return {};
}

// A type that an import or export gives a name.
Result<TypeId> WitDecoder::declare(const std::string& name, TypeId type, const Owner& owner) {
  Type made;
  // What the name stands for: a name that was given before, or a definition.
  const TypeId behind = arena_.is_named(type) ? arena_.named_target(type) : type;
  const auto used = made_.find(behind);
  if (used != made_.end()) {
    made.kind = TypeKind::kNamed;
    made.fields.push_back({"", ValType::of(used->second), ""});
  } else if (arena_.kind(type) == TypeKind::kResource) {
    made.kind = TypeKind::kResource;
  } else if (arena_.is_value(type)) {
    made = MAYFLY_TRY(structure(arena_.resolve(type)));
  } else {
    return unsupported("type `" + name + "` is a " + std::string(to_string(arena_.kind(type))) +
                       ", which WIT cannot name");
  }
  made.name = name;
  made.owner = owner;
  const TypeId id = model_.add(std::move(made));
  made_[type] = id;
  // The definition itself may be used where its name is not.
  made_.emplace(behind, id);
  return id;
}

Result<TypeId> WitDecoder::resource_of(TypeId arena_type) const {
  for (const TypeId type : {arena_type, arena_.canonical(arena_type)}) {
    if (const auto known = made_.find(type); known != made_.end()) return known->second;
  }
  return unsupported("a resource has no name in WIT");
}

Result<Type> WitDecoder::structure(TypeId type) {
  Type made;
  made.kind = arena_.kind(type);
  made.length = made.kind == TypeKind::kFixedList ? arena_.extra(type) : 0;
  if (made.kind == TypeKind::kOwn || made.kind == TypeKind::kBorrow) {
    made.fields.push_back({"", ValType::of(MAYFLY_TRY(resource_of(arena_.resource(type)))), ""});
    return made;
  }
  for (const Member& member : arena_.members(type)) {
    Field field;
    if (member.label != StringId{kNoIndex}) field.name = text(member.label);
    field.type = MAYFLY_TRY(value(member.type));
    made.fields.push_back(std::move(field));
  }
  return made;
}

Result<TypeId> WitDecoder::anonymous(TypeId type) {
  return model_.add(MAYFLY_TRY(structure(arena_.resolve(type))));
}

// Recursion is bounded by the depth of the arena's types.
Result<ValType> WitDecoder::value(ValType type) {
  if (!type.is_node()) return type;
  const auto known = made_.find(type.type());
  if (known != made_.end()) return ValType::of(known->second);
  const TypeKind kind = arena_.kind(type.type());
  if (kind == TypeKind::kPrim) return arena_.members(type.type())[0].type;
  if (kind == TypeKind::kRecord || kind == TypeKind::kVariant || kind == TypeKind::kEnum ||
      kind == TypeKind::kFlags) {
    const auto behind = made_.find(arena_.resolve(type.type()));
    if (behind != made_.end()) return ValType::of(behind->second);
    return unsupported("a " + std::string(to_string(kind)) + " has no name in WIT");
  }
  return ValType::of(MAYFLY_TRY(anonymous(type.type())));
}

Result<Function> WitDecoder::function(const std::string& name, TypeId type,
                                      const std::map<std::string, TypeId>& types) {
  const ExternName parsed = MAYFLY_TRY(parse_extern_name(name));
  Function made;
  made.is_async = arena_.is_async(type);
  made.name = name;
  switch (parsed.kind) {
    case ExternName::Kind::kConstructor:
      made.kind = FunctionKind::kConstructor;
      made.name.clear();
      break;
    case ExternName::Kind::kMethod:
      made.kind = FunctionKind::kMethod;
      made.name = parsed.member;
      break;
    case ExternName::Kind::kStatic:
      made.kind = FunctionKind::kStatic;
      made.name = parsed.member;
      break;
    default:
      break;
  }
  if (made.kind != FunctionKind::kFree) {
    const auto resource = types.find(std::string(parsed.label));
    if (resource == types.end()) return invalid("`" + name + "` is of no resource here");
    made.resource = resource->second;
  }
  for (const Member& param : arena_.params(type)) {
    made.params.push_back({text(param.label), MAYFLY_TRY(value(param.type)), ""});
  }
  made.result = MAYFLY_TRY(value(arena_.result(type)));
  return made;
}

Result<void> WitDecoder::world_item(WorldId world, bool is_export, const std::string& name,
                                    EntityType type, const NameAttributes& attributes,
                                    std::map<std::string, TypeId>& types) {
  WorldItem item;
  item.name = name;
  if (attributes.external_id) item.notes.external_id = text(*attributes.external_id);
  switch (type.sort) {
    case Sort::kInstance: {
      const bool is_own = name.find(':') != std::string::npos;
      if (is_own) item.name.clear();
      const bool is_inline = !is_own && !attributes.implements;
      item.what = MAYFLY_TRY(instance(
          attributes.implements ? arena_.text(*attributes.implements) : std::string_view(name),
          type.type(), is_inline));
      break;
    }
    case Sort::kFunc:
      item.what = MAYFLY_TRY(function(name, type.type(), types));
      break;
    case Sort::kType: {
      // What a world exports as a type is there for its functions; WIT has it as an import.
      Owner owner;
      owner.world = world;
      const TypeId made = MAYFLY_TRY(declare(name, type.type(), owner));
      types.emplace(name, made);
      item.what = made;
      if (is_export) return unsupported("type `" + name + "` is exported by itself");
      break;
    }
    default:
      return unsupported("`" + name + "` is a " + std::string(to_string(type.sort)) +
                         ", which WIT cannot say");
  }
  auto& items = is_export ? model_[world].exports : model_[world].imports;
  items.push_back(std::move(item));
  return {};
}

Result<Decoded> WitDecoder::world() {
  Package package;
  package.name = {"root", "component", ""};
  const PackageId root = model_.add(std::move(package));
  World made;
  made.name = "root";
  made.package = root;
  const WorldId world = model_.add(std::move(made));
  model_[root].worlds.push_back(world);
  std::map<std::string, TypeId> types;
  for (const ImportDef& import : component_.root().imports) {
    MAYFLY_TRY(world_item(world, false, text(import.name), import.type, import.attributes, types));
  }
  for (const ExportDef& item : component_.root().exports) {
    MAYFLY_TRY(world_item(world, true, text(item.name), item.type, item.attributes, types));
  }
  return Decoded{std::move(model_), root, false};
}

Result<void> WitDecoder::declared_world(const std::string& name, TypeId type) {
  const ExternName parsed = MAYFLY_TRY(parse_interface_name(name));
  const PackageId package = package_of(parsed);
  World made;
  made.name = parsed.label;
  made.package = package;
  const WorldId world = model_.add(std::move(made));
  model_[package].worlds.push_back(world);
  std::map<std::string, TypeId> types;
  const ComponentType& contents = arena_.component(type);
  for (const Declaration& item : contents.imports.items()) {
    MAYFLY_TRY(world_item(world, false, text(item.name), item.type, {}, types));
  }
  for (const Declaration& item : contents.exports.items()) {
    MAYFLY_TRY(world_item(world, true, text(item.name), item.type, {}, types));
  }
  return {};
}

Result<void> WitDecoder::package_item(const std::string& name, TypeId type) {
  const ComponentType& wrapper = arena_.component(type);
  if (wrapper.exports.size() != 1) {
    return invalid("type `" + name + "` is not formed as an interface or world of a WIT package");
  }
  for (const Declaration& import : wrapper.imports.items()) {
    if (import.type.sort != Sort::kInstance) {
      return invalid("type `" + name + "` of a WIT package imports what is no interface");
    }
    MAYFLY_TRY(instance(arena_.text(import.name), import.type.type(), false));
  }
  const Declaration& item = wrapper.exports.items()[0];
  if (item.type.sort == Sort::kInstance) {
    MAYFLY_TRY(instance(arena_.text(item.name), item.type.type(), false));
    return {};
  }
  if (item.type.sort == Sort::kComponent) {
    return declared_world(text(item.name), item.type.type());
  }
  return invalid("type `" + name + "` is not formed as an interface or world of a WIT package");
}

Result<Decoded> WitDecoder::package() {
  for (const ExportDef& item : component_.root().exports) {
    MAYFLY_TRY(package_item(text(item.name), item.type.type()));
  }
  // The name of the package is in the name of what its first type exports.
  const ExportDef& first = component_.root().exports.front();
  const Declaration& inner = arena_.component(first.type.type()).exports.items()[0];
  const ExternName name = MAYFLY_TRY(parse_interface_name(arena_.text(inner.name)));
  const PackageId root = package_of(name);
  return Decoded{std::move(model_), root, true};
}

}  // namespace

bool is_package(const Component& component) {
  const ComponentDef& root = component.root();
  if (!root.imports.empty() || root.exports.empty() || !root.steps.empty()) return false;
  for (const ExportDef& item : root.exports) {
    if (item.type.sort != Sort::kType) return false;
    const TypeId type = item.type.type();
    if (component.types.kind(type) != TypeKind::kComponent) return false;
    const ComponentType& wrapper = component.types.component(type);
    if (wrapper.exports.size() != 1) return false;
  }
  return true;
}

Result<Decoded> decode_component(const Component& component) {
  WitDecoder decoder(component);
  return is_package(component) ? decoder.package() : decoder.world();
}

}  // namespace mayfly::component::wit
