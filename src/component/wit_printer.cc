// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One pass over the model; types inside types recurse no deeper than the parser or the decoder of
// components let them nest.
#include "component/wit_printer.h"

#include <map>
#include <set>

#include "base/check.h"
#include "component/wit_lexer.h"

namespace mayfly::component::wit {
namespace {

std::string escaped(const std::string& name) { return (is_keyword(name) ? "%" : "") + name; }

std::string package_text(const PackageName& name) {
  return escaped(name.ns) + ":" + escaped(name.name) +
         (name.version.empty() ? "" : "@" + name.version);
}

std::string quoted(const std::string& text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (byte < 0x20 || byte == 0x7f) {
      result += {'\\', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      result.push_back(c);
    }
  }
  return result + "\"";
}

class Printer {
 public:
  explicit Printer(const Model& model) : model_(model) {}

  void package(PackageId id) {
    package_ = id;
    for (const InterfaceId interface : model_[id].interfaces) {
      separate();
      notes(model_[interface].notes);
      line("interface " + escaped(model_[interface].name) + " {");
      interface_body(interface);
      line("}");
    }
    for (const WorldId id_of_world : model_[id].worlds) {
      separate();
      world(model_[id_of_world]);
    }
  }

  void header(PackageId id) {
    docs(model_[id].docs);
    line("package " + package_text(model_[id].name) + ";");
    is_first_ = false;
  }
  void nested(PackageId id) {
    separate();
    docs(model_[id].docs);
    line("package " + package_text(model_[id].name) + " {");
    ++depth_;
    is_first_ = true;
    package(id);
    --depth_;
    line("}");
    is_first_ = false;
  }
  std::string take() { return std::move(text_); }

 private:
  void line(const std::string& content) {
    text_.append(2 * size_t{depth_}, ' ').append(content).append("\n");
  }
  // An empty line before all but the first of several items.
  void separate() {
    if (!is_first_) text_ += "\n";
    is_first_ = false;
  }

  void docs(const std::string& docs) {
    if (docs.empty()) return;
    for (size_t at = 0; at <= docs.size();) {
      const size_t end = std::min(docs.find('\n', at), docs.size());
      const std::string text = docs.substr(at, end - at);
      line(text.empty() ? "///" : "/// " + text);
      at = end + 1;
    }
  }

  void notes(const Notes& notes) {
    docs(notes.docs);
    if (!notes.stability.since.empty()) {
      line("@since(version = " + notes.stability.since + ")");
    }
    if (!notes.stability.unstable.empty()) {
      line("@unstable(feature = " + escaped(notes.stability.unstable) + ")");
    }
    if (!notes.stability.deprecated.empty()) {
      line("@deprecated(version = " + notes.stability.deprecated + ")");
    }
    if (notes.external_id) line("@external-id(" + quoted(*notes.external_id) + ")");
  }

  std::string path(InterfaceId id) const {
    const Interface& interface = model_[id];
    if (!interface.package || *interface.package == package_) return escaped(interface.name);
    const PackageName& package = model_[*interface.package].name;
    return escaped(package.ns) + ":" + escaped(package.name) + "/" + escaped(interface.name) +
           (package.version.empty() ? "" : "@" + package.version);
  }

  std::string resource_name(const Type& handle) const {
    return escaped(model_[handle.fields[0].type.type()].name);
  }

  std::string arguments(const Type& type) const {
    std::string text;
    for (const Field& field : type.fields) {
      if (!text.empty()) text += ", ";
      text += field.type.exists() ? value(field.type) : "_";
    }
    return text;
  }

  // A type by its name, or written out when it has none.
  std::string value(ValType type) const {
    if (type.is_prim()) return std::string(to_string(type.prim()));
    const Type& node = model_[type.type()];
    return node.name.empty() ? expression(node) : escaped(node.name);
  }

  std::string expression(const Type& type) const {
    const std::string kind(to_string(type.kind));
    switch (type.kind) {
      case TypeKind::kPrim:
      case TypeKind::kNamed:
        return value(type.fields[0].type);
      case TypeKind::kOwn:
        return resource_name(type);
      case TypeKind::kBorrow:
        return "borrow<" + resource_name(type) + ">";
      case TypeKind::kFixedList:
        return "list<" + arguments(type) + ", " + std::to_string(type.length) + ">";
      case TypeKind::kResult:
        if (!type.fields[1].type.exists()) {
          return type.fields[0].type.exists() ? "result<" + value(type.fields[0].type) + ">" : kind;
        }
        return "result<" + arguments(type) + ">";
      default:
        return type.fields.empty() ? kind : kind + "<" + arguments(type) + ">";
    }
  }

