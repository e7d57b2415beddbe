// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parser of WIT texts (WIT.md). One file at a time, by descent; only type expressions recurse, to
// WitLimits::type_depth_max.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "component/wit_ast.h"
#include "component/wit_lexer.h"

namespace mayfly::component::wit {

// Errors: kInvalid, "PATH:LINE:COLUMN: ...".
Result<ast::File> parse_file(const std::vector<SourceFile>& files, uint32_t file,
                             const WitLimits& limits);

class Parser {
 public:
  Parser(Lexer lexer, const WitLimits& limits) : lexer_(std::move(lexer)), limits_(limits) {}
  Result<ast::File> file();

 private:
  // wit_parser.cc
  Result<void> package_items(ast::Package& package, bool in_braces, ast::File* file);
  Result<void> package_declaration(ast::Package& package, ast::File* file, std::string docs);
  Result<ast::Interface> interface(ast::Meta meta);
  Result<void> interface_items(ast::Interface& interface);
  Result<ast::World> world(ast::Meta meta);
  Result<void> world_item(ast::World& world);
  Result<ast::ExternItem> extern_item(ast::Meta meta, bool is_export);
  Result<ast::IncludeItem> include(ast::Meta meta);
  Result<ast::UseItem> use(ast::Meta meta);
  Result<std::vector<ast::Renaming>> renamings();
  Result<ast::Meta> meta();
  Result<void> gate(ast::Meta& meta);

  // wit_parser_types.cc
  bool at_type_item() const;
  Result<ast::TypeItem> type_item(ast::Meta meta);
  Result<void> fields(ast::TypeItem& item, bool has_types);
  Result<void> cases(ast::TypeItem& item);
  Result<void> resource(ast::TypeItem& item);
  Result<ast::FuncItem> func_item(ast::Meta meta, bool in_resource);
  Result<ast::Func> func();
  Result<std::vector<ast::Field>> params();
  Result<ast::TypeExpr> type(uint32_t depth);
  Result<void> type_arguments(ast::TypeExpr& type, uint32_t depth);
  Result<std::optional<ast::TypeExpr>> type_argument(uint32_t depth);

  // Names, tokens.
  Result<ast::Name> name(std::string_view what);
  Result<PackageName> package_name();
  // The rest of a path that begins with `first`, which may be its namespace.
  Result<ast::UsePath> path_after(ast::Name first);
  Result<ast::UsePath> path();
  bool at(std::string_view text) const;  // an operator, or a word that is not escaped
  Result<bool> accept(std::string_view text);
  Result<void> expect(std::string_view text);
  Error unexpected(std::string_view wanted) const;
  Result<std::string> version();
  Result<void> count_definition();

  Lexer lexer_;
  WitLimits limits_;
  uint32_t definitions_ = 0;
};

}  // namespace mayfly::component::wit
