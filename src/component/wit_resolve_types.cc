// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Interfaces, types and functions. A type is resolved when it is needed, so that its number is
// larger than those of the types in it.
#include <algorithm>
#include <utility>

#include "component/names.h"
#include "component/wit_resolver.h"

namespace mayfly::component::wit {
namespace {

Notes notes_of(const ast::Meta& meta) { return {meta.docs, meta.stability, meta.external_id}; }

bool is_key(Prim prim) {
  return prim != Prim::kF32 && prim != Prim::kF64 && prim != Prim::kErrorContext;
}

}  // namespace

bool Resolver::is_resource(TypeId type) const {
  return model_[model_.definition(type)].kind == TypeKind::kResource;
}

Result<void> Resolver::declare_type(const ast::TypeItem& item, Scope& scope) {
  Scope::Name name;
  name.item = &item;
  name.at = item.name.at;
  if (!scope.types.emplace(item.name.text, name).second) {
    return error(item.name.at, "`" + item.name.text + "` is defined twice");
  }
  return {};
}

Result<void> Resolver::use_types(const ast::UseItem& use, Scope& scope, std::vector<TypeId>& made) {
  const InterfaceId from = MAYFLY_TRY(find_interface(use.path, scope.package, *scope.part));
  for (const ast::Renaming& renaming : use.names) {
    const auto& types = types_of_[from];
    const auto found = types.find(renaming.from.text);
    if (found == types.end()) {
      return error(renaming.from.at, "type `" + renaming.from.text +
                                         "` is not defined in interface `" +
                                         model_.qualified_name(from) + "`");
    }
    Type type;
    type.name = renaming.to.text;
    type.kind = TypeKind::kNamed;
    type.fields.push_back({"", ValType::of(found->second), ""});
    type.owner = scope.owner;
    type.notes = notes_of(use.meta);
    Scope::Name name;
    name.type = model_.add(std::move(type));
    name.state = State::kDone;
    name.at = renaming.to.at;
    made.push_back(*name.type);
    if (!scope.types.emplace(renaming.to.text, name).second) {
      return error(renaming.to.at, "`" + renaming.to.text + "` is defined twice");
    }
  }
  return {};
}

Result<TypeId> Resolver::define(const std::string& name, Scope& scope, Position at) {
  const auto found = scope.types.find(name);
  if (found == scope.types.end()) return error(at, "type `" + name + "` is not defined");
  Scope::Name& entry = found->second;
  if (entry.type) return *entry.type;
  if (entry.state == State::kActive) return error(at, "type `" + name + "` refers to itself");
  if (++scope.depth > limits_.reference_depth_max) {
    return error(at, "too many types wait for later ones");
  }
  entry.state = State::kActive;
  entry.type = MAYFLY_TRY(define_item(*entry.item, scope));
  entry.state = State::kDone;
  --scope.depth;
  return *entry.type;
}

Result<std::vector<Field>> Resolver::fields(const std::vector<ast::Field>& ast, Scope& scope) {
  std::vector<Field> fields;
  std::set<std::string> known;
  for (const ast::Field& field : ast) {
    if (!known.insert(label_key(field.name.text)).second) {
      return error(field.name.at, "`" + field.name.text + "` is there twice");
    }
    Field made{field.name.text, {}, field.docs};
    if (field.type) made.type = MAYFLY_TRY(type(*field.type, scope));
    fields.push_back(std::move(made));
  }
  return fields;
}

Result<TypeId> Resolver::define_item(const ast::TypeItem& item, Scope& scope) {
  Type made;
  made.name = item.name.text;
  made.kind = item.kind;
  made.owner = scope.owner;
  made.notes = notes_of(item.meta);
  if (item.kind != TypeKind::kNamed) {
    made.fields = MAYFLY_TRY(fields(item.fields, scope));
    return model_.add(std::move(made));
  }
  if (item.alias->kind == TypeKind::kNamed) {
    const TypeId target = MAYFLY_TRY(define(item.alias->name.text, scope, item.alias->at));
    made.fields.push_back({"", ValType::of(target), ""});
    return model_.add(std::move(made));
  }
  const ValType alias = MAYFLY_TRY(type(*item.alias, scope));
  if (alias.is_prim()) {
    made.kind = TypeKind::kPrim;
    made.fields.push_back({"", alias, ""});
    return model_.add(std::move(made));
  }
  // The anonymous type that was just made gets the name.
  Type& anonymous = model_[alias.type()];
  made.kind = anonymous.kind;
  made.fields = std::move(anonymous.fields);
  made.length = anonymous.length;
  anonymous = std::move(made);
  return alias.type();
}

Result<ValType> Resolver::handle(const ast::TypeExpr& ast, Scope& scope) {
  const TypeId resource = MAYFLY_TRY(define(ast.name.text, scope, ast.at));
  if (!is_resource(resource)) {
    return error(ast.at, "type `" + ast.name.text + "` is not a resource");
  }
  Type type;
  type.kind = ast.kind;
  type.fields.push_back({"", ValType::of(resource), ""});
  return ValType::of(model_.add(std::move(type)));
}

Result<ValType> Resolver::type(const ast::TypeExpr& ast, Scope& scope) {
  if (ast.kind == TypeKind::kPrim) return ValType::of(ast.prim);
  if (ast.kind == TypeKind::kBorrow || ast.kind == TypeKind::kOwn) return handle(ast, scope);
  if (ast.kind == TypeKind::kNamed) {
    const TypeId named = MAYFLY_TRY(define(ast.name.text, scope, ast.at));
    if (!is_resource(named)) return ValType::of(named);
    Type own;
    own.kind = TypeKind::kOwn;
    own.fields.push_back({"", ValType::of(named), ""});
    return ValType::of(model_.add(std::move(own)));
  }
  Type made;
  made.kind = ast.kind;
  made.length = ast.length;
  for (const auto& argument : ast.arguments) {
    made.fields.push_back({"", argument ? MAYFLY_TRY(type(*argument, scope)) : ValType(), ""});
  }
  if (ast.kind == TypeKind::kResult) made.fields.resize(2);
  if (ast.kind == TypeKind::kMap) {
    ValType key = made.fields[0].type;
    while (key.is_node() && (model_[key.type()].kind == TypeKind::kPrim ||
                             model_[key.type()].kind == TypeKind::kNamed)) {
      key = model_[key.type()].fields[0].type;
    }
    if (!key.is_prim() || !is_key(key.prim())) {
      return error(ast.at, "a map cannot have keys of this type");
    }
  }
  return ValType::of(model_.add(std::move(made)));
}

Result<Function> Resolver::function(const ast::FuncItem& ast, TypeId resource, Scope& scope) {
  Function function;
  function.name = ast.name.text;
  function.kind = ast.kind;
  function.resource = resource;
  function.is_async = ast.func.is_async;
  function.notes = notes_of(ast.meta);
  if (ast.kind == FunctionKind::kMethod) {
    Type self;
    self.kind = TypeKind::kBorrow;
    self.fields.push_back({"", ValType::of(resource), ""});
    function.params.push_back({"self", ValType::of(model_.add(std::move(self))), ""});
  }
  for (Field& param : MAYFLY_TRY(fields(ast.func.params, scope))) {
    if (param.name == "self" && ast.kind == FunctionKind::kMethod) {
      return error(ast.name.at, "a method has a parameter `self` already");
    }
    function.params.push_back(std::move(param));
  }
  if (ast.func.result) function.result = MAYFLY_TRY(type(*ast.func.result, scope));
  if (ast.kind != FunctionKind::kConstructor) return function;
  const auto is_own = [&](ValType value) {
    return value.is_node() && model_[value.type()].kind == TypeKind::kOwn &&
           model_[value.type()].fields[0].type == ValType::of(resource);
  };
  if (ast.func.result) {
    const bool is_fallible = function.result.is_node() &&
                             model_[function.result.type()].kind == TypeKind::kResult &&
                             is_own(model_[function.result.type()].fields[0].type);
    if (is_fallible || is_own(function.result)) return function;
    return error(ast.func.result->at, "a constructor returns its resource, or a result of it");
  }
  Type own;
  own.kind = TypeKind::kOwn;
  own.fields.push_back({"", ValType::of(resource), ""});
  function.result = ValType::of(model_.add(std::move(own)));
  return function;
}

Result<void> Resolver::add_function(Function function, Position at, Scope& scope,
                                    std::vector<Function>& functions) {
  const std::string name = model_.extern_name(function);
  const bool is_new = scope.functions.insert(uniqueness_key(name)).second;
  const bool is_type = function.kind == FunctionKind::kFree && scope.types.contains(function.name);
  if (!is_new || is_type) return error(at, "`" + name + "` is defined twice");
  functions.push_back(std::move(function));
  return {};
}

Result<std::vector<Function>> Resolver::members(const ast::TypeItem& item, Scope& scope) {
  std::vector<Function> functions;
  const TypeId resource = MAYFLY_TRY(define(item.name.text, scope, item.name.at));
  for (const ast::FuncItem& member : item.functions) {
    Function made = MAYFLY_TRY(function(member, resource, scope));
    MAYFLY_TRY(add_function(std::move(made), member.name.at, scope, functions));
  }
  return functions;
}

Result<void> Resolver::interface_contents(const ast::Interface& ast, Scope& scope, InterfaceId id) {
  std::vector<TypeId> used;
  for (const auto& item : ast.items) {
    if (const auto* type = std::get_if<ast::TypeItem>(&item)) {
      MAYFLY_TRY(declare_type(*type, scope));
    }
  }
  for (const auto& item : ast.items) {
    if (const auto* use = std::get_if<ast::UseItem>(&item)) {
      MAYFLY_TRY(use_types(*use, scope, used));
    }
  }
  std::vector<TypeId> types;
  for (const auto& item : ast.items) {
    if (const auto* type = std::get_if<ast::TypeItem>(&item)) {
      types.push_back(MAYFLY_TRY(define(type->name.text, scope, type->name.at)));
    }
  }
  // In the order in which they were made: what a type needs comes before it.
  std::ranges::sort(types);
  std::vector<Function> functions;
  for (const auto& item : ast.items) {
    if (const auto* type = std::get_if<ast::TypeItem>(&item)) {
      for (Function& function : MAYFLY_TRY(members(*type, scope))) {
        functions.push_back(std::move(function));
      }
    } else if (const auto* func = std::get_if<ast::FuncItem>(&item)) {
      Function made = MAYFLY_TRY(function(*func, TypeId{kNoIndex}, scope));
      MAYFLY_TRY(add_function(std::move(made), func->name.at, scope, functions));
    }
  }
  used.insert(used.end(), types.begin(), types.end());
  for (const TypeId type : used) types_of_[id].emplace(model_[type].name, type);
  model_[id].types = std::move(used);
  model_[id].functions = std::move(functions);
  model_[id].notes = notes_of(ast.meta);
  return {};
}

Result<void> Resolver::resolve_interface(InterfaceEntry& entry, PackageId package) {
  entry.state = State::kActive;
  Scope scope;
  scope.package = package;
  scope.part = entry.part;
  scope.owner.interface = entry.id;
  MAYFLY_TRY(interface_contents(*entry.ast, scope, entry.id));
  entry.state = State::kDone;
  return {};
}

}  // namespace mayfly::component::wit
