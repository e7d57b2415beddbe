// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packages: their parts, their order, and what paths name.
#include "component/wit_resolver.h"

#include <algorithm>
#include <utility>

#include "component/names.h"
#include "component/wit_parser.h"

namespace mayfly::component::wit {

Result<Resolved> resolve(const std::vector<SourceFile>& files,
                         const std::vector<SourceGroup>& groups, const WitLimits& limits) {
  return Resolver(files, limits).run(groups);
}

Result<Resolver::PackageParts*> Resolver::add_part(const ast::Package& part,
                                                   const PackageName& name) {
  PackageParts& package = packages_[name];
  package.name = name;
  package.parts.push_back(&part);
  return &package;
}

Result<void> Resolver::parse(const std::vector<SourceGroup>& groups) {
  asts_.reserve(files_.size());
  std::vector<size_t> numbers(files_.size(), SIZE_MAX);
  for (const SourceGroup& group : groups) {
    for (const uint32_t file : group.files) {
      numbers[file] = asts_.size();
      asts_.push_back(MAYFLY_TRY(parse_file(files_, file, limits_)));
    }
  }
  for (const SourceGroup& group : groups) {
    std::optional<PackageName> name;
    for (const uint32_t file : group.files) {
      const ast::Package& part = asts_[numbers[file]].package;
      if (!part.name) continue;
      if (name && *name != *part.name) {
        return error(part.at, "package `" + to_string(*part.name) + "` in the place of `" +
                                  to_string(*name) + "`");
      }
      name = part.name;
    }
    std::set<PackageName> nested_here;
    for (const uint32_t file : group.files) {
      const ast::File& ast = asts_[numbers[file]];
      const ast::Package& part = ast.package;
      const bool has_items = !part.interfaces.empty() || !part.worlds.empty();
      if (!name && has_items) return error(part.at, "the package has no name");
      for (const ast::Package& nested : ast.nested) {
        // A package that comes twice must have the same contents: the first one counts.
        if (packages_.contains(*nested.name) && !nested_here.contains(*nested.name)) continue;
        nested_here.insert(*nested.name);
        MAYFLY_TRY(add_part(nested, *nested.name));
      }
    }
    if (!name) continue;
    const bool is_known = packages_.contains(*name) && !nested_here.contains(*name);
    if (is_known) continue;
    for (const uint32_t file : group.files) {
      PackageParts* package = MAYFLY_TRY(add_part(asts_[numbers[file]].package, *name));
      if (root_ == nullptr) root_ = package;
    }
  }
  if (root_ != nullptr) return {};
  if (packages_.empty()) return invalid("there is no WIT package");
  root_ = &packages_.begin()->second;
  return {};
}

Result<void> Resolver::declare(PackageParts& package) {
  Package made;
  made.name = package.name;
  package.id = model_.add(std::move(made));
  std::set<std::string> known;
  for (const ast::Package* part : package.parts) {
    if (model_[package.id].docs.empty()) model_[package.id].docs = part->docs;
    for (const ast::Interface& ast : part->interfaces) {
      if (!known.insert(ast.name.text).second) {
        return error(ast.name.at, "`" + ast.name.text + "` is defined twice");
      }
      Interface interface;
      interface.name = ast.name.text;
      interface.package = package.id;
      const InterfaceId id = model_.add(std::move(interface));
      model_[package.id].interfaces.push_back(id);
      interfaces_[package.id][ast.name.text] = {&ast, part, id, State::kNew};
    }
    for (const ast::World& ast : part->worlds) {
      if (!known.insert(ast.name.text).second) {
        return error(ast.name.at, "`" + ast.name.text + "` is defined twice");
      }
      World world;
      world.name = ast.name.text;
      world.package = package.id;
      const WorldId id = model_.add(std::move(world));
      model_[package.id].worlds.push_back(id);
      worlds_[package.id][ast.name.text] = {&ast, part, id, State::kNew};
    }
  }
  return {};
}

namespace {

// Calls `visit` with each path that a part of a package has.
template <typename Visit>
void for_each_path(const ast::Package& part, const Visit& visit) {
  const auto in_interface = [&](const ast::Interface& interface) {
    for (const auto& item : interface.items) {
      if (const auto* use = std::get_if<ast::UseItem>(&item)) visit(use->path);
    }
  };
  for (const ast::TopLevelUse& use : part.uses) visit(use.path);
  for (const ast::Interface& interface : part.interfaces) in_interface(interface);
  for (const ast::World& world : part.worlds) {
    for (const auto& item : world.items) {
      if (const auto* use = std::get_if<ast::UseItem>(&item)) visit(use->path);
      if (const auto* include = std::get_if<ast::IncludeItem>(&item)) visit(include->path);
      const auto* other = std::get_if<ast::ExternItem>(&item);
      if (other == nullptr) continue;
      if (const auto* path = std::get_if<ast::UsePath>(&other->what)) visit(*path);
      if (const auto* inner = std::get_if<ast::Interface>(&other->what)) in_interface(*inner);
    }
  }
}

}  // namespace

Result<std::vector<Resolver::PackageParts*>> Resolver::needed_packages(
    const PackageParts& package) {
  std::vector<PackageParts*> needed;
  const ast::UsePath* missing = nullptr;
  for (const ast::Package* part : package.parts) {
    for_each_path(*part, [&](const ast::UsePath& path) {
      if (!path.package || *path.package == package.name) return;
      const auto found = packages_.find(*path.package);
      if (found != packages_.end()) {
        needed.push_back(&found->second);
      } else if (missing == nullptr) {
        missing = &path;
      }
    });
  }
  if (missing != nullptr) {
    return error(missing->name.at, "package `" + to_string(*missing->package) + "` is not known");
  }
  return needed;
}

Result<void> Resolver::order_packages(PackageParts& first) {
  using State = PackageParts::State;
  if (first.state == State::kDone) return {};
  const Position at = first.parts.front()->at;
  if (first.state == State::kActive) {
    return error(at, "package `" + to_string(first.name) + "` depends on itself");
  }
  if (++depth_ > limits_.reference_depth_max) return error(at, "packages depend too deep");
  first.state = State::kActive;
  for (PackageParts* needed : MAYFLY_TRY(needed_packages(first))) {
    MAYFLY_TRY(order_packages(*needed));
  }
  first.state = State::kDone;
  --depth_;
  order_.push_back(&first);
  return {};
}

Result<Resolver::Target> Resolver::target(const ast::UsePath& path, PackageId from,
                                          const ast::Package& part) const {
  if (path.package) {
    const auto package = packages_.find(*path.package);
    if (package == packages_.end()) {
      return error(path.name.at, "package `" + to_string(*path.package) + "` is not known");
    }
    return Target{package->second.id, path.name.text};
  }
  const auto aliases = aliases_.find(&part);
  if (aliases == aliases_.end()) return Target{from, path.name.text};
  const auto alias = aliases->second.find(path.name.text);
  if (alias != aliases->second.end()) {
    const ast::UsePath& behind = alias->second->path;
    return behind.package ? target(behind, from, part) : Target{from, behind.name.text};
  }
  return Target{from, path.name.text};
}

Result<InterfaceId> Resolver::find_interface(const ast::UsePath& path, PackageId from,
                                             const ast::Package& part) {
  const Target named = MAYFLY_TRY(target(path, from, part));
  auto& known = interfaces_[named.package];
  const auto found = known.find(named.name);
  if (found == known.end()) {
    return error(path.name.at, "interface `" + named.name + "` is not defined in package `" +
                                   to_string(model_[named.package].name) + "`");
  }
  InterfaceEntry& entry = found->second;
  if (entry.state == State::kActive) {
    return error(path.name.at, "interface `" + named.name + "` depends on itself");
  }
  if (entry.state == State::kNew) {
    if (++depth_ > limits_.reference_depth_max) {
      return error(path.name.at, "interfaces depend on each other too deep");
    }
    MAYFLY_TRY(resolve_interface(entry, named.package));
    --depth_;
  }
  return entry.id;
}

Result<void> Resolver::resolve_package(PackageParts& package) {
  for (const ast::Package* part : package.parts) {
    for (const ast::TopLevelUse& use : part->uses) {
      const bool is_new = aliases_[part].emplace(use.as.text, &use).second;
      if (!is_new) return error(use.as.at, "`" + use.as.text + "` is used twice");
    }
    for (const ast::TopLevelUse& use : part->uses) {
      const Target named = MAYFLY_TRY(target(use.path, package.id, *part));
      if (!interfaces_[named.package].contains(named.name) &&
          !worlds_[named.package].contains(named.name)) {
        return error(use.path.name.at, "`" + named.name + "` is not defined");
      }
    }
  }
  for (auto& [name, entry] : interfaces_[package.id]) {
    if (entry.state == State::kNew) MAYFLY_TRY(resolve_interface(entry, package.id));
  }
  for (auto& [name, entry] : worlds_[package.id]) {
    if (entry.state == State::kNew) MAYFLY_TRY(resolve_world(entry, package.id));
  }
  return {};
}

Result<Resolved> Resolver::run(const std::vector<SourceGroup>& groups) {
  MAYFLY_TRY(parse(groups));
  for (auto& [name, package] : packages_) MAYFLY_TRY(order_packages(package));
  for (PackageParts* package : order_) MAYFLY_TRY(declare(*package));
  for (PackageParts* package : order_) MAYFLY_TRY(resolve_package(*package));
  return Resolved{std::move(model_), root_->id};
}

}  // namespace mayfly::component::wit