  std::string params(const Function& function) const {
    std::string text;
    const size_t first = function.kind == FunctionKind::kMethod ? 1 : 0;
    for (size_t i = first; i < function.params.size(); ++i) {
      if (i > first) text += ", ";
      text += escaped(function.params[i].name) + ": " + value(function.params[i].type);
    }
    return "(" + text + ")";
  }

  std::string signature(const Function& function) const {
    std::string text = function.is_async ? "async func" : "func";
    text += params(function);
    if (function.result.exists()) text += " -> " + value(function.result);
    return text;
  }

  void member(const Function& function) {
    notes(function.notes);
    if (function.kind == FunctionKind::kConstructor) {
      const bool is_fallible =
          function.result.is_node() && model_[function.result.type()].kind == TypeKind::kResult;
      line("constructor" + params(function) + (is_fallible ? " -> " + value(function.result) : "") +
           ";");
      return;
    }
    line(escaped(function.name) + ": " + (function.kind == FunctionKind::kStatic ? "static " : "") +
         signature(function) + ";");
  }

  void resource(TypeId id, const std::vector<const Function*>& functions) {
    const std::string head = "resource " + escaped(model_[id].name);
    std::vector<const Function*> own;
    for (const Function* function : functions) {
      if (function->kind != FunctionKind::kFree && function->resource == id) {
        own.push_back(function);
      }
    }
    if (own.empty()) return line(head + ";");
    line(head + " {");
    ++depth_;
    for (const Function* function : own) member(*function);
    --depth_;
    line("}");
  }

  void definition(TypeId id, const std::vector<const Function*>& functions) {
    const Type& type = model_[id];
    notes(type.notes);
    if (type.kind == TypeKind::kResource) return resource(id, functions);
    const bool has_body = type.kind == TypeKind::kRecord || type.kind == TypeKind::kVariant ||
                          type.kind == TypeKind::kFlags || type.kind == TypeKind::kEnum;
    if (!has_body) {
      line("type " + escaped(type.name) + " = " + expression(type) + ";");
      return;
    }
    line(std::string(to_string(type.kind)) + " " + escaped(type.name) + " {");
    ++depth_;
    for (const Field& field : type.fields) {
      docs(field.docs);
      std::string text = escaped(field.name);
      if (type.kind == TypeKind::kRecord) {
        text += ": " + value(field.type);
      } else if (field.type.exists()) {
        text += "(" + value(field.type) + ")";
      }
      line(text + ",");
    }
    --depth_;
    line("}");
  }

  // The interface that a type is used from, if it is.
  std::optional<InterfaceId> used_from(TypeId id) const {
    const Type& type = model_[id];
    if (type.kind != TypeKind::kNamed) return std::nullopt;
    const Owner& owner = model_[type.fields[0].type.type()].owner;
    if (!owner.interface || owner == type.owner) return std::nullopt;
    return owner.interface;
  }

  // Consecutive uses of one interface are one line.
  void uses(const std::vector<TypeId>& types) {
    for (size_t i = 0; i < types.size();) {
      const auto from = used_from(types[i]);
      CHECK(from.has_value());
      const Notes& first = model_[types[i]].notes;
      notes(first);
      std::string names;
      for (; i < types.size() && used_from(types[i]) == from; ++i) {
        const Type& type = model_[types[i]];
        if (!names.empty() && !is_like(first, type.notes)) break;
        const std::string& original = model_[type.fields[0].type.type()].name;
        names += names.empty() ? "" : ", ";
        names += escaped(original);
        if (original != type.name) names += " as " + escaped(type.name);
      }
      line("use " + path(*from) + ".{" + names + "};");
    }
  }
  static bool is_like(const Notes& a, const Notes& b) {
    return a.docs == b.docs && a.stability.since == b.stability.since &&
           a.stability.unstable == b.stability.unstable;
  }

  void interface_body(InterfaceId id) {
    const Interface& interface = model_[id];
    std::vector<TypeId> used;
    std::vector<const Function*> functions;
    functions.reserve(interface.functions.size());
    for (const TypeId type : interface.types) {
      if (used_from(type)) used.push_back(type);
    }
    for (const Function& function : interface.functions) functions.push_back(&function);
    ++depth_;
    const bool outer_is_first = is_first_;
    is_first_ = true;
    if (!used.empty()) {
      separate();
      uses(used);
    }
    for (const TypeId type : interface.types) {
      if (used_from(type)) continue;
      separate();
      definition(type, functions);
    }
    for (const Function& function : interface.functions) {
      if (function.kind != FunctionKind::kFree) continue;
      separate();
      notes(function.notes);
      line(escaped(function.name) + ": " + signature(function) + ";");
    }
    is_first_ = outer_is_first;
    --depth_;
  }

