// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packages, interfaces, worlds, and what is common to their items.
#include "component/wit_parser.h"

#include <utility>

#include "component/names.h"

namespace mayfly::component::wit {
namespace {

std::string join_docs(const std::vector<std::string_view>& lines) {
  std::string docs;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) docs += "\n";
    docs += lines[i];
  }
  while (docs.ends_with('\n')) docs.pop_back();
  return docs;
}

}  // namespace

Result<ast::File> parse_file(const std::vector<SourceFile>& files, uint32_t file,
                             const WitLimits& limits) {
  Lexer lexer = MAYFLY_TRY(Lexer::create(files, file, limits));
  return Parser(std::move(lexer), limits).file();
}

Error Parser::unexpected(std::string_view wanted) const {
  const Token& token = lexer_.peek();
  const std::string found = token.kind == TokenKind::kEnd
                                ? std::string("the end of the file")
                                : "`" + std::string(token.text.substr(0, 60)) + "`";
  return lexer_.error(token, "expected " + std::string(wanted) + ", found " + found);
}

bool Parser::at(std::string_view text) const {
  const Token& token = lexer_.peek();
  const bool is_plain = token.kind == TokenKind::kOperator || token.kind == TokenKind::kArrow ||
                        (token.kind == TokenKind::kIdentifier && !token.is_escaped);
  return is_plain && token.text == text;
}

Result<bool> Parser::accept(std::string_view text) {
  if (!at(text)) return false;
  MAYFLY_TRY(lexer_.take());
  return true;
}

Result<void> Parser::expect(std::string_view text) {
  if (MAYFLY_TRY(accept(text))) return {};
  return unexpected("`" + std::string(text) + "`");
}

Result<ast::Name> Parser::name(std::string_view what) {
  const Token& token = lexer_.peek();
  if (token.kind != TokenKind::kIdentifier) return unexpected(what);
  if (!token.is_escaped && is_keyword(token.text)) {
    return lexer_.error(token, "`" + std::string(token.text) + "` is a keyword: write `%" +
                                   std::string(token.text) + "` for the name");
  }
  if (!is_label(token.text)) {
    return lexer_.error(token, "`" + std::string(token.text) + "` is not in kebab case");
  }
  const Position position = lexer_.position_of(token);
  const Token taken = MAYFLY_TRY(lexer_.take());
  return ast::Name{std::string(taken.text), position};
}

Result<void> Parser::count_definition() {
  if (++definitions_ <= limits_.definitions_max) return {};
  return lexer_.error(lexer_.peek(),
                      "more than " + std::to_string(limits_.definitions_max) + " definitions");
}

Result<std::string> Parser::version() {
  const Token token = lexer_.peek();
  const std::string_view text = MAYFLY_TRY(lexer_.take_version());
  const auto parsed = parse_semver(text);
  if (!parsed) return lexer_.error(token, parsed.error().message);
  return std::string(text);
}

Result<PackageName> Parser::package_name() {
  PackageName package;
  package.ns = MAYFLY_TRY(name("a namespace")).text;
  MAYFLY_TRY(expect(":"));
  package.name = MAYFLY_TRY(name("a package's name")).text;
  if (MAYFLY_TRY(accept("@"))) package.version = MAYFLY_TRY(version());
  return package;
}

Result<ast::UsePath> Parser::path_after(ast::Name first) {
  ast::UsePath path;
  if (!MAYFLY_TRY(accept(":"))) {
    path.name = std::move(first);
    return path;
  }
  PackageName package;
  package.ns = std::move(first.text);
  package.name = MAYFLY_TRY(name("a package's name")).text;
  MAYFLY_TRY(expect("/"));
  path.name = MAYFLY_TRY(name("an interface or world"));
  if (MAYFLY_TRY(accept("@"))) package.version = MAYFLY_TRY(version());
  path.package = std::move(package);
  return path;
}

Result<ast::UsePath> Parser::path() {
  return path_after(MAYFLY_TRY(name("an interface or world")));
}

Result<void> Parser::gate(ast::Meta& meta) {
  const Token token = lexer_.peek();
  std::string& field = at("since")        ? meta.stability.since
                       : at("deprecated") ? meta.stability.deprecated
                                          : meta.stability.unstable;
  if (at("external-id")) {
    MAYFLY_TRY(lexer_.take());
    MAYFLY_TRY(expect("("));
    if (lexer_.peek().kind != TokenKind::kString) return unexpected("a string");
    const Token text = MAYFLY_TRY(lexer_.take());
    auto id = unescape(text.text);
    if (!id) return lexer_.error(text, id.error().message);
    if (meta.external_id) return lexer_.error(token, "a second external id");
    meta.external_id = std::move(*id);
    return expect(")");
  }
  const bool is_unstable = at("unstable");
  if (!is_unstable && !at("since") && !at("deprecated")) return unexpected("a feature gate");
  MAYFLY_TRY(lexer_.take());
  MAYFLY_TRY(expect("("));
  MAYFLY_TRY(expect(is_unstable ? "feature" : "version"));
  MAYFLY_TRY(expect("="));
  if (!field.empty()) return lexer_.error(token, "the same gate twice");
  field = is_unstable ? MAYFLY_TRY(name("a feature")).text : MAYFLY_TRY(version());
  return expect(")");
}

