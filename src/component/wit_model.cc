// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lookup and names of a model's parts.
#include "component/wit_model.h"

#include <utility>

namespace mayfly::component::wit {
namespace {

std::string qualified(const Package& package, const std::string& name) {
  std::string text = package.name.ns + ":" + package.name.name + "/" + name;
  if (!package.name.version.empty()) text += "@" + package.name.version;
  return text;
}

}  // namespace

std::string to_string(const PackageName& name) {
  return name.ns + ":" + name.name + (name.version.empty() ? "" : "@" + name.version);
}

TypeId Model::add(Type type) {
  types.push_back(std::move(type));
  return TypeId{static_cast<uint32_t>(types.size() - 1)};
}

InterfaceId Model::add(Interface interface) {
  interfaces.push_back(std::move(interface));
  return InterfaceId{static_cast<uint32_t>(interfaces.size() - 1)};
}

WorldId Model::add(World world) {
  worlds.push_back(std::move(world));
  return WorldId{static_cast<uint32_t>(worlds.size() - 1)};
}

PackageId Model::add(Package package) {
  packages.push_back(std::move(package));
  return PackageId{static_cast<uint32_t>(packages.size() - 1)};
}

std::optional<PackageId> Model::find_package(const PackageName& name) const {
  for (size_t i = 0; i < packages.size(); ++i) {
    if (packages[i].name == name) return PackageId{static_cast<uint32_t>(i)};
  }
  return std::nullopt;
}

std::optional<InterfaceId> Model::find_interface(PackageId package, std::string_view name) const {
  for (const InterfaceId id : (*this)[package].interfaces) {
    if ((*this)[id].name == name) return id;
  }
  return std::nullopt;
}

std::optional<WorldId> Model::find_world(PackageId package, std::string_view name) const {
  for (const WorldId id : (*this)[package].worlds) {
    if ((*this)[id].name == name) return id;
  }
  return std::nullopt;
}

std::string Model::qualified_name(InterfaceId id) const {
  const Interface& interface = (*this)[id];
  if (!interface.package || interface.name.empty()) return interface.name;
  return qualified((*this)[*interface.package], interface.name);
}

std::string Model::qualified_name(WorldId id) const {
  const World& world = (*this)[id];
  return world.package ? qualified((*this)[*world.package], world.name) : world.name;
}

std::string Model::extern_name(const Function& function) const {
  switch (function.kind) {
    case FunctionKind::kFree:
      return function.name;
    case FunctionKind::kMethod:
      return "[method]" + (*this)[function.resource].name + "." + function.name;
    case FunctionKind::kStatic:
      return "[static]" + (*this)[function.resource].name + "." + function.name;
    case FunctionKind::kConstructor:
      return "[constructor]" + (*this)[function.resource].name;
  }
  return function.name;
}

TypeId Model::definition(TypeId type) const {
  while ((*this)[type].kind == TypeKind::kNamed) type = (*this)[type].fields[0].type.type();
  return type;
}

}  // namespace mayfly::component::wit
