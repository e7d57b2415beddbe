// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recursion is bounded by the depth of types, time by the arena's steps and by what is proven.
#include "component/subtype.h"

#include <algorithm>
#include <string>

#include "component/type_difference.h"
#include "wasm/byte_cursor.h"

namespace mayfly::component {
namespace {

std::string quoted(std::string_view name) { return "`" + std::string(name) + "`"; }

Error expected_found(std::string_view expected, std::string_view found) {
  return invalid("expected " + std::string(expected) + ", found " + std::string(found));
}

}  // namespace

Result<void> SubtypeChecker::check(EntityType actual, EntityType expected, uint64_t offset) {
  offset_ = offset;
  auto result = entity(actual, expected);
  if (result || result.error().message.find(" at offset 0x") != std::string::npos) return result;
  return wasm::invalid_at(result.error().message, offset);
}

Result<void> SubtypeChecker::check_open(const DeclarationList& actual,
                                        const DeclarationList& expected,
                                        std::span<const TypeId> bound, Substitution& mapping,
                                        std::string_view missing, uint64_t offset) {
  offset_ = offset;
  auto bindings = declarations(actual, expected, bound, missing);
  if (!bindings) {
    if (bindings.error().message.find(" at offset 0x") != std::string::npos) {
      return std::move(bindings).error();
    }
    return wasm::invalid_at(bindings.error().message, offset);
  }
  for (const auto& [from, to] : bindings->resources) mapping.map(from, to);
  for (const auto& [from, to] : bindings->names) mapping.map(from, to);
  return {};
}

Result<void> SubtypeChecker::entity(EntityType actual, EntityType expected) {
  MAYFLY_TRY(arena_.step(1, offset_));
  if (actual.sort != expected.sort) {
    return expected_found(to_string(expected.sort), to_string(actual.sort));
  }
  switch (expected.sort) {
    case Sort::kCoreModule:
      return core_.check_module_matches(CoreModuleTypeId{actual.code},
                                        CoreModuleTypeId{expected.code}, arena_);
    case Sort::kValue:
      if (arena_.equal(actual.value(), expected.value())) return {};
      return invalid(difference(arena_, actual.value(), expected.value()));
    case Sort::kFunc:
      return func(actual.type(), expected.type());
    case Sort::kType:
      return type(actual.type(), expected.type());
    case Sort::kInstance:
      return instance(actual.type(), expected.type());
    case Sort::kComponent:
      return component(actual.type(), expected.type());
  }
  return {};
}

Result<void> SubtypeChecker::type(TypeId actual, TypeId expected) {
  if (arena_.canonical(actual) == arena_.canonical(expected)) return {};
  const TypeKind found = arena_.kind(actual);
  const TypeKind wanted = arena_.kind(expected);
  if (is_value_kind(found) && is_value_kind(wanted)) {
    if (arena_.equal(ValType::of(actual), ValType::of(expected))) return {};
    return invalid(difference(arena_, ValType::of(actual), ValType::of(expected)));
  }
  if (found != wanted) {
    return expected_found(is_value_kind(wanted) ? "defined type" : to_string(wanted),
                          is_value_kind(found) ? "defined type" : to_string(found));
  }
  switch (wanted) {
    case TypeKind::kResource:
      return invalid("resource types are not the same");
    case TypeKind::kFunc:
      return func(actual, expected);
    case TypeKind::kInstance:
      MAYFLY_TRY(instance(actual, expected));
      return instance(expected, actual);
    default:
      MAYFLY_TRY(component(actual, expected));
      return component(expected, actual);
  }
}

Result<void> SubtypeChecker::func(TypeId actual, TypeId expected) {
  if (arena_.canonical(actual) == arena_.canonical(expected)) return {};
  if (arena_.is_async(actual) != arena_.is_async(expected)) {
    return expected_found(arena_.is_async(expected) ? "an async function" : "a function",
                          arena_.is_async(actual) ? "an async one" : "one that is not async");
  }
  const auto found = arena_.params(actual);
  const auto wanted = arena_.params(expected);
  if (found.size() != wanted.size()) {
    return invalid("expected " + std::to_string(wanted.size()) + " parameters, found " +
                   std::to_string(found.size()));
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (found[i].label != wanted[i].label) {
      return invalid("expected parameter named " + quoted(arena_.text(wanted[i].label)) +
                     ", found " + quoted(arena_.text(found[i].label)));
    }
    if (!arena_.equal(found[i].type, wanted[i].type)) {
      return with_context(
          "type mismatch in function parameter " + quoted(arena_.text(wanted[i].label)),
          invalid(difference(arena_, found[i].type, wanted[i].type)));
    }
  }
  return with_context("type mismatch with result type",
                      invalid(difference(arena_, arena_.result(actual), arena_.result(expected))));
}

Result<void> SubtypeChecker::instance(TypeId actual, TypeId expected) {
  const std::pair pair(arena_.resolve(actual), arena_.resolve(expected));
  if (pair.first == pair.second || proven_.contains(pair)) return {};
  const InstanceType& wanted = arena_.instance(expected);
  MAYFLY_TRY(declarations(arena_.instance(actual).exports, wanted.exports, wanted.bound,
                          "missing expected export"));
  proven_.insert(pair);
  return {};
}

// The expected component's imports are given; instantiate the actual one with them, and its exports
// must do for the expected ones.
Result<void> SubtypeChecker::component(TypeId actual, TypeId expected) {
  const std::pair pair(arena_.resolve(actual), arena_.resolve(expected));
  if (pair.first == pair.second || proven_.contains(pair)) return {};
  const ComponentType& found = arena_.component(actual);
  const ComponentType& wanted = arena_.component(expected);
  const Bindings bindings = MAYFLY_TRY(
      declarations(wanted.imports, found.imports, found.bound_imports, "missing expected import"));
  Substitution arguments(arena_, offset_);
  for (const auto& [from, to] : bindings.resources) arguments.map(from, to);
  const DeclarationList exports = MAYFLY_TRY(arguments.apply(found.exports));
  MAYFLY_TRY(
      declarations(exports, wanted.exports, wanted.bound_exports, "missing expected export"));
  proven_.insert(pair);
  return {};
}

Result<SubtypeChecker::Bindings> SubtypeChecker::declarations(const DeclarationList& actual,
                                                              const DeclarationList& expected,
                                                              std::span<const TypeId> bound,
                                                              std::string_view missing) {
  Bindings bindings;
  MAYFLY_TRY(bind(actual, expected, bound, bindings));
  Substitution mapping(arena_, offset_);
  for (const auto& [from, to] : bindings.resources) mapping.map(from, to);
  for (const Declaration& item : expected.items()) {
    const EntityType* found = actual.find(item.name);
    if (found == nullptr) {
      return invalid(std::string(missing) + " " + quoted(arena_.text(item.name)));
    }
    const EntityType wanted = MAYFLY_TRY(mapping.apply(item.type));
    auto matched = entity(*found, wanted);
    if (!matched) {
      return with_context("type mismatch in " + quoted(arena_.text(item.name)),
                          std::move(matched).error());
    }
  }
  return bindings;
}

// What cannot be bound is left: the comparison that follows says what is wrong with it.
Result<void> SubtypeChecker::bind(const DeclarationList& actual, const DeclarationList& expected,
                                  std::span<const TypeId> bound, Bindings& bindings) {
  MAYFLY_TRY(arena_.step(expected.size(), offset_));
  for (const Declaration& item : expected.items()) {
    const EntityType* found = actual.find(item.name);
    if (found == nullptr || found->sort != item.type.sort) continue;
    if (item.type.sort == Sort::kType) {
      bind_type(found->type(), item.type.type(), bound, bindings);
    } else if (item.type.sort == Sort::kInstance &&
               bindings.seen.emplace(found->type(), item.type.type()).second) {
      MAYFLY_TRY(bind(arena_.instance(found->type()).exports,
                      arena_.instance(item.type.type()).exports, bound, bindings));
    }
  }
  return {};
}

void SubtypeChecker::bind_type(TypeId actual, TypeId expected, std::span<const TypeId> bound,
                               Bindings& bindings) {
  const TypeKind kind = arena_.kind(expected);
  const bool is_like = is_value_kind(kind) ? arena_.is_value(actual) : arena_.kind(actual) == kind;
  if (!is_like) return;
  if (arena_.is_named(expected)) bindings.names.emplace_back(expected, actual);
  const TypeId resource = arena_.resolve(expected);
  if (kind == TypeKind::kResource && std::ranges::binary_search(bound, resource)) {
    bindings.resources.emplace_back(resource, actual);
  }
}

}  // namespace mayfly::component