Result<ast::Meta> Parser::meta() {
  ast::Meta meta;
  meta.docs = join_docs(lexer_.peek().docs);
  while (MAYFLY_TRY(accept("@"))) {
    MAYFLY_TRY(gate(meta));
    if (meta.docs.empty()) meta.docs = join_docs(lexer_.peek().docs);
  }
  meta.at = lexer_.position_of(lexer_.peek());
  const Stability& stability = meta.stability;
  const Token& token = lexer_.peek();
  if (!stability.since.empty() && !stability.unstable.empty()) {
    return lexer_.error(token, "`@since` and `@unstable` exclude each other");
  }
  if (!stability.deprecated.empty() && stability.since.empty() && stability.unstable.empty()) {
    return lexer_.error(token, "`@deprecated` needs a `@since` or an `@unstable`");
  }
  return meta;
}

Result<std::vector<ast::Renaming>> Parser::renamings() {
  std::vector<ast::Renaming> names;
  MAYFLY_TRY(expect("{"));
  while (!at("}")) {
    ast::Renaming renaming;
    renaming.from = MAYFLY_TRY(name("a name"));
    renaming.to = MAYFLY_TRY(accept("as")) ? MAYFLY_TRY(name("a name")) : renaming.from;
    names.push_back(std::move(renaming));
    MAYFLY_TRY(count_definition());
    if (!MAYFLY_TRY(accept(","))) break;
  }
  MAYFLY_TRY(expect("}"));
  return names;
}

Result<ast::UseItem> Parser::use(ast::Meta meta) {
  ast::UseItem item;
  item.meta = std::move(meta);
  MAYFLY_TRY(expect("use"));
  item.path = MAYFLY_TRY(path());
  MAYFLY_TRY(expect("."));
  item.names = MAYFLY_TRY(renamings());
  MAYFLY_TRY(expect(";"));
  return item;
}

Result<ast::IncludeItem> Parser::include(ast::Meta meta) {
  ast::IncludeItem item;
  item.meta = std::move(meta);
  MAYFLY_TRY(expect("include"));
  item.path = MAYFLY_TRY(path());
  if (MAYFLY_TRY(accept("with"))) {
    item.with = MAYFLY_TRY(renamings());
    MAYFLY_TRY(accept(";"));
    return item;
  }
  MAYFLY_TRY(expect(";"));
  return item;
}

Result<void> Parser::interface_items(ast::Interface& interface) {
  MAYFLY_TRY(expect("{"));
  while (!at("}")) {
    MAYFLY_TRY(count_definition());
    ast::Meta item = MAYFLY_TRY(meta());
    if (at("use")) {
      interface.items.emplace_back(MAYFLY_TRY(use(std::move(item))));
    } else if (at_type_item()) {
      interface.items.emplace_back(MAYFLY_TRY(type_item(std::move(item))));
    } else {
      interface.items.emplace_back(MAYFLY_TRY(func_item(std::move(item), false)));
    }
  }
  return expect("}");
}

Result<ast::Interface> Parser::interface(ast::Meta meta) {
  ast::Interface interface;
  interface.meta = std::move(meta);
  MAYFLY_TRY(expect("interface"));
  interface.name = MAYFLY_TRY(name("the interface's name"));
  MAYFLY_TRY(interface_items(interface));
  return interface;
}