  void world_item(const WorldItem& item, bool is_export) {
    const std::string verb = is_export ? "export " : "import ";
    const auto* interface = std::get_if<InterfaceId>(&item.what);
    notes(item.notes);
    if (interface == nullptr) {
      line(verb + escaped(item.name) + ": " + signature(std::get<Function>(item.what)) + ";");
    } else if (item.name.empty()) {
      line(verb + path(*interface) + ";");
    } else if (!model_[*interface].name.empty()) {
      line(verb + escaped(item.name) + ": " + path(*interface) + ";");
    } else {
      line(verb + escaped(item.name) + ": interface {");
      interface_body(*interface);
      line("}");
    }
  }

  void world(const World& world) {
    notes(world.notes);
    line("world " + escaped(world.name) + " {");
    ++depth_;
    std::vector<TypeId> used;
    std::vector<TypeId> types;
    std::vector<const Function*> functions;
    for (const WorldItem& item : world.imports) {
      if (const auto* type = std::get_if<TypeId>(&item.what)) {
        (used_from(*type) ? used : types).push_back(*type);
      } else if (const auto* function = std::get_if<Function>(&item.what)) {
        functions.push_back(function);
      }
    }
    bool has_imports = false;
    for (const WorldItem& item : world.imports) {
      if (std::holds_alternative<TypeId>(item.what)) continue;
      const auto* function = std::get_if<Function>(&item.what);
      if (function != nullptr && function->kind != FunctionKind::kFree) continue;
      has_imports = true;
      world_item(item, false);
    }
    is_first_ = !has_imports;
    if (!used.empty()) {
      separate();
      uses(used);
    }
    for (const TypeId type : types) {
      separate();
      definition(type, functions);
    }
    if (!world.exports.empty()) separate();
    for (const WorldItem& item : world.exports) world_item(item, true);
    is_first_ = false;
    --depth_;
    line("}");
  }

  const Model& model_;
  std::string text_;
  uint32_t depth_ = 0;
  bool is_first_ = true;
  std::optional<PackageId> package_;
};

// The packages that a package's interfaces and worlds speak of, itself included.
class Needed {
 public:
  explicit Needed(const Model& model) : model_(model) {}
  std::set<PackageId> of(PackageId id) {
    left_.push_back(id);
    found_.insert(id);
    while (!left_.empty()) {
      const PackageId next = left_.back();
      left_.pop_back();
      for (const InterfaceId interface : model_[next].interfaces) add_types(interface);
      for (const WorldId world : model_[next].worlds) {
        for (const WorldItem& item : model_[world].imports) add(item);
        for (const WorldItem& item : model_[world].exports) add(item);
      }
    }
    return std::move(found_);
  }

 private:
  void add(const WorldItem& item) {
    if (const auto* interface = std::get_if<InterfaceId>(&item.what)) add(*interface);
    if (const auto* type = std::get_if<TypeId>(&item.what)) add_type(*type);
  }
  void add(InterfaceId id) {
    const auto package = model_[id].package;
    if (package && !model_[id].name.empty() && found_.insert(*package).second) {
      left_.push_back(*package);
    }
    if (model_[id].name.empty()) add_types(id);
  }
  void add_types(InterfaceId id) {
    for (const TypeId type : model_[id].types) add_type(type);
  }
  void add_type(TypeId type) {
    if (model_[type].kind != TypeKind::kNamed) return;
    const Owner& owner = model_[model_[type].fields[0].type.type()].owner;
    if (owner.interface) add(*owner.interface);
  }

  const Model& model_;
  std::vector<PackageId> left_;
  std::set<PackageId> found_;
};

}  // namespace

std::string print_package_alone(const Model& model, PackageId package) {
  Printer printer(model);
  printer.header(package);
  printer.package(package);
  return printer.take();
}

std::string print_package(const Model& model, PackageId package) {
  Printer printer(model);
  printer.header(package);
  printer.package(package);
  // In the order of their names, so that the text does not depend on how the model was made.
  std::map<PackageName, PackageId> others;
  for (const PackageId needed : Needed(model).of(package)) {
    if (needed != package) others.emplace(model[needed].name, needed);
  }
  for (const auto& [name, needed] : others) printer.nested(needed);
  return printer.take();
}

}  // namespace mayfly::component::wit
