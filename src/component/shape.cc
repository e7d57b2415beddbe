// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A walk over both, which a type's depth ends (TypeArena, invariant 3). Shapes are as large as the
// C++ types that the embedder wrote.
#include "component/shape.h"

#include <algorithm>
#include <array>

#include "component/type_text.h"
#include "component/value_parts.h"

namespace mayfly::component {
namespace {

struct Matcher {
  const TypeArena& types;
  const IsResource& is_resource;

  bool has_shape(ValType type, const ComponentShape* shape) const;
  bool has_parts(TypeId node, const ComponentShape& shape) const;
};

bool has_names(const TypeArena& types, std::span<const Member> members,
               std::span<const std::string_view> names) {
  if (names.empty()) return true;
  return std::ranges::equal(members, names, [&](const Member& member, std::string_view name) {
    return types.text(member.label) == name;
  });
}

bool Matcher::has_parts(TypeId node, const ComponentShape& shape) const {
  const auto members = types.members(node);
  switch (types.kind(node)) {
    case TypeKind::kEnum:
    case TypeKind::kFlags:
      return has_names(types, members, shape.names);
    case TypeKind::kFixedList:
      if (shape.length != types.extra(node)) return false;
      break;
    case TypeKind::kOwn:
    case TypeKind::kBorrow:
      return is_resource && is_resource(types.resolve(types.resource(node)), shape);
    case TypeKind::kMap:
      return false;
    default:
      if (shape.length != 0) return false;
  }
  if (members.size() != shape.parts.size() || !has_names(types, members, shape.names)) return false;
  for (size_t i = 0; i < members.size(); ++i) {
    if (!has_shape(members[i].type, shape.parts[i])) return false;
  }
  return true;
}

bool Matcher::has_shape(ValType type, const ComponentShape* shape) const {
  if (!type.exists() || shape == nullptr) return !type.exists() && shape == nullptr;
  type = types.canonical(type);
  if (kind_of(types, type) != shape->kind) return false;
  return type.is_prim() || has_parts(type.type(), *shape);
}

class Writer {
 public:
  void write(const ComponentShape* shape) {
    if (is_full()) return;
    if (shape == nullptr) {
      text_ += '_';
      return;
    }
    switch (shape->kind) {
      case ComponentKind::kRecord:
      case ComponentKind::kVariant:
      case ComponentKind::kEnum:
      case ComponentKind::kFlags:
        return write_members(*shape);
      default:
        text_ += to_string(shape->kind);
        return write_parts(*shape);
    }
  }
  void write(const ComponentSignature& signature) {
    text_ += "func(";
    write_list(signature.params);
    text_ += ')';
    if (signature.result == nullptr) return;
    text_ += " -> ";
    write(signature.result);
  }
  std::string take() {
    if (is_full()) text_.replace(kTypeTextMax, std::string::npos, "...");
    return std::move(text_);
  }

 private:
  bool is_full() const { return text_.size() > kTypeTextMax; }

  void write_list(std::span<const ComponentShape* const> parts) {
    for (size_t i = 0; i < parts.size() && !is_full(); ++i) {
      if (i != 0) text_ += ", ";
      write(parts[i]);
    }
  }
  // "result<_, string>"
  void write_parts(const ComponentShape& shape) {
    auto parts = shape.parts;
    while (shape.kind == ComponentKind::kResult && !parts.empty() && parts.back() == nullptr) {
      parts = parts.first(parts.size() - 1);
    }
    if (parts.empty()) return;
    text_ += '<';
    write_list(parts);
    if (shape.length != 0) text_ += ", " + std::to_string(shape.length);
    text_ += '>';
  }
  void write_members(const ComponentShape& shape) {
    const bool are_cases = shape.kind == ComponentKind::kVariant;
    text_ += to_string(shape.kind);
    text_ += " { ";
    for (size_t i = 0; i < std::max(shape.names.size(), shape.parts.size()) && !is_full(); ++i) {
      if (i != 0) text_ += ", ";
      text_ += shape.names.empty() ? "_" : shape.names[i];
      if (shape.parts.empty() || shape.parts[i] == nullptr) continue;
      text_ += are_cases ? "(" : ": ";
      write(shape.parts[i]);
      if (are_cases) text_ += ')';
    }
    text_ += " }";
  }

  std::string text_;
};

}  // namespace

bool has_signature(const TypeArena& types, TypeId func, const ComponentSignature& signature,
                   const IsResource& is_resource) {
  const Matcher matcher{types, is_resource};
  const auto params = types.params(func);
  if (params.size() != signature.params.size()) return false;
  for (size_t i = 0; i < params.size(); ++i) {
    if (!matcher.has_shape(params[i].type, signature.params[i])) return false;
  }
  return matcher.has_shape(types.result(func), signature.result);
}

}  // namespace mayfly::component

namespace mayfly {

std::string to_string(const ComponentSignature& signature) {
  component::Writer writer;
  writer.write(signature);
  return writer.take();
}

}  // namespace mayfly
