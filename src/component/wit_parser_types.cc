// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Types and functions.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "component/wit_parser.h"

namespace mayfly::component::wit {
namespace {

constexpr std::array<std::string_view, 6> kTypeItems = {"type", "record",  "flags",
                                                        "enum", "variant", "resource"};

std::optional<Prim> prim_of(std::string_view text) {
  for (uint32_t i = 0; i < kPrimCount; ++i) {
    if (to_string(static_cast<Prim>(i)) == text) return static_cast<Prim>(i);
  }
  return std::nullopt;
}

std::optional<TypeKind> generic_of(std::string_view text) {
  static constexpr std::pair<std::string_view, TypeKind> kKinds[] = {
      {"tuple", TypeKind::kTuple},   {"list", TypeKind::kList},     {"option", TypeKind::kOption},
      {"result", TypeKind::kResult}, {"map", TypeKind::kMap},       {"future", TypeKind::kFuture},
      {"stream", TypeKind::kStream}, {"borrow", TypeKind::kBorrow}, {"own", TypeKind::kOwn}};
  for (const auto& [name, kind] : kKinds) {
    if (name == text) return kind;
  }
  return std::nullopt;
}

std::string docs_of(const Token& token) {
  std::string docs;
  for (const std::string_view line : token.docs) {
    if (!docs.empty()) docs += "\n";
    docs += line;
  }
  return docs;
}

}  // namespace

bool Parser::at_type_item() const {
  return std::ranges::any_of(kTypeItems, [&](std::string_view item) { return at(item); });
}

Result<std::optional<ast::TypeExpr>> Parser::type_argument(uint32_t depth) {
  if (MAYFLY_TRY(accept("_"))) return std::optional<ast::TypeExpr>();
  return std::optional<ast::TypeExpr>(MAYFLY_TRY(type(depth + 1)));
}

Result<void> Parser::type_arguments(ast::TypeExpr& type, uint32_t depth) {
  if (!MAYFLY_TRY(accept("<"))) {
    const bool may_lack = type.kind == TypeKind::kResult || type.kind == TypeKind::kFuture ||
                          type.kind == TypeKind::kStream;
    if (!may_lack) return unexpected("`<`");
    return {};
  }
  if (type.kind == TypeKind::kBorrow || type.kind == TypeKind::kOwn) {
    type.name = MAYFLY_TRY(name("a resource"));
    return expect(">");
  }
  while (!at(">")) {
    if (type.kind == TypeKind::kList && type.arguments.size() == 1 &&
        lexer_.peek().kind == TokenKind::kInteger) {
      const Token length = MAYFLY_TRY(lexer_.take());
      const auto end =
          std::from_chars(length.text.data(), length.text.data() + length.text.size(), type.length);
      if (end.ec != std::errc() || type.length == 0) {
        return lexer_.error(length, "the length of a list is from 1 to 2^32-1");
      }
      type.kind = TypeKind::kFixedList;
      break;
    }
    type.arguments.push_back(MAYFLY_TRY(type_argument(depth)));
    if (!MAYFLY_TRY(accept(","))) break;
  }
  return expect(">");
}

Result<ast::TypeExpr> Parser::type(uint32_t depth) {
  const Token& token = lexer_.peek();
  if (depth > limits_.type_depth_max) {
    return lexer_.error(token, "types nest deeper than " + std::to_string(limits_.type_depth_max));
  }
  if (token.kind != TokenKind::kIdentifier) return unexpected("a type");
  ast::TypeExpr type;
  type.at = lexer_.position_of(token);
  const auto prim = token.is_escaped ? std::nullopt : prim_of(token.text);
  const auto generic = token.is_escaped ? std::nullopt : generic_of(token.text);
  if (prim) {
    type.prim = *prim;
    MAYFLY_TRY(lexer_.take());
    return type;
  }
  if (!generic) {
    type.kind = TypeKind::kNamed;
    type.name = MAYFLY_TRY(name("a type"));
    return type;
  }
  type.kind = *generic;
  const Token taken = MAYFLY_TRY(lexer_.take());
  MAYFLY_TRY(type_arguments(type, depth));
  const size_t count = type.arguments.size();
  const bool all_exist = std::ranges::all_of(
      type.arguments, [](const auto& argument) { return argument.has_value(); });
  bool is_right = false;
  switch (type.kind) {
    case TypeKind::kTuple:
      is_right = count > 0 && all_exist;
      break;
    case TypeKind::kResult:
      is_right = count <= 2 && (count < 2 || type.arguments[1].has_value());
      break;
    case TypeKind::kMap:
      is_right = count == 2 && all_exist;
      break;
    case TypeKind::kFuture:
    case TypeKind::kStream:
      is_right = count <= 1 && all_exist;
      break;
    case TypeKind::kBorrow:
    case TypeKind::kOwn:
      is_right = true;
      break;
    default:
      is_right = count == 1 && all_exist;
      break;
  }
  if (!is_right) {
    return lexer_.error(taken, "wrong arguments for `" + std::string(taken.text) + "`");
  }
  return type;
}

Result<void> Parser::fields(ast::TypeItem& item, bool has_types) {
  MAYFLY_TRY(expect("{"));
  while (!at("}")) {
    MAYFLY_TRY(count_definition());
    ast::Field field;
    field.docs = docs_of(lexer_.peek());
    field.name = MAYFLY_TRY(name("a name"));
    if (has_types) {
      MAYFLY_TRY(expect(":"));
      field.type = MAYFLY_TRY(type(0));
    }
    item.fields.push_back(std::move(field));
    if (!MAYFLY_TRY(accept(","))) break;
  }
  return expect("}");
}

Result<void> Parser::cases(ast::TypeItem& item) {
  MAYFLY_TRY(expect("{"));
  while (!at("}")) {
    MAYFLY_TRY(count_definition());
    ast::Field field;
    field.docs = docs_of(lexer_.peek());
    field.name = MAYFLY_TRY(name("a case"));
    if (MAYFLY_TRY(accept("("))) {
      field.type = MAYFLY_TRY(type(0));
      MAYFLY_TRY(expect(")"));
    }
    item.fields.push_back(std::move(field));
    if (!MAYFLY_TRY(accept(","))) break;
  }
  return expect("}");
}

Result<void> Parser::resource(ast::TypeItem& item) {
  if (MAYFLY_TRY(accept(";"))) return {};
  MAYFLY_TRY(expect("{"));
  while (!at("}")) {
    MAYFLY_TRY(count_definition());
    ast::Meta member = MAYFLY_TRY(meta());
    item.functions.push_back(MAYFLY_TRY(func_item(std::move(member), true)));
  }
  return expect("}");
}

Result<ast::TypeItem> Parser::type_item(ast::Meta meta) {
  ast::TypeItem item;
  item.meta = std::move(meta);
  const Token keyword = MAYFLY_TRY(lexer_.take());
  item.name = MAYFLY_TRY(name("the type's name"));
  if (keyword.text == "type") {
    MAYFLY_TRY(expect("="));
    item.alias = MAYFLY_TRY(type(0));
    MAYFLY_TRY(expect(";"));
    return item;
  }
  if (keyword.text == "resource") {
    item.kind = TypeKind::kResource;
    MAYFLY_TRY(resource(item));
    return item;
  }
  if (keyword.text == "variant") {
    item.kind = TypeKind::kVariant;
    MAYFLY_TRY(cases(item));
  } else {
    item.kind = keyword.text == "record"  ? TypeKind::kRecord
                : keyword.text == "flags" ? TypeKind::kFlags
                                          : TypeKind::kEnum;
    MAYFLY_TRY(fields(item, item.kind == TypeKind::kRecord));
  }
  if (item.fields.empty()) {
    return lexer_.error(keyword, "`" + item.name.text + "` must not be empty");
  }
  if (item.kind == TypeKind::kFlags && item.fields.size() > 32) {
    return lexer_.error(keyword, "`" + item.name.text + "` has more than 32 flags");
  }
  return item;
}

Result<std::vector<ast::Field>> Parser::params() {
  std::vector<ast::Field> params;
  MAYFLY_TRY(expect("("));
  while (!at(")")) {
    MAYFLY_TRY(count_definition());
    ast::Field param;
    param.name = MAYFLY_TRY(name("a parameter"));
    MAYFLY_TRY(expect(":"));
    param.type = MAYFLY_TRY(type(0));
    params.push_back(std::move(param));
    if (!MAYFLY_TRY(accept(","))) break;
  }
  MAYFLY_TRY(expect(")"));
  return params;
}

Result<ast::Func> Parser::func() {
  ast::Func func;
  func.is_async = MAYFLY_TRY(accept("async"));
  MAYFLY_TRY(expect("func"));
  func.params = MAYFLY_TRY(params());
  if (MAYFLY_TRY(accept("->"))) func.result = MAYFLY_TRY(type(0));
  return func;
}

Result<ast::FuncItem> Parser::func_item(ast::Meta meta, bool in_resource) {
  ast::FuncItem item;
  item.meta = std::move(meta);
  if (in_resource && at("constructor")) {
    item.name.at = lexer_.position_of(lexer_.peek());
    MAYFLY_TRY(lexer_.take());
    item.kind = FunctionKind::kConstructor;
    item.func.params = MAYFLY_TRY(params());
    if (MAYFLY_TRY(accept("->"))) item.func.result = MAYFLY_TRY(type(0));
    MAYFLY_TRY(expect(";"));
    return item;
  }
  item.name = MAYFLY_TRY(name("a function's name"));
  MAYFLY_TRY(expect(":"));
  if (in_resource) item.kind = FunctionKind::kMethod;
  if (in_resource && MAYFLY_TRY(accept("static"))) item.kind = FunctionKind::kStatic;
  item.func = MAYFLY_TRY(func());
  MAYFLY_TRY(expect(";"));
  return item;
}

}  // namespace mayfly::component::wit
