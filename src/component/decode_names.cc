// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the names of imports and exports demand of their types, and of each other
// (Explainer.md #name-uniqueness, Binary.md #import-and-export-definitions).
#include "component/decoder.h"
#include "component/names.h"

namespace mayfly::component {

Result<void> Decoder::check_resource_name(TypeId resource, std::string_view name,
                                          const ScopeNames& names, uint64_t offset) {
  const auto found = names.resources.find(resource);
  if (found == names.resources.end()) {
    return invalid_at("resource used in function does not have a name in this context", offset);
  }
  if (types().text(found->second) == name) return {};
  return invalid_at("function `" + std::string(name) + "` does not match expected resource name `" +
                        text(found->second) + "`",
                    offset);
}

Result<void> Decoder::check_constructor(std::string_view label, EntityType type,
                                        const ScopeNames& names, uint64_t offset) {
  const auto kind = [&](ValType value) {
    return value.is_node() ? types().kind(value.type()) : TypeKind::kPrim;
  };
  ValType result = types().result(type.type());
  if (result.exists() && kind(result) == TypeKind::kResult) {
    result = types().members(result.type())[0].type;
  }
  if (!result.exists() || kind(result) != TypeKind::kOwn) {
    return invalid_at("function should return `(own $T)` or `(result (own $T))`", offset);
  }
  return check_resource_name(types().resource(result.type()), label, names, offset);
}

Result<void> Decoder::check_method(std::string_view label, EntityType type, const ScopeNames& names,
                                   uint64_t offset) {
  const auto params = types().params(type.type());
  if (params.empty()) return invalid_at("function should have at least one argument", offset);
  if (types().text(params[0].label) != "self") {
    return invalid_at("function should have a first argument called `self`", offset);
  }
  const ValType self = params[0].type;
  if (!self.is_node() || types().kind(self.type()) != TypeKind::kBorrow) {
    return invalid_at("function should take a first argument of `(borrow $T)`", offset);
  }
  return check_resource_name(types().resource(self.type()), label, names, offset);
}

Result<void> Decoder::check_name(Direction direction, StringId name, EntityType type,
                                 ScopeNames& names, uint64_t offset) {
  using Kind = ExternName::Kind;
  const std::string_view what = direction == Direction::kImport ? "import" : "export";
  const auto [previous, is_new] = names.by_key.emplace(uniqueness_key(types().text(name)), name);
  if (!is_new) {
    return invalid_at(std::string(what) + " name `" + text(name) +
                          "` conflicts with previous name `" + text(previous->second) + "`",
                      offset);
  }
  const ExternName parsed = MAYFLY_TRY(parse_extern_name(types().text(name), name_rules()));
  const bool is_annotated = parsed.kind == Kind::kConstructor || parsed.kind == Kind::kMethod ||
                            parsed.kind == Kind::kStatic;
  if (!is_annotated) return {};
  if (type.sort != Sort::kFunc) return invalid_at("`" + text(name) + "` is not a func", offset);
  if (parsed.kind == Kind::kConstructor) {
    return check_constructor(parsed.label, type, names, offset);
  }
  if (parsed.kind == Kind::kMethod) return check_method(parsed.label, type, names, offset);
  if (names.resource_by_name.contains(types().intern(parsed.label))) return {};
  return invalid_at("static resource name is not known in this context", offset);
}

}  // namespace mayfly::component