Result<ast::ExternItem> Parser::extern_item(ast::Meta meta, bool is_export) {
  ast::ExternItem item;
  item.meta = std::move(meta);
  item.is_export = is_export;
  MAYFLY_TRY(lexer_.take());
  const Token first_token = lexer_.peek();
  ast::Name first = MAYFLY_TRY(name("a name"));
  if (!at(":")) {
    item.what = MAYFLY_TRY(path_after(std::move(first)));
    MAYFLY_TRY(expect(";"));
    return item;
  }
  const Token colon = MAYFLY_TRY(lexer_.take());
  if (at("func") || at("async")) {
    item.label = std::move(first);
    item.what = MAYFLY_TRY(func());
    MAYFLY_TRY(expect(";"));
    return item;
  }
  if (MAYFLY_TRY(accept("interface"))) {
    ast::Interface inner;
    inner.meta = item.meta;
    inner.name.at = first.at;
    MAYFLY_TRY(interface_items(inner));
    item.label = std::move(first);
    item.what = std::move(inner);
    return item;
  }
  // WIT.md #item-world: `a:b` without space is one token, the beginning of a path.
  const bool is_path = first_token.end == colon.begin && colon.end == lexer_.peek().begin;
  ast::Name second = MAYFLY_TRY(name("a function, an interface or a path"));
  if (is_path) {
    ast::UsePath path;
    path.package = PackageName{std::move(first.text), std::move(second.text), ""};
    MAYFLY_TRY(expect("/"));
    path.name = MAYFLY_TRY(name("an interface"));
    if (MAYFLY_TRY(accept("@"))) path.package->version = MAYFLY_TRY(version());
    item.what = std::move(path);
  } else {
    item.label = std::move(first);
    item.what = MAYFLY_TRY(path_after(std::move(second)));
  }
  MAYFLY_TRY(expect(";"));
  return item;
}

Result<void> Parser::world_item(ast::World& world) {
  MAYFLY_TRY(count_definition());
  ast::Meta item = MAYFLY_TRY(meta());
  if (at("import") || at("export")) {
    const bool is_export = at("export");
    world.items.emplace_back(MAYFLY_TRY(extern_item(std::move(item), is_export)));
  } else if (at("use")) {
    world.items.emplace_back(MAYFLY_TRY(use(std::move(item))));
  } else if (at("include")) {
    world.items.emplace_back(MAYFLY_TRY(include(std::move(item))));
  } else if (at_type_item()) {
    world.items.emplace_back(MAYFLY_TRY(type_item(std::move(item))));
  } else {
    return unexpected("an import, an export, a use, an include or a type");
  }
  return {};
}

Result<ast::World> Parser::world(ast::Meta meta) {
  ast::World world;
  world.meta = std::move(meta);
  MAYFLY_TRY(expect("world"));
  world.name = MAYFLY_TRY(name("the world's name"));
  MAYFLY_TRY(expect("{"));
  while (!at("}")) MAYFLY_TRY(world_item(world));
  MAYFLY_TRY(expect("}"));
  return world;
}

// `package a:b;` at the beginning of a file, or `package a:b { ... }` anywhere in it.
Result<void> Parser::package_declaration(ast::Package& package, ast::File* file, std::string docs) {
  const Token token = lexer_.peek();
  MAYFLY_TRY(expect("package"));
  PackageName declared = MAYFLY_TRY(package_name());
  if (MAYFLY_TRY(accept(";"))) {
    const bool is_first = package.interfaces.empty() && package.worlds.empty() &&
                          package.uses.empty() && file != nullptr && file->nested.empty();
    if (package.name || !is_first) {
      return lexer_.error(token, "a package's name comes once, at the beginning");
    }
    package.name = std::move(declared);
    package.docs = std::move(docs);
    package.at = lexer_.position_of(token);
    return {};
  }
  if (file == nullptr) return lexer_.error(token, "packages cannot nest twice");
  ast::Package nested;
  nested.name = std::move(declared);
  nested.docs = std::move(docs);
  nested.at = lexer_.position_of(token);
  MAYFLY_TRY(expect("{"));
  MAYFLY_TRY(package_items(nested, true, nullptr));
  MAYFLY_TRY(expect("}"));
  file->nested.push_back(std::move(nested));
  return {};
}

Result<void> Parser::package_items(ast::Package& package, bool in_braces, ast::File* file) {
  while (in_braces ? !at("}") : lexer_.peek().kind != TokenKind::kEnd) {
    MAYFLY_TRY(count_definition());
    ast::Meta item = MAYFLY_TRY(meta());
    if (at("interface")) {
      package.interfaces.push_back(MAYFLY_TRY(interface(std::move(item))));
    } else if (at("world")) {
      package.worlds.push_back(MAYFLY_TRY(world(std::move(item))));
    } else if (at("package")) {
      MAYFLY_TRY(package_declaration(package, file, std::move(item.docs)));
    } else if (MAYFLY_TRY(accept("use"))) {
      ast::TopLevelUse use;
      use.path = MAYFLY_TRY(path());
      use.as = MAYFLY_TRY(accept("as")) ? MAYFLY_TRY(name("a name")) : use.path.name;
      MAYFLY_TRY(expect(";"));
      package.uses.push_back(std::move(use));
    } else {
      return unexpected("an interface, a world, a use or a package");
    }
  }
  return {};
}

Result<ast::File> Parser::file() {
  ast::File file;
  file.package.at = lexer_.position_of(lexer_.peek());
  MAYFLY_TRY(package_items(file.package, false, &file));
  return file;
}

}  // namespace mayfly::component::wit
