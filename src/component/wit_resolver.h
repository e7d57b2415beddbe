// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resolver: from parsed files to a Model (WIT.md #name-resolution). Packages are resolved in the
// order in which they need each other, interfaces and types too; what needs itself is an error.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "component/wit_ast.h"
#include "component/wit_model.h"
#include "component/wit_source.h"

namespace mayfly::component::wit {

// Files that make up one package together, such as those of a folder. Each may have other packages
// nested in it.
struct SourceGroup {
  std::vector<uint32_t> files;  // numbers in the list of all files
};

struct Resolved {
  Model model;
  PackageId root{};  // the package of the first group
};

// Errors: kInvalid, "PATH:LINE:COLUMN: ...".
Result<Resolved> resolve(const std::vector<SourceFile>& files,
                         const std::vector<SourceGroup>& groups, const WitLimits& limits = {});

class Resolver {
 public:
  Resolver(const std::vector<SourceFile>& files, const WitLimits& limits)
      : files_(files), limits_(limits) {}
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  Result<Resolved> run(const std::vector<SourceGroup>& groups);

 private:
  // All parts of one package. An interface or world is found by its name, the file's own names for
  // interfaces by the part's number.
  struct PackageParts {
    PackageName name;
    std::vector<const ast::Package*> parts;
    enum class State : uint8_t { kNew, kActive, kDone };
    State state = State::kNew;
    PackageId id{};
  };
  enum class State : uint8_t { kNew, kActive, kDone };
  struct InterfaceEntry {
    const ast::Interface* ast = nullptr;
    const ast::Package* part = nullptr;
    InterfaceId id{};
    State state = State::kNew;
  };
  struct WorldEntry {
    const ast::World* ast = nullptr;
    const ast::Package* part = nullptr;
    WorldId id{};
    State state = State::kNew;
  };
  // What names mean inside an interface or a world.
  struct Scope {
    PackageId package{};
    const ast::Package* part = nullptr;
    Owner owner;
    struct Name {
      const ast::TypeItem* item = nullptr;  // a definition that is perhaps not resolved yet
      std::optional<TypeId> type;
      State state = State::kNew;
      Position at;
    };
    std::map<std::string, Name> types;
    std::set<std::string> functions;
    uint32_t depth = 0;  // of definitions that are being resolved
  };

  // wit_resolver.cc: packages
  Result<void> parse(const std::vector<SourceGroup>& groups);
  Result<PackageParts*> add_part(const ast::Package& part, const PackageName& name);
  Result<void> declare(PackageParts& package);
  Result<void> resolve_package(PackageParts& package);
  Result<std::vector<PackageParts*>> needed_packages(const PackageParts& package);
  Result<void> order_packages(PackageParts& first);
  Error error(Position at, const std::string& what) const { return error_at(files_, at, what); }

  // What a path names, seen from a part of a package.
  struct Target {
    PackageId package{};
    std::string name;
  };
  Result<Target> target(const ast::UsePath& path, PackageId from, const ast::Package& part) const;
  Result<InterfaceId> find_interface(const ast::UsePath& path, PackageId from,
                                     const ast::Package& part);

  // wit_resolve_types.cc
  Result<void> resolve_interface(InterfaceEntry& entry, PackageId package);
  Result<void> interface_contents(const ast::Interface& ast, Scope& scope, InterfaceId id);
  Result<void> declare_type(const ast::TypeItem& item, Scope& scope);
  Result<void> use_types(const ast::UseItem& use, Scope& scope, std::vector<TypeId>& made);
  Result<TypeId> define(const std::string& name, Scope& scope, Position at);
  Result<TypeId> define_item(const ast::TypeItem& item, Scope& scope);
  Result<std::vector<Field>> fields(const std::vector<ast::Field>& ast, Scope& scope);
  Result<ValType> type(const ast::TypeExpr& ast, Scope& scope);
  Result<ValType> handle(const ast::TypeExpr& ast, Scope& scope);
  Result<Function> function(const ast::FuncItem& ast, TypeId resource, Scope& scope);
  Result<std::vector<Function>> members(const ast::TypeItem& item, Scope& scope);
  Result<void> add_function(Function function, Position at, Scope& scope,
                            std::vector<Function>& functions);
  bool is_resource(TypeId type) const;

  // wit_resolve_worlds.cc
  // A world, and what it has already: in imports, then in exports.
  struct Building {
    World world;
    std::set<std::string> names[2];  // uniqueness_key
    std::set<InterfaceId> interfaces[2];
    std::set<TypeId> types;
  };
  Result<void> resolve_world(WorldEntry& entry, PackageId package);
  Result<void> world_types(const ast::World& ast, Scope& scope, Building& building);
  Result<void> world_extern(const ast::ExternItem& item, Scope& scope, Building& building);
  Result<void> include(const ast::IncludeItem& item, Scope& scope, Building& building);
  Result<void> add_item(WorldItem item, bool is_export, Position at, Building& building);
  // Imports the interfaces that an interface's types come from, except those in `without`.
  void add_needed(InterfaceId interface, std::vector<WorldItem>& imports,
                  const std::set<InterfaceId>& without, std::set<InterfaceId>& seen,
                  std::set<InterfaceId>& imported);
  void complete_imports(World& world);
  std::vector<InterfaceId> uses_of(InterfaceId interface) const;

  const std::vector<SourceFile>& files_;
  WitLimits limits_;
  Model model_;
  std::vector<ast::File> asts_;
  std::map<PackageName, PackageParts> packages_;
  std::vector<PackageParts*> order_;
  std::map<PackageId, std::map<std::string, InterfaceEntry>> interfaces_;
  std::map<PackageId, std::map<std::string, WorldEntry>> worlds_;
  std::map<const ast::Package*, std::map<std::string, const ast::TopLevelUse*>> aliases_;
  std::map<InterfaceId, std::map<std::string, TypeId>> types_of_;
  PackageParts* root_ = nullptr;
  uint32_t depth_ = 0;  // of interfaces, worlds and packages that wait for each other
};

}  // namespace mayfly::component::wit
