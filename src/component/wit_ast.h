// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// WIT as written: what the parser makes and the resolver reads. Names are not looked up yet.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "component/types.h"
#include "component/wit_model.h"
#include "component/wit_source.h"

namespace mayfly::component::wit::ast {

struct Name {
  std::string text;
  Position at;
};

// `id`, or `ns:pkg/id@version`.
struct UsePath {
  std::optional<PackageName> package;
  Name name;
};

struct TypeExpr {
  // kPrim, kNamed (name), and the kinds with arguments; kBorrow and kOwn have a name.
  TypeKind kind = TypeKind::kPrim;
  Prim prim = Prim::kBool;
  Name name;
  std::vector<std::optional<TypeExpr>> arguments;
  uint32_t length = 0;  // kFixedList
  Position at;
};

struct Meta {
  std::string docs;
  Stability stability;
  std::optional<std::string> external_id;
  Position at;
};

struct Field {
  std::string docs;
  Name name;
  std::optional<TypeExpr> type;
};

struct Func {
  bool is_async = false;
  std::vector<Field> params;
  std::optional<TypeExpr> result;
};

struct FuncItem {
  Meta meta;
  FunctionKind kind = FunctionKind::kFree;
  Name name;  // empty for a constructor
  Func func;
};

struct TypeItem {
  Meta meta;
  TypeKind kind = TypeKind::kNamed;  // kNamed: `type name = alias`
  Name name;
  std::vector<Field> fields;
  std::optional<TypeExpr> alias;
  std::vector<FuncItem> functions;  // kResource
};

struct Renaming {
  Name from;
  Name to;
};

struct UseItem {
  Meta meta;
  UsePath path;
  std::vector<Renaming> names;
};

struct Interface {
  Meta meta;
  Name name;
  std::vector<std::variant<TypeItem, UseItem, FuncItem>> items;
};

struct ExternItem {
  Meta meta;
  bool is_export = false;
  std::optional<Name> label;
  std::variant<UsePath, Func, Interface> what;
};

struct IncludeItem {
  Meta meta;
  UsePath path;
  std::vector<Renaming> with;
};

struct World {
  Meta meta;
  Name name;
  std::vector<std::variant<ExternItem, UseItem, TypeItem, IncludeItem>> items;
};

struct TopLevelUse {
  UsePath path;
  Name as;
};

// One file's part of a package, or a nested package.
struct Package {
  std::optional<PackageName> name;
  std::string docs;
  Position at;
  std::vector<TopLevelUse> uses;
  std::vector<Interface> interfaces;
  std::vector<World> worlds;
};

struct File {
  Package package;
  std::vector<Package> nested;
};

}  // namespace mayfly::component::wit::ast
