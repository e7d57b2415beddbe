// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Model: WIT packages with all names looked up. The parser's resolver and the decoder of components
// make it; the printer and the encoder read it.
//
// Types, interfaces, worlds and packages are numbered; what refers to them has their number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "component/types.h"

namespace mayfly::component::wit {

enum class InterfaceId : uint32_t {};
enum class WorldId : uint32_t {};
enum class PackageId : uint32_t {};

struct PackageName {
  std::string ns;
  std::string name;
  std::string version;  // empty when there is none
  bool operator==(const PackageName&) const = default;
  auto operator<=>(const PackageName&) const = default;
};
std::string to_string(const PackageName& name);  // "ns:name@version"

// WIT.md #feature-gates
struct Stability {
  std::string since;       // a version, or empty
  std::string deprecated;  // a version, or empty
  std::string unstable;    // a feature, or empty
  bool empty() const { return since.empty() && deprecated.empty() && unstable.empty(); }
};

// Of a type, function, interface or world.
struct Notes {
  std::string docs;  // lines without slashes, with '\n' between them
  Stability stability;
  std::optional<std::string> external_id;
};

// What a type belongs to: it is named there. An anonymous type belongs to nothing.
struct Owner {
  std::optional<InterfaceId> interface;
  std::optional<WorldId> world;
  bool operator==(const Owner&) const = default;
};

struct Field {
  std::string name;
  ValType type;  // may not exist; its TypeIds are numbers of Model::types
  std::string docs;
};

struct Type {
  std::string name;  // empty: anonymous
  // kPrim and kNamed: another name for fields[0].type. Anonymous kOwn and kBorrow have a resource
  // in fields[0]; kList and so on their arguments.
  TypeKind kind = TypeKind::kPrim;
  std::vector<Field> fields;
  uint32_t length = 0;  // kFixedList
  Owner owner;
  Notes notes;
};

enum class FunctionKind : uint8_t { kFree, kMethod, kStatic, kConstructor };

struct Function {
  std::string name;  // of a member: without the resource's
  FunctionKind kind = FunctionKind::kFree;
  TypeId resource{kNoIndex};  // of a member
  bool is_async = false;
  std::vector<Field> params;  // a method's: with self
  ValType result;             // may not exist
  Notes notes;
};

struct Interface {
  std::string name;  // empty: written inside a world
  std::optional<PackageId> package;
  std::vector<TypeId> types;  // named ones, in their order
  std::vector<Function> functions;
  Notes notes;
};

struct WorldItem {
  std::string name;  // empty: an interface by its own name
  std::variant<InterfaceId, TypeId, Function> what;
  Notes notes;
};

struct World {
  std::string name;
  std::optional<PackageId> package;
  std::vector<WorldItem> imports;  // types are here, also those that the world defines itself
  std::vector<WorldItem> exports;
  Notes notes;
};

struct Package {
  PackageName name;
  std::string docs;
  std::vector<InterfaceId> interfaces;
  std::vector<WorldId> worlds;
};

struct Model {
  std::vector<Type> types;
  std::vector<Interface> interfaces;
  std::vector<World> worlds;
  std::vector<Package> packages;  // dependencies before what needs them

  Type& operator[](TypeId id) { return types[static_cast<size_t>(id)]; }
  const Type& operator[](TypeId id) const { return types[static_cast<size_t>(id)]; }
  Interface& operator[](InterfaceId id) { return interfaces[static_cast<size_t>(id)]; }
  const Interface& operator[](InterfaceId id) const { return interfaces[static_cast<size_t>(id)]; }
  World& operator[](WorldId id) { return worlds[static_cast<size_t>(id)]; }
  const World& operator[](WorldId id) const { return worlds[static_cast<size_t>(id)]; }
  Package& operator[](PackageId id) { return packages[static_cast<size_t>(id)]; }
  const Package& operator[](PackageId id) const { return packages[static_cast<size_t>(id)]; }

  TypeId add(Type type);
  InterfaceId add(Interface interface);
  WorldId add(World world);
  PackageId add(Package package);

  std::optional<PackageId> find_package(const PackageName& name) const;
  std::optional<InterfaceId> find_interface(PackageId package, std::string_view name) const;
  std::optional<WorldId> find_world(PackageId package, std::string_view name) const;
  // "ns:pkg/iface@version", or the plain name of one without package.
  std::string qualified_name(InterfaceId id) const;
  std::string qualified_name(WorldId id) const;
  // The name that a function is imported or exported by: "[method]file.read".
  std::string extern_name(const Function& function) const;
  // Through names and uses to the definition.
  TypeId definition(TypeId type) const;
};

}  // namespace mayfly::component::wit
